#include "rl/reward/reward_evaluation.h"

#include <cmath>
#include <map>

#include "core/math.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

/// Sums of one set of examples, until they are divided.
struct Sums : RewardFigures {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;  ///< of score and reward

  RewardFigures figures() const {
    RewardFigures out = *this;
    const double n = double(examples), scores = double(examples - decisions);
    out.loss /= n;
    if (decisions > 0) out.accuracy /= double(decisions);
    if (pairs > 0) out.margin /= double(pairs);
    const double spread =
        (xx - x * x / std::max(1.0, scores)) * (yy - y * y / std::max(1.0, scores));
    out.correlation = spread > 0 ? (xy - x * y / scores) / std::sqrt(spread) : 0;
    return out;
  }
};

void add(Sums& sums, const RewardExample& example, double reward, double rejected,
         double centering) {
  sums.examples++;
  const double value = example.value;
  if (example.loss == RewardLoss::mse) {
    sums.loss += 0.5 * example.precision * (reward - value) * (reward - value);
    sums.x += value, sums.y += reward;
    sums.xx += value * value, sums.yy += reward * reward, sums.xy += value * reward;
    return;
  }
  sums.decisions++;
  if (example.loss == RewardLoss::bce) {
    sums.loss += softplus(reward) - value * reward;
    sums.accuracy += (reward > 0) == (value > 0.5);
    return;
  }
  const double difference = reward - rejected, sum = reward + rejected;
  sums.loss += softplus(value - difference) + centering * sum * sum;
  sums.accuracy += difference > 0;
  sums.margin += difference;
  sums.pairs++;
}

}  // namespace

std::string RewardGroup::name() const {
  const char* kind = loss_kind == RewardLoss::pairwise ? "pairs"
                     : loss_kind == RewardLoss::bce    ? "labels"
                                                       : "scores";
  return std::string(kind) + "/" + source;
}

RewardEvaluation evaluate_reward(const ScalarModel& model, const RewardData& data,
                                 double centering) {
  RewardEvaluation out;
  if (data.size() == 0) return out;
  std::vector<Tokens> firsts, seconds;
  for (const RewardExample& example : data.examples) {
    firsts.push_back(example.first);
    if (!example.second.empty()) seconds.push_back(example.second);
  }
  out.scores = head_scores(model, firsts);
  const std::vector<double> rejected = head_scores(model, seconds);

  Sums total;
  std::map<std::pair<RewardLoss, int32_t>, Sums> groups;
  for (size_t i = 0, pair = 0; i < data.size(); i++) {
    const RewardExample& example = data.examples[i];
    const double second = example.second.empty() ? 0 : rejected[pair++];
    add(total, example, out.scores[i], second, centering);
    add(groups[{example.loss, example.source}], example, out.scores[i], second, centering);
  }
  const double gain = double(model.gain);
  static_cast<RewardFigures&>(out) = total.figures();
  out.margin *= gain;
  for (const auto& [key, sums] : groups) {
    RewardGroup& group = out.groups.emplace_back();
    static_cast<RewardFigures&>(group) = sums.figures();
    group.margin *= gain;
    group.loss_kind = key.first;
    group.source = data.sources[size_t(key.second)];
  }
  std::vector<double> all = out.scores;
  all.insert(all.end(), rejected.begin(), rejected.end());
  const double n = double(all.size());
  double mean = 0, squares = 0;
  for (const double reward : all) mean += reward / n;
  for (const double reward : all) squares += (reward - mean) * (reward - mean) / n;
  out.mean_reward = gain * mean + double(model.bias);
  out.std_reward = gain * std::sqrt(squares);
  return out;
}

}  // namespace rlhf
