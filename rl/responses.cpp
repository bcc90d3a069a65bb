#include "rl/responses.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/check.h"

namespace rlhf {
namespace {

int32_t stop_token(const ResponseConfig& config, int32_t eos) {
  return config.stop_token >= 0 ? config.stop_token : eos;
}

// Whether tokens beyond the first stop token are needed.
bool samples_to_the_end(const ResponseConfig& config) {
  return config.sample_past_end || config.truncate_after > 0;
}

}  // namespace

void validate(const ResponseConfig& config, bool kl_penalty) {
  const bool filtered = config.top_k > 0 || config.top_p < 1;
  if (filtered && kl_penalty) {
    input_error(config.top_k > 0 ? "--top_k" : "--top_p",
                "expected no filter beside a KL penalty: responses would not come from the "
                "distribution whose KL is estimated, which then turns negative; got {}",
                config.top_k > 0 ? fmt::to_string(config.top_k) : fmt::to_string(config.top_p));
  }
  if (config.truncate_after >= config.length) {
    input_error("--truncate_after", "expected below the {} tokens of a response, got {}",
                config.length, config.truncate_after);
  }
}

SamplingOptions sampling_options(const ResponseConfig& config, int32_t eos, uint64_t seed,
                                 uint64_t first_episode) {
  SamplingOptions options{.max_new_tokens = config.length,
                          .temperature = config.temperature,
                          .top_k = config.top_k,
                          .top_p = config.top_p,
                          .seed = seed,
                          .first_sequence = first_episode};
  if (!samples_to_the_end(config)) options.stop_tokens = {stop_token(config, eos)};
  return options;
}

void end_responses(std::vector<Episode>& episodes, const ResponseConfig& config, int32_t eos) {
  if (!samples_to_the_end(config)) return;
  for (Episode& e : episodes) {
    const auto from = e.response.begin() + std::min(config.truncate_after, e.length());
    const auto end = std::find(from, e.response.end(), stop_token(config, eos));
    e.stopped = end != e.response.end();
    if (!e.stopped) continue;
    e.judged = end - e.response.begin() + 1;
    if (config.sample_past_end) continue;
    e.response.resize(size_t(e.judged));
    e.log_prob.resize(size_t(e.judged));
  }
}

int64_t judged_length(const Episode& e) { return e.judged < 0 ? e.length() : e.judged; }

std::vector<Episode> judged_episodes(const std::vector<Episode>& episodes, int32_t eos) {
  std::vector<Episode> seen;
  for (const Episode& e : episodes) {
    Episode& copy = seen.emplace_back();
    copy.prompt = e.prompt;
    copy.response.assign(e.response.begin(), e.response.begin() + judged_length(e));
    copy.row = e.row;
    copy.stopped = !copy.response.empty() && copy.response.back() == eos;
  }
  return seen;
}

int64_t least_positions(std::initializer_list<const Gpt2*> readers) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Gpt2* reader : readers) {
    if (reader) least = std::min(least, reader->config.n_positions);
  }
  return least;
}

void check_prompts(std::span<const Tokens> prompts, int64_t n_positions, int64_t response_length) {
  if (prompts.empty()) input_error("prompts", "expected at least one, got none");
  for (size_t i = 0; i < prompts.size(); i++) {
    const int64_t length = int64_t(prompts[i].size());
    const int64_t room = n_positions - 1 - length;  // the end token takes one position
    if (length < 1 || response_length > room) {
      input_error("prompts",
                  "expected prompt {} to leave {} of {} positions for the response and its end, "
                  "got {} tokens",
                  i + 1, response_length, n_positions, length);
    }
  }
}

}  // namespace rlhf
