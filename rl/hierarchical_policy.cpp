#include "rl/hierarchical_policy.h"

#include <algorithm>
#include <cmath>

#include "kernels/philox.h"
#include "nn/init.h"

namespace rlhf {
namespace {

constexpr int64_t kBatch = 64;
// Beside site 0, where tokens are drawn.
constexpr uint32_t kUpperSite = 1;

// A language model of the same trunk with another head: handles of the same memory.
Gpt2 with_head(const Gpt2& trunk, const Embedding& head) {
  Gpt2 model = trunk;
  model.lm_head = head;
  return model;
}

Tensor subtask_logits(const HierarchicalPolicy& policy, const Tensor& hidden) {
  return linear(to_accumulator(hidden), to_accumulator(policy.upper.weight, /*parameter=*/true), {},
                /*transposed=*/true);
}

Tensor on(Device device, const Tokens& values) {
  return Tensor::from(values, {int64_t(values.size())}, device);
}

Tensor rows_of(const Tensor& hidden, const Tokens& rows) {
  return gather(hidden, on(hidden.device(), rows));
}

// The state after the last token of each text: (texts, C).
Tensor last_states(const Gpt2& trunk, std::span<const Tokens> texts) {
  const TokenBatch batch = pad_right(texts);
  Tokens last;
  for (size_t i = 0; i < texts.size(); i++) {
    last.push_back(int32_t(int64_t(i) * batch.T + int64_t(texts[i].size()) - 1));
  }
  return rows_of(trunk(batch), last);
}

int32_t draw(std::span<const float> logits, const PhiloxWords& words) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0, below = 0;
  for (const float x : logits) sum += std::exp(double(x) - most);
  const double u = unit_double(words[0], words[1]) * sum;
  for (size_t k = 0; k + 1 < logits.size(); k++) {
    below += std::exp(double(logits[k]) - most);
    if (u < below) return int32_t(k);
  }
  return int32_t(logits.size() - 1);
}

struct Choice {
  int32_t subtask;
  float log_prob;
};

// A sub-task for each text. `numbers`: of the draws.
std::vector<Choice> choose(const HierarchicalPolicy& policy, std::span<const Tokens> texts,
                           std::span<const uint64_t> numbers, const SamplingOptions& options) {
  std::vector<Choice> choices;
  const size_t K = size_t(policy.subtasks());
  for (size_t first = 0; first < texts.size(); first += size_t(kBatch)) {
    const size_t n = std::min(size_t(kBatch), texts.size() - first);
    const Tensor logits =
        subtask_logits(policy, last_states(policy.trunk(), texts.subspan(first, n)));
    const std::vector<float> host = logits.to_vector<float>();
    Tokens chosen;
    for (size_t i = 0; i < n; i++) {
      const std::span<const float> row(&host[i * K], K);
      chosen.push_back(options.temperature == 0
                           ? int32_t(std::max_element(row.begin(), row.end()) - row.begin())
                           : draw(row, random_words(options.seed, RandomStream::sampling,
                                                    kUpperSite, 0, numbers[first + i])));
    }
    const std::vector<float> log_probs =
        categorical(logits, Tensor::from(chosen, {int64_t(n)}, logits.device()))
            .log_prob.to_vector<float>();
    for (size_t i = 0; i < n; i++) choices.push_back({chosen[i], log_probs[i]});
  }
  return choices;
}

// Which of the response tokens of some episodes a sub-task wrote, as places among them.
Tokens tokens_of_subtask(std::span<const Episode* const> episodes, int32_t subtask) {
  Tokens places;
  int64_t at = 0;
  for (const Episode* e : episodes) {
    for (size_t s = 0; s < e->segments.size(); s++) {
      if (e->segments[s].subtask != subtask) continue;
      for (int64_t t = e->segments[s].begin; t < e->end_of_segment(s); t++) {
        places.push_back(int32_t(at + t));
      }
    }
    at += e->length();
  }
  return places;
}

// What sub-task k's heads say of tokens `target` in states `hidden` (n, C).
ActorCriticOutput lower_output(const HierarchicalPolicy& policy, int32_t subtask,
                               const Tensor& hidden, const Tensor& target, float temperature) {
  const TokenLogProb p = token_log_prob(hidden, policy.lower[size_t(subtask)].weight, target,
                                        temperature, /*with_entropy=*/true);
  return {p.log_prob, p.entropy, policy.lower_value[size_t(subtask)](hidden)};
}

// What a segment of the given episodes is written by and goes on from.
struct Writing {
  std::vector<size_t> episode;
  std::vector<Tokens> text;
  std::vector<uint64_t> number;  // of its draws: of no other segment of the run
};

}  // namespace

HierarchicalPolicy make_hierarchical_policy(LanguageModel base, int64_t subtasks) {
  const Gpt2& trunk = base.transformer;
  const auto value = [&] { return make_score_head(trunk, 0, /*zero=*/true); };
  HierarchicalPolicy policy{
      .base = base,
      .upper = {Tensor::zeros({subtasks, trunk.config.n_embd}, trunk.dtype(), trunk.device())},
      .upper_value = value(),
      .lower = {},
      .lower_value = {}};
  for (int64_t k = 0; k < subtasks; k++) {
    policy.lower.push_back(copy_of(Embedding{trunk.head()}));
    policy.lower_value.push_back(value());
  }
  return policy;
}

std::vector<Episode> respond(const HierarchicalPolicy& policy, std::span<const Tokens> prompts,
                             const SamplingOptions& options, const SegmentShape& shape) {
  const Gpt2& trunk = policy.trunk();
  std::vector<Episode> episodes(prompts.size());
  for (size_t i = 0; i < prompts.size(); i++) {
    const int64_t length = int64_t(prompts[i].size());
    if (length < 1 || length >= trunk.config.n_positions) {
      input_error("prompt", "expected at least one token and fewer than {} positions, got {}",
                  trunk.config.n_positions, length);
    }
    episodes[i].prompt = prompts[i];
    episodes[i].row = int64_t(i);
  }
  for (int64_t segment = 0; segment < shape.segments; segment++) {
    Writing all;
    for (size_t i = 0; i < episodes.size(); i++) {
      const Episode& e = episodes[i];
      Tokens text = e.tokens();
      const bool room = int64_t(text.size()) < trunk.config.n_positions;
      if (e.stopped || !room || e.length() >= options.max_new_tokens) continue;
      all.episode.push_back(i);
      all.text.push_back(std::move(text));
      all.number.push_back(options.number_of(i) * uint64_t(shape.segments) + uint64_t(segment));
    }
    const std::vector<Choice> choices = choose(policy, all.text, all.number, options);
    for (int32_t k = 0; k < policy.subtasks(); k++) {
      Writing own;
      for (size_t j = 0; j < choices.size(); j++) {
        if (choices[j].subtask != k) continue;
        Episode& e = episodes[all.episode[j]];
        e.segments.push_back({k, e.length(), choices[j].log_prob});
        own.episode.push_back(all.episode[j]);
        own.text.push_back(all.text[j]);
        own.number.push_back(all.number[j]);
      }
      SamplingOptions sampling = options;
      // All that are still written are of one length.
      sampling.max_new_tokens =
          std::min(shape.segment_length, options.max_new_tokens - segment * shape.segment_length);
      sampling.sequence_numbers = own.number;
      const auto generated = generate_in_batches(with_head(trunk, policy.lower[size_t(k)]),
                                                 own.text, sampling, kBatch);
      for (size_t j = 0; j < generated.size(); j++) {
        Episode& e = episodes[own.episode[j]];
        const Generated& g = generated[j];
        e.response.insert(e.response.end(), g.tokens.begin(), g.tokens.end());
        e.log_prob.insert(e.log_prob.end(), g.log_probs.begin(), g.log_probs.end());
        e.stopped = g.stopped;
      }
    }
  }
  return episodes;
}

void for_each_subtask(const HierarchicalPolicy& policy, std::span<const Episode* const> episodes,
                      const Tensor& hidden, const Tensor& target, float temperature,
                      const OfSubtask& f) {
  const Tokens written = target.to_vector<int32_t>();
  for (int32_t k = 0; k < policy.subtasks(); k++) {
    const Tokens places = tokens_of_subtask(episodes, k);
    if (places.empty()) continue;
    Tokens own;
    for (const int32_t n : places) own.push_back(written[size_t(n)]);
    f(lower_output(policy, k, rows_of(hidden, places), on(hidden.device(), own), temperature),
      places);
  }
}

ActorCriticOutput upper_output(const HierarchicalPolicy& policy,
                               std::span<const Episode* const> episodes, const Tensor& hidden) {
  Tokens places, chosen;
  int64_t at = 0;
  for (const Episode* e : episodes) {
    for (const Segment& segment : e->segments) {
      places.push_back(int32_t(at + segment.begin));
      chosen.push_back(segment.subtask);
    }
    at += e->length();
  }
  const Tensor before = rows_of(hidden, places);
  const TokenLogProb p = categorical(subtask_logits(policy, before), on(hidden.device(), chosen));
  return {p.log_prob, p.entropy, policy.upper_value(before)};
}

std::vector<float> lower_log_probs(const HierarchicalPolicy& policy,
                                   std::span<const Episode* const> episodes, float temperature,
                                   int64_t batch_size) {
  std::vector<float> all;
  const Gpt2& trunk = policy.trunk();
  for_each_slice(episodes, batch_size, [&](std::span<const Episode* const> slice) {
    const ResponseBatch batch = response_batch(slice, trunk, batch_size);
    std::vector<float> part(size_t(batch.count));
    for_each_subtask(policy, slice, response_states(trunk, batch), batch.target, temperature,
                     [&](const ActorCriticOutput& now, const Tokens& places) {
                       const std::vector<float> log_prob = now.log_prob.to_vector<float>();
                       for (size_t i = 0; i < places.size(); i++) {
                         part[size_t(places[i])] = log_prob[i];
                       }
                     });
    all.insert(all.end(), part.begin(), part.end());
  });
  return all;
}

}  // namespace rlhf
