// What a policy did and how it was judged: prompts continued by sampling, and the same tokens seen
// again by a model in training's rectangular form.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "nn/generate.h"

namespace rlhf {

/// A part of a response that one head of a hierarchical policy wrote.
struct Segment {
  int32_t subtask = 0;
  int64_t begin = 0;   ///< its first response token; it ends where the next begins
  float log_prob = 0;  ///< of the sub-task when it was chosen
};

/// One prompt and the response that the policy sampled to it, with everything algorithms know about
/// each response token t.
struct Episode {
  Tokens prompt;
  Tokens response;
  int64_t row = 0;       ///< place of the prompt in the list that was asked
  bool stopped = false;  ///< it reached its end: the last token, unless sampling went on past it
  int64_t judged = -1;   ///< response tokens that the score may read, the end included; -1: all
  bool learnt = true;    ///< false: it counts, but no loss is taken of it
  double raw_score = 0;  ///< as the reward model or function gave it
  double score = 0;      ///< after scaling, clipping and the rules of length and end
  std::vector<float> log_prob;  ///< log pi(a_t | s_t) when it was sampled
  std::vector<float> ref_log_prob;
  std::vector<float> value;   ///< V(s_t)
  std::vector<float> reward;  ///< per-token penalty, and the score on the last token
  std::vector<float> advantage;
  std::vector<float> returns;
  std::vector<Segment> segments;  ///< of a hierarchical policy; none of any other

  int64_t length() const { return int64_t(response.size()); }
  Tokens tokens() const;  ///< prompt and response
  int64_t end_of_segment(size_t segment) const {
    return segment + 1 < segments.size() ? segments[segment + 1].begin : length();
  }
};

/// Judges whole episodes: a reward model, or any function.
using ScoreFunction = std::function<std::vector<double>(std::span<const Episode>)>;

/// Whatever responds to prompts; episodes have `row`, the place among them, and `log_prob`.
using Responder = std::function<std::vector<Episode>(std::span<const Tokens> prompts,
                                                     const SamplingOptions& options)>;

/// Samples a response to each prompt, in batches of `batch_size`.
std::vector<Episode> sample_episodes(const Gpt2& policy, std::span<const Tokens> prompts,
                                     const SamplingOptions& options, int64_t batch_size);

/// Pointers to each, for the functions below.
std::vector<const Episode*> pointers(std::span<const Episode> episodes);

/// One field of every response token of some episodes, one after another.
std::vector<float> flatten(std::span<const Episode* const> episodes,
                           std::vector<float> Episode::*field);
/// The inverse of flatten.
void scatter(std::span<const float> flat, std::span<Episode> episodes,
             std::vector<float> Episode::*field);

/// The same as a tensor (count), zeros behind them: a batch may be padded.
Tensor token_field(std::span<const Episode* const> episodes, std::vector<float> Episode::*field,
                   int64_t count, Device device);

/// Response tokens of all.
int64_t count_tokens(std::span<const Episode* const> episodes);
/// Those of episodes that are learnt from.
int64_t count_learnt_tokens(std::span<const Episode* const> episodes);

/// Episodes as a model reads them, with the place of every response token: `row` of the hidden
/// states predicts `target`, on the device that was asked for. N response tokens in all, episode
/// after episode; padding behind them reads row 0 and has no target (-1).
struct ResponseBatch {
  TokenBatch batch;
  Tensor row;         ///< i32 (N or more)
  Tensor target;      ///< i32 (N or more)
  int64_t count = 0;  ///< N
};
ResponseBatch response_batch(std::span<const Episode* const> episodes, Device device = Device::cpu,
                             const Padding& padding = {});

/// The same on the model's device, padded there to recurring sizes: slices of at most `batch_size`.
ResponseBatch response_batch(std::span<const Episode* const> episodes, const Gpt2& model,
                             int64_t batch_size);
/// The states of `model` before each response token: (N, C), and padding behind.
Tensor response_states(const Gpt2& model, const ResponseBatch& batch);

/// Where response tokens lie among all N: [begin, end), i32, of every `stride`-th episode from
/// `first` on.
struct ResponseSegments {
  Tensor begin, end;
};
ResponseSegments response_segments(std::span<const Episode* const> episodes, Device device,
                                   int64_t first = 0, int64_t stride = 1);

/// Calls f for slices of at most `batch_size` episodes.
void for_each_slice(std::span<const Episode* const> episodes, int64_t batch_size,
                    const std::function<void(std::span<const Episode* const>)>& f);

/// log pi(a_t | s_t) of every response token under `model`, episode after episode.
std::vector<float> response_log_probs(const Gpt2& model, std::span<const Episode* const> episodes,
                                      float temperature, int64_t batch_size);

}  // namespace rlhf
