#include "rl/classical/rollout.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/gae.h"
#include "kernels/run.h"
#include "kernels/whiten.h"
#include "rl/classical/exploration.h"
#include "rl/classical/parameter_archive.h"
#include "rl/running_statistics.h"

namespace rlhf::classical {

RolloutCollector::RolloutCollector(const MakeEnvironment& make, int64_t copies, uint64_t seed,
                                   std::optional<RewardNormalisation> normalisation)
    : environments_(make, copies, seed),
      normalisation_(std::move(normalisation)),
      seed_(seed),
      action_(size_t(copies)) {}

Rollout RolloutCollector::begin(int64_t rows) const {
  Rollout rollout{.environments = environments_.copies(), .observation_size = observation_size()};
  rollout.observation.resize(size_t(rows * observation_size()));
  rollout.logits.resize(size_t(rows * actions()));
  for (auto* column : {&rollout.log_prob, &rollout.value, &rollout.reward}) {
    column->resize(size_t(rows));
  }
  for (auto* column : {&rollout.action, &rollout.end, &rollout.terminated}) {
    column->resize(size_t(rows));
  }
  return rollout;
}

// Normalised rewards are clipped as CleanRL and Stable-Baselines3 do.
std::vector<float> RolloutCollector::learnt_rewards() {
  const std::span<const float> rewards = environments_.rewards();
  std::vector<float> learnt(rewards.begin(), rewards.end());
  if (!normalisation_) return learnt;
  normalisation_->apply(learnt, environments_.terminated(), environments_.truncated());
  for (float& reward : learnt) reward = std::clamp(reward, -10.0f, 10.0f);
  return learnt;
}

void RolloutCollector::step(Agent& agent, Rollout& rollout, int64_t first, int64_t stride) {
  const int64_t n = environments_.copies(), size = observation_size(), A = actions();
  if (agent.normalisation) agent.normalisation->moments.add(environments_.observations());
  const std::vector<float> observations = agent.seen(environments_.observations());
  const std::vector<float> logits =
      agent.logits(Tensor::from(observations, {n, size})).to_vector<float>();
  sample_actions(logits, seed_, steps_, action_);
  for (int64_t i = 0; i < n; i++) {
    const int64_t row = first + i * stride;
    std::copy_n(observations.begin() + i * size, size, rollout.observation.begin() + row * size);
    std::copy_n(logits.begin() + i * A, A, rollout.logits.begin() + row * A);
    rollout.action[size_t(row)] = int32_t(action_[size_t(i)]);
  }
  environments_.step(action_);
  steps_++;
  const std::vector<float> rewards = learnt_rewards();
  for (int64_t i = 0; i < n; i++) {
    const size_t row = size_t(first + i * stride);
    const bool terminated = environments_.terminated()[size_t(i)];
    rollout.reward[row] = rewards[size_t(i)];
    rollout.terminated[row] = terminated;
    rollout.end[row] = terminated || environments_.truncated()[size_t(i)];
  }
  episodes_.add(environments_.finished());
}

// What a batch computes faster than steps do: a row's bits do not depend on the others.
void RolloutCollector::complete(const Agent& agent, Rollout& rollout) const {
  const int64_t rows = rollout.rows();
  const Tensor logits = Tensor::from(rollout.logits, {rows, actions()});
  rollout.log_prob =
      categorical(logits, Tensor::from(rollout.action, {rows})).log_prob.to_vector<float>();
  if (agent.critic) {
    rollout.value = agent.value(Tensor::from(rollout.observation, {rows, observation_size()}))
                        .to_vector<float>();
  }
}

Rollout RolloutCollector::collect(Agent& agent, int64_t steps, float gamma) {
  const int64_t n = environments_.copies(), size = observation_size();
  Rollout rollout = begin(n * steps);
  rollout.steps = steps;
  std::vector<float> last_observation;  // of episodes out of time
  std::vector<size_t> last_row;
  for (int64_t t = 0; t < steps; t++) {
    step(agent, rollout, t, steps);
    for (const FinishedEpisode& episode : environments_.finished()) {
      if (episode.terminated) continue;
      const auto row = environments_.final_observations().begin() + episode.copy * size;
      last_observation.insert(last_observation.end(), row, row + size);
      last_row.push_back(size_t(episode.copy * steps + t));
    }
  }
  complete(agent, rollout);
  const auto values = [&](std::span<const float> observations) {
    const Tensor rows =
        Tensor::from(agent.seen(observations), {int64_t(observations.size()) / size, size});
    return agent.value(rows).to_vector<float>();
  };
  rollout.bootstrap = values(environments_.observations());
  if (!last_row.empty()) {
    const std::vector<float> last_value = values(last_observation);
    for (size_t i = 0; i < last_row.size(); i++) {
      rollout.reward[last_row[i]] += gamma * last_value[i];
    }
  }
  return rollout;
}

Rollout RolloutCollector::collect_episodes(Agent& agent, int64_t until) {
  check(environments_.copies() == 1, "episodes", "expected one environment, got {}",
        environments_.copies());
  Rollout rollout = begin(0);
  while (steps_ < until) {
    for (bool running = true; running;) {
      const int64_t row = rollout.rows();
      rollout.observation.resize(rollout.observation.size() + size_t(observation_size()));
      rollout.logits.resize(rollout.logits.size() + size_t(actions()));
      for (auto* column : {&rollout.action, &rollout.end, &rollout.terminated})
        column->push_back(0);
      rollout.reward.push_back(0);
      step(agent, rollout, row, 0);
      running = !rollout.end.back();
    }
  }
  rollout.steps = rollout.rows();
  rollout.value.resize(size_t(rollout.rows()));
  rollout.bootstrap.resize(1);
  if (rollout.rows() > 0) complete(agent, rollout);
  return rollout;
}

void RolloutCollector::archive(StateArchive& a) {
  std::vector<double> state = environments_.save();
  a.numbers("environments", state);
  environments_.restore(state);
  a.number("environment_steps", steps_);
  episodes_.archive(a);
  if (normalisation_) archive_parameters(a, "reward_normalisation", *normalisation_);
}

void estimate_advantages(Rollout& rollout, float gamma, float lambda) {
  const std::vector<int32_t> length(size_t(rollout.environments), int32_t(rollout.steps));
  rollout.advantage.resize(size_t(rollout.rows()));
  rollout.returns.resize(size_t(rollout.rows()));
  run(Device::cpu, Gae<float>{.advantages = rollout.advantage.data(),
                              .returns = rollout.returns.data(),
                              .rewards = rollout.reward.data(),
                              .values = rollout.value.data(),
                              .bootstrap = rollout.bootstrap.data(),
                              .length = length.data(),
                              .ends = rollout.end.data(),
                              .B = rollout.environments,
                              .T_max = rollout.steps,
                              .gamma = gamma,
                              .lambda = lambda});
}

void whiten(std::vector<float>& values) {
  const std::vector<float> mask(values.size(), 1), in = values;
  run(Device::cpu, Whiten<float>{values.data(), in.data(), mask.data(), int64_t(in.size())});
}

double explained_variance(const Rollout& rollout) {
  const std::vector<double> returns(rollout.returns.begin(), rollout.returns.end());
  std::vector<double> errors = returns;
  for (size_t i = 0; i < errors.size(); i++) errors[i] -= rollout.value[i];
  RunningStatistics of_returns, of_errors;
  of_returns.add(returns);
  of_errors.add(errors);
  if (of_returns.deviation() == 0) return std::numeric_limits<double>::quiet_NaN();
  const double ratio = of_errors.deviation() / of_returns.deviation();
  return 1 - ratio * ratio;
}

MiniBatch minibatch(const Rollout& rollout, std::span<const int64_t> row, bool whitened,
                    const Agent& agent) {
  const int64_t n = int64_t(row.size()), size = rollout.observation_size;
  const auto place = [&](const Tensor& tensor) {
    return tensor.to(agent.dtype()).to(agent.device());
  };
  const auto column = [&](const std::vector<float>& values, bool white = false) {
    std::vector<float> picked;
    picked.reserve(row.size());
    for (const int64_t i : row) picked.push_back(values[size_t(i)]);
    if (white) whiten(picked);
    return place(Tensor::from(picked, {n}));
  };
  std::vector<float> observation(static_cast<size_t>(n * size));
  std::vector<int32_t> action(row.size());
  for (size_t i = 0; i < row.size(); i++) {
    std::copy_n(rollout.observation.begin() + row[i] * size, size,
                observation.begin() + int64_t(i) * size);
    action[i] = rollout.action[size_t(row[i])];
  }
  return {.observation = place(Tensor::from(observation, {n, size})),
          .action = Tensor::from(action, {n}, agent.device()),
          .log_prob = column(rollout.log_prob),
          .value = column(rollout.value),
          .advantage = column(rollout.advantage, whitened),
          .returns = column(rollout.returns)};
}

MiniBatch minibatch(const Rollout& rollout, bool whitened, const Agent& agent) {
  std::vector<int64_t> all(static_cast<size_t>(rollout.rows()));
  std::iota(all.begin(), all.end(), 0);
  return minibatch(rollout, all, whitened, agent);
}

}  // namespace rlhf::classical
