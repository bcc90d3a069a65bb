#include "rl/reward/reward_batch.h"

#include <algorithm>

namespace rlhf {
namespace {

constexpr RewardLoss kinds[] = {RewardLoss::pairwise, RewardLoss::bce, RewardLoss::mse};

/// Where reward_loss finds what.
constexpr size_t kHead = 3, kOfPart = 4;

/// The examples of one kind within a micro-batch.
struct Part {
  Tokens first, second;  ///< their places among the rewards
  std::vector<double> value, weight;

  void add(const RewardExample& example, int64_t place, int64_t second_place) {
    first.push_back(int32_t(place));
    if (second_place >= 0) second.push_back(int32_t(second_place));
    value.push_back(example.value);
    weight.push_back(example.weight * example.precision);
  }
  /// With examples that count nothing: any reward will do.
  void pad(size_t examples, bool pairs) {
    const size_t n = std::max(examples, value.size());
    first.resize(n, 0);
    if (pairs) second.resize(n, 0);
    value.resize(n, 0);
    weight.resize(n, 0);
  }
};

Tensor as_tensor(const std::vector<double>& values, DType dtype, double scale = 1) {
  return dispatch_accumulator(dtype, [&](auto t) {
    std::vector<decltype(t)> converted;
    for (const double value : values) converted.push_back(decltype(t)(value * scale));
    return Tensor::from(converted, {int64_t(values.size())});
  });
}

Tensor as_tensor(const Tokens& places) {
  return places.empty() ? Tensor{} : Tensor::from(places, {int64_t(places.size())});
}

Tensor at(const Tensor& rewards, const Tensor& places) {
  return gather(rewards.reshape({rewards.count(), 1}), places).reshape({places.count()});
}

/// sum_i weight_i loss_i of one kind: (1).
Tensor part_loss(const Tensor& rewards, std::span<const Tensor> part, RewardLoss loss,
                 float centering) {
  const Tensor &first = part[0], &second = part[1], &value = part[2], &weight = part[3];
  const Tensor losses =
      loss == RewardLoss::pairwise
          ? pairwise_loss(at(rewards, first), at(rewards, second), value, centering)
          : pointwise_loss(at(rewards, first), value,
                           loss == RewardLoss::bce ? PointwiseKind::bce : PointwiseKind::mse);
  return weighted_sum(losses, weight);
}

}  // namespace

RewardPadding RewardPadding::on(Device device, const RewardData& data, int64_t batch_size,
                                int64_t n_positions) {
  if (device == Device::cpu) return {};
  RewardPadding padding{.examples = batch_size};
  for (const RewardExample& example : data.examples) padding.kinds[size_t(example.loss)] = true;
  const bool pairs = padding.kinds[size_t(RewardLoss::pairwise)];
  padding.sequences = Padding::on(device, pairs ? 2 * batch_size : batch_size, n_positions);
  return padding;
}

std::vector<Tensor> reward_inputs(const RewardData& data, std::span<const int64_t> picked,
                                  int64_t denominator, DType loss_type,
                                  const RewardPadding& padding) {
  std::vector<Tokens> sequences;
  for (const int64_t i : picked) sequences.push_back(data.examples[size_t(i)].first);
  Part parts[3];
  for (size_t place = 0; place < picked.size(); place++) {
    const RewardExample& example = data.examples[size_t(picked[place])];
    const bool pair = example.loss == RewardLoss::pairwise;
    parts[size_t(example.loss)].add(example, int64_t(place), pair ? int64_t(sequences.size()) : -1);
    if (pair) sequences.push_back(example.second);
  }
  const TokenBatch batch = pad_right(sequences, padding.sequences);
  std::vector<Tensor> inputs{batch.token, batch.position, last_rows(sequences, batch)};
  for (const RewardLoss kind : kinds) {
    Part& part = parts[size_t(kind)];
    if (padding.kinds[size_t(kind)]) {
      part.pad(size_t(padding.examples), kind == RewardLoss::pairwise);
    }
    const bool any = !part.value.empty();
    inputs.push_back(as_tensor(part.first));
    inputs.push_back(as_tensor(part.second));
    inputs.push_back(any ? as_tensor(part.value, loss_type) : Tensor{});
    inputs.push_back(any ? as_tensor(part.weight, loss_type, 1.0 / double(denominator)) : Tensor{});
  }
  return inputs;
}

Tensor reward_loss(const ScalarModel& model, const std::vector<Tensor>& inputs, float centering,
                   const StepState* training) {
  const Shape& shape = inputs[0].shape();
  const TokenBatch batch{shape[0], shape[1], inputs[0], inputs[1], {}};
  const Tensor rewards = reward_at_end(model, batch, inputs[2], training);
  Tensor sum;
  for (const RewardLoss kind : kinds) {
    const std::span<const Tensor> part =
        std::span(inputs).subspan(kHead + kOfPart * size_t(kind), kOfPart);
    if (!part[0].defined()) continue;
    const Tensor own = part_loss(rewards, part, kind, centering);
    sum = sum.defined() ? add(sum, own) : own;
  }
  return sum;
}

}  // namespace rlhf
