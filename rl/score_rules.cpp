#include "rl/score_rules.h"

#include <algorithm>

#include "core/check.h"
#include "rl/responses.h"

namespace rlhf {

void validate(const ScoreRulesConfig& config, int64_t response_length) {
  if (config.overlong_buffer > response_length) {
    input_error("--overlong_buffer", "expected at most the {} tokens of a response, got {}",
                response_length, config.overlong_buffer);
  }
}

// What a response loses for its length: a price a token, and the soft overlong punishment of DAPO
// (Yu et al. 2025, equation 13): 0 up to the buffer, then falling linearly to -overlong_penalty.
double ScoreRules::length_cost(int64_t length) const {
  double cost = config_.length_penalty * double(length);
  const int64_t into_buffer = length - (response_length_ - config_.overlong_buffer);
  if (config_.overlong_buffer > 0 && into_buffer > 0) {
    cost += config_.overlong_penalty * double(into_buffer) / double(config_.overlong_buffer);
  }
  return cost;
}

void ScoreRules::apply(std::vector<Episode>& episodes) {
  double mean = 0, scale = 1;
  if (config_.scaling != ScoreScaling::none) {
    std::vector<double> raw;
    for (const Episode& e : episodes) raw.push_back(e.raw_score);
    seen_.add(raw);
    if (seen_.deviation() > 0) scale = seen_.deviation();
    if (config_.scaling == ScoreScaling::mean_and_deviation) mean = seen_.mean();
  }
  for (Episode& e : episodes) {
    e.score = (e.raw_score - mean) / scale;
    if (config_.clip > 0) e.score = std::clamp(e.score, -config_.clip, config_.clip);
    if (!e.stopped && config_.missing_eos == MissingEos::replace) {
      e.score = -config_.missing_eos_penalty;
    } else if (!e.stopped && config_.missing_eos == MissingEos::subtract) {
      e.score -= config_.missing_eos_penalty;
    }
    e.score -= length_cost(judged_length(e));
  }
}

}  // namespace rlhf
