#include "rl/rollout.h"

#include <algorithm>
#include <limits>

namespace rlhf {

Tokens Episode::tokens() const {
  Tokens all = prompt;
  all.insert(all.end(), response.begin(), response.end());
  return all;
}

std::vector<Episode> sample_episodes(const Gpt2& policy, std::span<const Tokens> prompts,
                                     const SamplingOptions& options, int64_t batch_size) {
  std::vector<Generated> generated = generate_in_batches(policy, prompts, options, batch_size);
  std::vector<Episode> episodes;
  for (size_t i = 0; i < prompts.size(); i++) {
    episodes.push_back({.prompt = prompts[i],
                        .response = std::move(generated[i].tokens),
                        .row = int64_t(i),
                        .stopped = generated[i].stopped,
                        .log_prob = std::move(generated[i].log_probs)});
  }
  return episodes;
}

std::vector<const Episode*> pointers(std::span<const Episode> episodes) {
  std::vector<const Episode*> list;
  for (const Episode& e : episodes) list.push_back(&e);
  return list;
}

std::vector<float> flatten(std::span<const Episode* const> episodes,
                           std::vector<float> Episode::*field) {
  std::vector<float> flat;
  for (const Episode* e : episodes) {
    flat.insert(flat.end(), (e->*field).begin(), (e->*field).end());
  }
  return flat;
}

void scatter(std::span<const float> flat, std::span<Episode> episodes,
             std::vector<float> Episode::*field) {
  auto next = flat.begin();
  for (Episode& e : episodes) {
    (e.*field).assign(next, next + e.length());
    next += e.length();
  }
}

Tensor token_field(std::span<const Episode* const> episodes, std::vector<float> Episode::*field,
                   int64_t count, Device device) {
  std::vector<float> values = flatten(episodes, field);
  values.resize(size_t(count), 0);
  return Tensor::from(values, {count}, device);
}

int64_t count_tokens(std::span<const Episode* const> episodes) {
  int64_t count = 0;
  for (const Episode* e : episodes) count += e->length();
  return count;
}

int64_t count_learnt_tokens(std::span<const Episode* const> episodes) {
  int64_t count = 0;
  for (const Episode* e : episodes) count += e->learnt ? e->length() : 0;
  return count;
}

ResponseBatch response_batch(std::span<const Episode* const> episodes, Device device,
                             const Padding& padding) {
  std::vector<Tokens> sequences;
  for (const Episode* episode : episodes) {
    sequences.push_back(episode->tokens());
    sequences.back().pop_back();  // nothing is predicted from the last token
  }
  ResponseBatch out{.batch = pad_right(sequences, padding)};
  Tokens row, target;
  for (size_t b = 0; b < episodes.size(); b++) {
    const Episode& episode = *episodes[b];
    // The state before response token t ends with the token at prompt.size() + t - 1.
    const int64_t first = int64_t(b) * out.batch.T + int64_t(episode.prompt.size()) - 1;
    for (int64_t t = 0; t < episode.length(); t++) {
      row.push_back(int32_t(first + t));
      target.push_back(episode.response[size_t(t)]);
    }
  }
  out.count = int64_t(row.size());
  // A function of the count alone: two models may read the same responses after other prompts.
  const int64_t padded = padding.length > 0
                             ? recurring_size(out.count, std::numeric_limits<int64_t>::max())
                             : out.count;
  row.resize(size_t(padded), 0);
  target.resize(size_t(padded), -1);
  out.row = Tensor::from(row, {padded}, device);
  out.target = Tensor::from(target, {padded}, device);
  return out;
}

ResponseBatch response_batch(std::span<const Episode* const> episodes, const Gpt2& model,
                             int64_t batch_size) {
  return response_batch(episodes, model.device(),
                        Padding::on(model.device(), batch_size, model.config.n_positions));
}

Tensor response_states(const Gpt2& model, const ResponseBatch& batch) {
  return gather(model(batch.batch), batch.row);
}

ResponseSegments response_segments(std::span<const Episode* const> episodes, Device device,
                                   int64_t first, int64_t stride) {
  Tokens begin, end;
  int64_t at = 0;
  for (int64_t i = 0; i < int64_t(episodes.size()); i++) {
    const int64_t next = at + episodes[size_t(i)]->length();
    if (i >= first && (i - first) % stride == 0) {
      begin.push_back(int32_t(at));
      end.push_back(int32_t(next));
    }
    at = next;
  }
  const int64_t count = int64_t(begin.size());
  return {Tensor::from(begin, {count}, device), Tensor::from(end, {count}, device)};
}

void for_each_slice(std::span<const Episode* const> episodes, int64_t batch_size,
                    const std::function<void(std::span<const Episode* const>)>& f) {
  for (size_t first = 0; first < episodes.size(); first += size_t(batch_size)) {
    f(episodes.subspan(first, std::min(size_t(batch_size), episodes.size() - first)));
  }
}

std::vector<float> response_log_probs(const Gpt2& model, std::span<const Episode* const> episodes,
                                      float temperature, int64_t batch_size) {
  std::vector<float> all;
  for_each_slice(episodes, batch_size, [&](std::span<const Episode* const> slice) {
    const ResponseBatch batch = response_batch(slice, model, batch_size);
    const Tensor hidden = response_states(model, batch);
    const Tensor log_prob = model.log_prob(hidden, batch.target, temperature);
    const std::vector<float> values = log_prob.to_vector<float>();
    all.insert(all.end(), values.begin(), values.begin() + batch.count);
  });
  return all;
}

}  // namespace rlhf
