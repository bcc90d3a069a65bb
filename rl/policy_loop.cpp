#include "rl/policy_loop.h"

#include <chrono>

namespace rlhf {

PolicyResult train_policy(PolicyAlgorithm& algorithm, const PolicyConfig& config, AlarmWords words,
                          const OnUpdate& on_update, Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  words.longest = double(config.responses.length);
  Alarms alarms(config.alarm_every, std::move(words));
  const int64_t updates = config.updates();
  PolicyResult result;
  const Archive state = [&](StateArchive& a) {
    algorithm.archive(a);
    alarms.archive(a);
    a.number("seconds", result.seconds);
  };

  int64_t update = checkpoints.resume(state, updates);
  while (update < updates && !result.stopped_at_kl) {
    update++;
    const auto start = Clock::now();
    std::vector<Episode> episodes = algorithm.rollout();
    UpdateReport report = algorithm.learn(episodes, update);
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    const double sampled = double(algorithm.sampled());
    report.metrics.emplace_back("episode", sampled);
    report.metrics.emplace_back("eps", sampled / result.seconds);
    on_update(update, updates, report.metrics, episodes);
    for (const Alarm& alarm : alarms.check(update, report.signs)) config.on_alarm(alarm.line);
    result.stopped_at_kl = config.stop_at_kl > 0 && report.signs.kl > config.stop_at_kl;
    checkpoints.after(update, result.stopped_at_kl ? update : updates, state);
  }
  result.updates = update;
  result.episodes = algorithm.sampled();
  result.generation_seconds = algorithm.generation_seconds();
  result.alarms = alarms.counts();
  return result;
}

}  // namespace rlhf
