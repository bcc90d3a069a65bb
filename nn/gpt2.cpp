#include "nn/gpt2.h"

#include <cmath>

#include "nn/init.h"

namespace rlhf {

Tensor Gpt2::embed(const TokenBatch& batch) const {
  // Batches are made on the host; here they come to where the model is.
  const Tensor token = batch.token.to(device()), position = batch.position.to(device());
  return wte.narrow.defined() ? embedding(token, position, wte.narrow, wpe.weight)
                              : embedding(token, position, wte.weight, wpe.weight);
}

Tensor Gpt2::forward(const TokenBatch& batch, const StepState* training,
                     const std::function<Tensor(const Tensor&, size_t)>& attend) const {
  // Each place that drops has a site of its own: 0 for the embedding, then three a block.
  const auto drop = [training](float probability, uint32_t site) -> Drop {
    if (!training) return [](const Tensor& x) { return x; };
    return [=](const Tensor& x) {
      return dropout(x, probability, {training, RandomStream::dropout, site});
    };
  };
  Residual stream{drop(config.embd_pdrop, 0)(embed(batch))};  // (N, C)
  for (size_t layer = 0; layer < h.size(); layer++) {
    const uint32_t site = uint32_t(1 + 3 * layer);
    const auto block = [=, this](const Residual& in) {
      return h[layer](
          in, [&](const Tensor& qkv) { return attend(qkv, layer); }, drop(config.resid_pdrop, site),
          drop(config.resid_pdrop, site + 1), training);
    };
    if (gradient_checkpointing) {  // then one tensor a block is kept, and not two
      stream = {recompute([=](const Tensor& x) { return block({x}).sum(); }, stream.x)};
    } else {
      stream = block(stream);
    }
  }
  return ln_f(stream);
}

Tensor Gpt2::operator()(const TokenBatch& batch, const StepState* training) const {
  const int64_t B = batch.B, T = batch.T, C = config.n_embd;
  check(T <= config.n_positions, "gpt2", "expected at most {} tokens a row, got {}",
        config.n_positions, T);
  // By value: with recomputation it runs once more, in the backward pass.
  const AttentionSpan span{batch.span.begin.to(device()), batch.span.end.to(device())};
  return forward(batch, training, [=, this](const Tensor& qkv, size_t layer) {
    const RandomSite site{training, RandomStream::dropout, uint32_t(3 + 3 * layer)};
    const float probability = training ? config.attn_pdrop : 0;
    return attention(qkv.reshape({B, T, 3 * C}), config.n_head, span, probability, site)
        .reshape({B * T, C});
  });
}

KvPlaces KvCache::places(int64_t T) const {
  const int64_t B = int64_t(length.size());
  std::vector<int32_t> end(size_t(B * T));
  for (int64_t b = 0; b < B; b++) {
    check(length[b] + T <= capacity, "kv_cache", "expected at most {} tokens, got {}", capacity,
          length[b] + T);
    for (int64_t t = 0; t < T; t++) end[b * T + t] = int32_t(length[b] + t + 1);
  }
  return {Tensor::from(length, {B}), Tensor::from(end, {B, T})};
}

Tensor Gpt2::extend(const TokenBatch& batch, const KvCache& cache) const {
  return extend(batch, cache, {cache.places(batch.T)});
}

Tensor Gpt2::extend(const TokenBatch& batch, const KvCache& cache,
                    std::vector<KvPlaces> places) const {
  for (KvPlaces& at : places) {
    at = {at.length.to(device()), at.end.to(device()), at.row.to(device())};
  }
  return forward(batch, nullptr, [&](const Tensor& qkv, size_t layer) {
    return cached_attention(qkv, config.n_head, cache.layers[layer], places);
  });
}

KvCache Gpt2::make_cache(int64_t B, int64_t capacity) const {
  KvCache cache{{}, std::vector<int32_t>(size_t(B), 0), capacity};
  for (size_t layer = 0; layer < h.size(); layer++) {
    const Shape shape{B, capacity, config.n_embd};
    cache.layers.push_back(
        {Tensor::empty(shape, dtype(), device()), Tensor::empty(shape, dtype(), device())});
  }
  return cache;
}

Tensor Gpt2::logits(const Tensor& hidden) const {
  const Embedding& table = head_table();
  if (table.narrow.defined()) return linear(hidden, table.narrow);
  return linear(hidden, table.weight, {}, /*transposed=*/true);
}

Tensor Gpt2::log_prob(const Tensor& hidden, const Tensor& target, float temperature) const {
  const Embedding& table = head_table();
  if (table.narrow.defined()) return token_log_prob(hidden, table.narrow, target, temperature);
  return token_log_prob(hidden, table.weight, target, temperature).log_prob;
}

const Tensor& Gpt2::head() const {
  const Embedding& table = head_table();
  check(!table.narrow.defined(), "gpt2",
        "expected a head that can be trained, got narrow weights: they give logits and log_prob");
  return table.weight;
}

void Gpt2::untie() {
  if (tied()) lm_head = copy_of(wte);
}

Gpt2 Gpt2::without_head() const {
  Gpt2 alone = *this;
  alone.lm_head = {};
  if (alone.lora) alone.lora->trains_head = false;
  return alone;
}

Gpt2 empty_gpt2(const Gpt2Config& config, DType dtype) {
  config.validate();
  const int64_t C = config.n_embd;
  const auto linear_layer = [&](int64_t in, int64_t out) {
    return Linear{Tensor::empty({in, out}, dtype), Tensor::empty({out}, dtype)};
  };
  const auto norm = [&] {
    return LayerNorm{Tensor::empty({C}, dtype), Tensor::empty({C}, dtype),
                     config.layer_norm_epsilon};
  };
  Gpt2 model{.config = config,
             .wte = {Tensor::empty({config.vocab_size, C}, dtype)},
             .wpe = {Tensor::empty({config.n_positions, C}, dtype)},
             .h = {},
             .ln_f = norm()};
  for (int64_t layer = 0; layer < config.n_layer; layer++) {
    model.h.push_back({norm(),
                       {linear_layer(C, 3 * C), linear_layer(C, C)},
                       norm(),
                       {linear_layer(C, 4 * C), linear_layer(4 * C, C)}});
  }
  return model;
}

Gpt2 make_gpt2(const Gpt2Config& config, uint64_t seed, DType dtype) {
  Gpt2 model = empty_gpt2(config, dtype);
  initialize(model, seed);
  return model;
}

ScoreHead make_score_head(const Gpt2& trunk, uint64_t seed, bool zero) {
  const int64_t C = trunk.config.n_embd;
  const Tensor weight = Tensor::zeros({1, C}, DType::f32);
  if (!zero) fill_normal(weight, 1 / std::sqrt(double(C + 1)), seed, "score.weight");
  return {placed(weight, {trunk.device(), trunk.dtype()})};
}

}  // namespace rlhf
