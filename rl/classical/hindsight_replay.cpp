#include "rl/classical/hindsight_replay.h"

#include <algorithm>

#include "kernels/philox.h"
#include "rl/env/any_environment.h"

namespace rlhf::classical {
namespace {

// Batches draw from the same stream as draw 0.
constexpr uint64_t kGoals = 1;

void append(std::vector<double>& numbers, const GoalObservation& observation) {
  for (const auto* part :
       {&observation.observation, &observation.achieved_goal, &observation.desired_goal}) {
    numbers.insert(numbers.end(), part->begin(), part->end());
  }
}

GoalObservation take(const std::vector<double>& numbers, const GoalBox& box, size_t& at) {
  const auto next = [&](int64_t size) {
    const auto begin = numbers.begin() + int64_t(at);
    at += size_t(size);
    return std::vector<float>(begin, begin + size);
  };
  const int64_t goal = box.goal.size();
  GoalObservation observation{.observation = next(box.observation.size())};
  observation.achieved_goal = next(goal);
  observation.desired_goal = next(goal);
  return observation;
}

}  // namespace

HindsightReplay::HindsightReplay(const GoalEnvironment& environment, const HerConfig& config)
    : environment_(environment),
      config_(config),
      memory_(std::min(config.dqn.q.buffer_size, config.dqn.total_timesteps * (1 + config.goals())),
              flat_size(environment.spec().observation_space)),
      before_(size_t(flat_size(environment.spec().observation_space))),
      after_(before_) {}

void HindsightReplay::add(GoalStep step, bool ended) {
  episode_.push_back(std::move(step));
  if (!ended) return;
  for (size_t t = 0; t < episode_.size(); t++) {
    const GoalStep& lived = episode_[t];
    remember(lived, lived.before.desired_goal, lived.reward, lived.terminated);
    for (int64_t i = 0; i < config_.goals(); i++) {
      const std::vector<float>& goal = episode_[achieved_at(t, i)].after.achieved_goal;
      const std::vector<float>& achieved = lived.after.achieved_goal;
      remember(lived, goal, environment_.reward(achieved, goal),
               environment_.terminated(achieved, goal));
    }
    steps_++;
  }
  episode_.clear();
}

size_t HindsightReplay::achieved_at(size_t t, int64_t i) const {
  const size_t last = episode_.size() - 1;
  if (config_.strategy == HerStrategy::final) return last;
  const size_t first = config_.strategy == HerStrategy::future ? t : 0;
  const PhiloxWords words =
      random_words(config_.dqn.seed, RandomStream::replay, uint32_t(i), kGoals, uint64_t(steps_));
  return first + size_t(unit_double(words[0], words[1]) * double(last - first + 1));
}

void HindsightReplay::remember(const GoalStep& step, std::span<const float> goal, double reward,
                               bool terminated) {
  const std::vector<float> desired(goal.begin(), goal.end());
  flatten(GoalObservation{step.before.observation, {}, desired}, before_);
  flatten(GoalObservation{step.after.observation, {}, desired}, after_);
  memory_.add(before_, step.action, reward, after_, terminated);
}

void HindsightReplay::archive(StateArchive& a) {
  std::vector<double> numbers;
  for (const GoalStep& step : episode_) {
    append(numbers, step.before);
    append(numbers, step.after);
    numbers.insert(numbers.end(), {double(step.action), step.reward, double(step.terminated)});
  }
  a.numbers("episode.steps", numbers);
  a.number("episode.remembered", steps_);
  episode_.clear();
  const GoalBox& box = std::get<GoalBox>(environment_.spec().observation_space);
  const size_t size = size_t(2 * (box.observation.size() + 2 * box.goal.size()) + 3);
  for (size_t at = 0; at + size <= numbers.size();) {
    GoalStep step{.before = take(numbers, box, at), .after = take(numbers, box, at)};
    step.action = int64_t(numbers[at++]);
    step.reward = numbers[at++];
    step.terminated = numbers[at++] != 0;
    episode_.push_back(step);
  }
  memory_.archive(a);
}

}  // namespace rlhf::classical
