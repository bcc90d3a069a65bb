#include "rl/reward_watch.h"

#include <fmt/core.h>

#include <cmath>
#include <numbers>

namespace rlhf {
namespace {

constexpr int64_t kFewest = 20;  // judgements that say something about a model
constexpr const char* kinds[] = {"reward_constant", "reward_coin", "reward_memorised"};

}  // namespace

std::vector<Alarm> RewardWatch::check(int64_t step, double train_loss, const RewardEvaluation& e) {
  std::vector<Alarm> alarms;
  const auto look = [&](size_t kind, bool holds, const auto& line) {
    if (!holds || counts_[kind]++ > 0) return;
    alarms.push_back({kinds[kind], fmt::format("step {}: {}", step, line())});
  };
  const bool judged = e.decisions >= kFewest && e.decisions == e.examples;
  const bool constant = e.examples > 1 && e.std_reward < 1e-4;
  look(0, constant, [&] {
    return fmt::format(
        "every held-out text gets the reward {:.3g}: the model tells nothing apart; train for more "
        "--num_train_epochs, or raise --learning_rate",
        e.mean_reward);
  });
  // Two deviations of a coin that is thrown so many times.
  const double coin = 0.5 + 1 / std::sqrt(double(std::max<int64_t>(1, e.decisions)));
  look(1, judged && !constant && e.accuracy < coin, [&] {
    return fmt::format(
        "held-out accuracy is {:.3f} over {} judgements, where a coin reaches {:.3f} by luck: look "
        "whether the sides are swapped (`rlhf data stats`), train for more --num_train_epochs, or "
        "raise --learning_rate",
        e.accuracy, e.decisions, coin);
  });
  const double nothing = std::numbers::ln2;  // the loss of a model that always says "even"
  look(2, judged && e.loss > nothing && train_loss < 0.5 * e.loss, [&] {
    return fmt::format(
        "held-out loss is {:.3f} nats, worse than the {:.3f} of a model that says nothing, while "
        "training's is {:.3f}: examples are learnt by heart; train for fewer --num_train_epochs, "
        "lower --learning_rate, set --dropout, or collect more feedback",
        e.loss, nothing, train_loss);
  });
  return alarms;
}

std::map<std::string, int64_t> RewardWatch::counts() const {
  std::map<std::string, int64_t> out;
  for (size_t kind = 0; kind < kKinds; kind++) {
    if (counts_[kind] > 0) out[kinds[kind]] = counts_[kind];
  }
  return out;
}

void RewardWatch::archive(StateArchive& a) {
  for (size_t kind = 0; kind < kKinds; kind++) {
    a.number(fmt::format("watch.{}", kinds[kind]), counts_[kind]);
  }
}

}  // namespace rlhf
