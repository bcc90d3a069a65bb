#include "serve/engine/step.h"

#include <utility>
#include <vector>

namespace rlhf::engine {
namespace {

// Parts of one length: B sequences of T tokens.
void append_places(std::vector<Tensor>& inputs, std::span<const Part> parts) {
  const int64_t B = int64_t(parts.size()), T = parts[0].count;
  Tokens length, end, row;
  for (const Part& part : parts) {
    length.push_back(int32_t(part.request->filled));
    row.push_back(int32_t(part.request->slot));
    for (int64_t t = 1; t <= T; t++) end.push_back(int32_t(part.request->filled + t));
  }
  inputs.push_back(Tensor::from(length, {B}));
  inputs.push_back(Tensor::from(end, {B, T}));
  inputs.push_back(Tensor::from(row, {B}));
}

// Tokens, positions and the rows whose logits are wanted (undefined: none), then three tensors for
// each length of parts.
std::vector<Tensor> inputs_of(std::span<const Part> parts) {
  Tokens token, position, last;
  for (const Part& part : parts) {
    for (int64_t at = part.request->filled; at < part.request->filled + part.count; at++) {
      token.push_back(part.request->token(at));
      position.push_back(int32_t(at));
    }
    if (part.speaks()) last.push_back(int32_t(token.size()) - 1);
  }
  const int64_t N = int64_t(token.size()), S = int64_t(last.size());
  std::vector<Tensor> inputs{Tensor::from(token, {1, N}), Tensor::from(position, {1, N}),
                             S > 0 ? Tensor::from(last, {S}) : Tensor{}};
  for (size_t first = 0, behind = 0; first < parts.size(); first = behind) {
    while (behind < parts.size() && parts[behind].count == parts[first].count) behind++;
    append_places(inputs, parts.subspan(first, behind - first));
  }
  return inputs;
}

}  // namespace

StepStates read_parts(const Gpt2& model, const KvCache& cache, Recorder& recorder,
                      std::span<const Part> parts) {
  const auto compute = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    std::vector<KvPlaces> places;
    for (size_t i = 3; i < in.size(); i += 3) places.push_back({in[i], in[i + 1], in[i + 2]});
    const TokenBatch batch{1, in[0].count(), in[0], in[1], {}};
    const Tensor hidden = model.extend(batch, cache, std::move(places));
    if (!in[2].defined()) return {hidden, {}};
    return {hidden, model.logits(gather(hidden, in[2].to(model.device())))};
  };
  const std::vector<Tensor> inputs = inputs_of(parts);
  const bool recurs = parts.back().count == 1;
  const std::vector<Tensor> out = recurs ? recorder(compute, inputs) : compute(inputs);
  return {out[0], out[1]};
}

}  // namespace rlhf::engine
