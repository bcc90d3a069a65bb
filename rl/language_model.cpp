#include "rl/language_model.h"

#include <algorithm>

namespace rlhf {
namespace {

// The row that holds token t of an example predicts token t + 1.
void set_targets(const Example& example, int32_t* row, int64_t& count) {
  for (size_t t = 0; t + 1 < example.tokens.size(); t++) {
    if (!example.learn[t + 1]) continue;
    row[t] = example.tokens[t + 1];
    count++;
  }
}

// What the model reads: all tokens but the last, which is a target only.
std::vector<Tokens> inputs(std::span<const Example> examples) {
  std::vector<Tokens> lists;
  for (const Example& example : examples) {
    lists.emplace_back(example.tokens.begin(), example.tokens.end() - 1);
  }
  return lists;
}

}  // namespace

int64_t Example::targets() const {
  return learn.empty() ? 0 : std::count(learn.begin() + 1, learn.end(), 1);
}

TargetBatch pad_examples(std::span<const Example> examples, const Padding& padding) {
  TargetBatch out{pad_right(inputs(examples), padding), {}, 0};
  Tokens target(size_t(out.batch.B * out.batch.T), -1);
  for (size_t b = 0; b < examples.size(); b++) {
    set_targets(examples[b], &target[b * size_t(out.batch.T)], out.targets);
  }
  out.target = Tensor::from(target, {out.batch.B * out.batch.T});
  return out;
}

TargetBatch pack_examples(std::span<const Example> examples, int64_t row_length,
                          const Padding& padding) {
  const std::vector<Tokens> lists = inputs(examples);
  const std::vector<PackedPlace> places = pack_places(lists, row_length);
  TargetBatch out{pack(lists, places, row_length, padding), {}, 0};
  Tokens target(size_t(out.batch.B * out.batch.T), -1);
  for (size_t e = 0; e < examples.size(); e++) {
    set_targets(examples[e], &target[size_t(places[e].row * row_length + places[e].begin)],
                out.targets);
  }
  out.target = Tensor::from(target, {out.batch.B * out.batch.T});
  return out;
}

std::vector<Tensor> loss_inputs(const TargetBatch& batch, int64_t denominator, DType loss_type) {
  const Tensor weight = dispatch_accumulator(loss_type, [&](auto t) {
    using T = decltype(t);
    const int64_t rows = batch.target.count();
    return Tensor::from(std::vector<T>(size_t(rows), T(-1.0 / double(denominator))), {rows});
  });
  const TokenBatch& b = batch.batch;
  return {b.token, b.position, b.span.begin, b.span.end, batch.target, weight};
}

Tensor language_model_loss(const Gpt2& model, const std::vector<Tensor>& inputs,
                           const StepState* training) {
  const Shape& shape = inputs[0].shape();
  const TokenBatch batch{shape[0], shape[1], inputs[0], inputs[1], {inputs[2], inputs[3]}};
  const Tensor hidden = model(batch, training);
  const Device device = model.device();
  const Tensor log_prob = token_log_prob(hidden, model.head(), inputs[4].to(device)).log_prob;
  return weighted_sum(log_prob, inputs[5].to(device));
}

Tensor language_model_loss(const Gpt2& model, const TargetBatch& batch, int64_t denominator,
                           const StepState* training) {
  return language_model_loss(model, loss_inputs(batch, denominator, accumulator_of(model.dtype())),
                             training);
}

Likelihood evaluate_likelihood(const Gpt2& model, std::span<const Example> examples,
                               int64_t batch_size) {
  Likelihood total;
  for (size_t first = 0; first < examples.size(); first += size_t(batch_size)) {
    const size_t n = std::min(size_t(batch_size), examples.size() - first);
    const TargetBatch batch = pad_examples(examples.subspan(first, n));
    const Tensor hidden = model(batch.batch);
    const Tensor log_prob = model.log_prob(hidden, batch.target.to(model.device()));
    dispatch_accumulator(log_prob.dtype(), [&](auto t) {
      for (const auto value : log_prob.to_vector<decltype(t)>()) total.nll -= double(value);
    });
    total.targets += batch.targets;
  }
  return total;
}

std::vector<Example> windows(std::span<const int32_t> stream, int64_t block_size) {
  std::vector<Example> out;
  for (size_t first = 0; first + 1 < stream.size(); first += size_t(block_size)) {
    const size_t n = std::min(size_t(block_size) + 1, stream.size() - first);
    const auto part = stream.subspan(first, n);
    out.push_back({Tokens(part.begin(), part.end()), std::vector<char>(n, 1)});
  }
  return out;
}

}  // namespace rlhf
