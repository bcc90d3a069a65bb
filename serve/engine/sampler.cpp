#include "serve/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "core/ops.h"
#include "kernels/log_prob.h"
#include "kernels/run.h"
#include "kernels/sample.h"

namespace rlhf::engine {
namespace {

bool adjusts(const Job& job) {
  return job.presence_penalty != 0 || job.frequency_penalty != 0 || !job.logit_bias.empty();
}

void adjust(std::span<float> logits, const SampledRow& row) {
  for (const auto& [token, bias] : row.job.logit_bias) logits[size_t(token)] += bias;
  std::map<int32_t, int64_t> counts;
  for (const int32_t token : row.generated) counts[token]++;
  for (const auto& [token, count] : counts) {
    logits[size_t(token)] -= row.job.presence_penalty + row.job.frequency_penalty * float(count);
  }
}

// The `count` largest logits, as log-probabilities: what is chosen tells the distance of both.
std::vector<std::pair<int32_t, float>> most_probable(std::span<const float> logits, int count,
                                                     float inverse_temperature,
                                                     const ScoredToken& chosen) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto middle = order.begin() + std::min(int64_t(count), int64_t(order.size()));
  std::partial_sort(order.begin(), middle, order.end(), [&](int32_t a, int32_t b) {
    return logits[size_t(a)] != logits[size_t(b)] ? logits[size_t(a)] > logits[size_t(b)] : a < b;
  });
  std::vector<std::pair<int32_t, float>> top;
  for (auto at = order.begin(); at != middle; at++) {
    const float distance = logits[size_t(*at)] - logits[size_t(chosen.token)];
    top.emplace_back(*at,
                     chosen.log_prob + (*at == chosen.token ? 0 : distance * inverse_temperature));
  }
  return top;
}

// The logits that a choice is made from, of row n.
std::span<const float> candidates(const Gpt2Config& config, const Tensor& logits, size_t n) {
  const int64_t V = logits.shape()[1];
  return {logits.data<float>() + int64_t(n) * V,
          size_t(config.sampled_ids > 0 ? config.sampled_ids : V)};
}

// What sample() divides a row's logits by (kernels/sample.h: where that would leave nothing but the
// largest, it is not divided by).
float inverse_temperature(std::span<const float> logits, float temperature) {
  if (temperature == 0) return 1;
  const float inverse = 1 / temperature, largest = *std::max_element(logits.begin(), logits.end());
  return std::abs(largest * inverse) < 1 / std::numeric_limits<float>::epsilon() ? inverse : 1;
}

// The options that rows must share to be sampled together.
auto filters(const Job& job) {
  const SamplingOptions& s = job.sampling;
  return std::tuple(s.temperature, s.top_k, s.top_p, s.min_p, s.repetition_penalty);
}

uint64_t number_of_draw(const SampledRow& row) {
  return row.job.sampling.first_sequence << 24 | row.generated.size();  // as generate() counts
}

Tensor records(const std::vector<uint64_t>& values, Device device) {
  const auto* const words = reinterpret_cast<const int32_t*>(values.data());
  return Tensor::from(std::span(words, 2 * values.size()), {int64_t(2 * values.size())}, device);
}

const uint64_t* as_records(const Tensor& tensor) {
  return reinterpret_cast<const uint64_t*>(tensor.data<int32_t>());
}

// Samples rows of equal filters; results go to the places that `which` names.
void sample_group(const Gpt2Config& config, const Tensor& logits, std::span<const SampledRow> rows,
                  const Tokens& which, std::vector<ScoredToken>& out) {
  const Device device = logits.device();
  const int64_t N = int64_t(which.size()), V = logits.shape()[1];
  const bool all = which.size() == rows.size();
  const Tensor own = all ? logits : gather(logits, Tensor::from(which, {N}, device));
  const SamplingOptions& options = rows[size_t(which[0])].job.sampling;
  std::vector<uint64_t> draw, seed;
  Tokens length;
  size_t longest = 0;
  for (const int32_t n : which) {
    const SampledRow& row = rows[size_t(n)];
    draw.push_back(number_of_draw(row));
    seed.push_back(row.job.sampling.seed);
    longest = std::max(longest, row.job.prompt.size() + row.generated.size());
  }
  Tensor history, history_length;
  if (options.repetition_penalty != 1) {
    Tokens tokens(size_t(N) * longest);
    for (size_t i = 0; i < which.size(); i++) {
      const SampledRow& row = rows[size_t(which[i])];
      const auto begin = tokens.begin() + int64_t(i * longest);
      const auto middle = std::copy(row.job.prompt.begin(), row.job.prompt.end(), begin);
      length.push_back(
          int32_t(std::copy(row.generated.begin(), row.generated.end(), middle) - begin));
    }
    history = Tensor::from(tokens, {N, int64_t(longest)}, device);
    history_length = Tensor::from(length, {N}, device);
  }
  const Tensor draws = records(draw, device), seeds = records(seed, device);
  const Tensor token = Tensor::empty({N}, DType::i32, device);
  const Tensor log_prob = Tensor::empty({N}, DType::f32, device);
  run(device, Sample<float>{.token = token.data<int32_t>(),
                            .log_prob = log_prob.data<float>(),
                            .logits = own.data<float>(),
                            .N = N,
                            .V = V,
                            .candidates = config.sampled_ids,
                            .temperature = options.temperature,
                            .top_k = options.top_k,
                            .top_p = options.top_p,
                            .min_p = options.min_p,
                            .repetition_penalty = options.repetition_penalty,
                            .history = history.data<int32_t>(),
                            .history_length = history_length.data<int32_t>(),
                            .history_stride = int64_t(longest),
                            .draw = as_records(draws),
                            .seed = 0,
                            .row_seed = as_records(seeds)});
  const std::vector<int32_t> tokens = token.to_vector<int32_t>();
  const std::vector<float> log_probs = log_prob.to_vector<float>();
  for (size_t i = 0; i < which.size(); i++) {
    out[size_t(which[i])] = {tokens[i], log_probs[i], {}};
  }
}

}  // namespace

std::vector<ScoredToken> sample(const Gpt2Config& config, Tensor logits,
                                std::span<const SampledRow> rows) {
  logits = to_accumulator(logits);
  const Device device = logits.device();
  const bool adjusted =
      std::any_of(rows.begin(), rows.end(), [](const SampledRow& r) { return adjusts(r.job); });
  const bool read = adjusted || std::any_of(rows.begin(), rows.end(), [](const SampledRow& r) {
                      return r.job.top_log_probs >= 0;
                    });
  const Tensor host = read ? logits.to(Device::cpu) : Tensor{};
  if (adjusted) {
    const size_t V = size_t(logits.shape()[1]);
    for (size_t n = 0; n < rows.size(); n++) {
      if (adjusts(rows[n].job)) adjust({host.data<float>() + n * V, V}, rows[n]);
    }
    logits = host.to(device);
  }
  std::map<decltype(filters(rows[0].job)), Tokens> groups;
  for (size_t n = 0; n < rows.size(); n++) groups[filters(rows[n].job)].push_back(int32_t(n));
  std::vector<ScoredToken> out(rows.size());
  for (const auto& [filter, which] : groups) sample_group(config, logits, rows, which, out);
  for (size_t n = 0; n < rows.size(); n++) {
    const Job& job = rows[n].job;
    if (job.top_log_probs < 0 || std::isnan(out[n].log_prob)) continue;
    const auto choices = candidates(config, host, n);
    out[n].top = most_probable(choices, job.top_log_probs,
                               inverse_temperature(choices, job.sampling.temperature), out[n]);
  }
  return out;
}

std::vector<ScoredToken> score(const Gpt2Config& config, const Tensor& logits,
                               std::span<const int32_t> targets, int top_log_probs) {
  const Device device = logits.device();
  const Tensor exact = to_accumulator(logits);
  const int64_t N = int64_t(targets.size()), V = exact.shape()[1];
  const Tensor target = Tensor::from(targets, {N}, device);
  const Tensor log_prob = Tensor::empty({N}, DType::f32, device);
  const Tensor lse = Tensor::empty({N}, DType::f32, device);
  run(device, LogProbForward<float>{.log_prob = log_prob.data<float>(),
                                    .entropy = nullptr,
                                    .lse = lse.data<float>(),
                                    .logits = exact.data<float>(),
                                    .target = target.data<int32_t>(),
                                    .N = N,
                                    .V = V});
  const std::vector<float> log_probs = log_prob.to_vector<float>();
  const Tensor host = top_log_probs >= 0 ? exact.to(Device::cpu) : Tensor{};
  std::vector<ScoredToken> out;
  for (size_t n = 0; n < targets.size(); n++) {
    out.push_back({targets[n], log_probs[n], {}});
    check(!std::isnan(log_probs[n]), "engine",
          "expected finite logits, got NaN: the model's parameters are not finite");
    if (top_log_probs < 0) continue;
    out.back().top = most_probable(candidates(config, host, n), top_log_probs, 1, out.back());
  }
  return out;
}

}  // namespace rlhf::engine
