#include "rl/ppo_scores.h"

#include <algorithm>

namespace rlhf {
namespace {

int32_t stop_token(const PpoConfig& config, int32_t eos) {
  return config.stop_token >= 0 ? config.stop_token : eos;
}

// Whether tokens beyond the first stop token are needed.
bool samples_to_the_end(const PpoConfig& config) {
  return config.sample_past_end || config.truncate_after > 0;
}

// What a response loses for its length: a price a token, and the soft overlong punishment of DAPO
// (Yu et al. 2025, equation 13): 0 up to the buffer, then falling linearly to -overlong_penalty.
double length_cost(const PpoConfig& config, int64_t length) {
  double cost = config.length_penalty * double(length);
  const int64_t into_buffer = length - (config.response_length - config.overlong_buffer);
  if (config.overlong_buffer > 0 && into_buffer > 0) {
    cost += config.overlong_penalty * double(into_buffer) / double(config.overlong_buffer);
  }
  return cost;
}

int64_t judged_length(const Episode& e) { return e.judged < 0 ? e.length() : e.judged; }

}  // namespace

SamplingOptions sampling_options(const PpoConfig& config, int32_t eos, uint64_t first_episode) {
  SamplingOptions options{.max_new_tokens = config.response_length,
                          .temperature = config.temperature,
                          .top_k = config.top_k,
                          .top_p = config.top_p,
                          .seed = config.training.seed,
                          .first_sequence = first_episode};
  if (!samples_to_the_end(config)) options.stop_tokens = {stop_token(config, eos)};
  return options;
}

void end_responses(std::vector<Episode>& episodes, const PpoConfig& config, int32_t eos) {
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

void ScoreRules::apply(std::vector<Episode>& episodes) {
  double mean = 0, scale = 1;
  if (config_.score_scaling != ScoreScaling::none) {
    std::vector<double> raw;
    for (const Episode& e : episodes) raw.push_back(e.raw_score);
    seen_.add(raw);
    if (seen_.deviation() > 0) scale = seen_.deviation();
    if (config_.score_scaling == ScoreScaling::mean_and_deviation) mean = seen_.mean();
  }
  for (Episode& e : episodes) {
    e.score = (e.raw_score - mean) / scale;
    if (config_.score_clip > 0) {
      e.score = std::clamp(e.score, -config_.score_clip, config_.score_clip);
    }
    if (!e.stopped && config_.missing_eos == MissingEos::replace) {
      e.score = -config_.missing_eos_penalty;
    } else if (!e.stopped && config_.missing_eos == MissingEos::subtract) {
      e.score -= config_.missing_eos_penalty;
    }
    e.score -= length_cost(config_, judged_length(e));
  }
}

}  // namespace rlhf
