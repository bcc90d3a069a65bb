#include "rl/best_of_n.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "rl/group_advantages.h"

namespace rlhf {
namespace {

Metrics metrics_of(std::span<const RankedResponses> ranked) {
  std::vector<double> scores, best, lengths;
  double tied = 0, stopped = 0;
  for (const RankedResponses& r : ranked) {
    for (const Episode& e : r.responses) {
      scores.push_back(e.score);
      lengths.push_back(double(e.length()));
      stopped += e.stopped;
    }
    best.push_back(r.responses[r.best].score);
    tied += r.tied();
  }
  return {{"reward", mean_of(scores)},
          {"reward_std", deviation_of(scores)},
          {"best_of_n/best_reward", mean_of(best)},
          {"frac_reward_zero_std", tied / double(ranked.size())},
          {"completions/mean_length", mean_of(lengths)},
          {"completions/clipped_ratio", 1 - stopped / double(scores.size())}};
}

}  // namespace

void validate(const BestOfNConfig& config) {
  check_group(config.num_generations, "to choose from");
  validate(config.responses, /*kl_penalty=*/false);
  validate(config.scores, config.responses.length);
}

RankedResponses rank_responses(std::vector<Episode> responses) {
  RankedResponses ranked{.responses = std::move(responses)};
  const std::vector<Episode>& all = ranked.responses;
  for (size_t i = 1; i < all.size(); i++) {
    if (all[i].score > all[ranked.best].score) ranked.best = i;
    if (all[i].score < all[ranked.worst].score) ranked.worst = i;
  }
  return ranked;
}

std::vector<RankedResponses> best_of_n(const Gpt2& policy, std::span<const Tokens> prompts,
                                       const ScoreFunction& score, int32_t eos,
                                       const BestOfNConfig& config, const OnPrompts& on_prompts) {
  check_prompts(prompts, policy.config.n_positions, config.responses.length);
  validate(config);
  const int64_t n = config.num_generations, total = int64_t(prompts.size());
  const int64_t at_a_time = std::max<int64_t>(1, config.per_device_eval_batch_size / n);
  ScoreRules rules(config.scores, config.responses.length);
  std::vector<RankedResponses> ranked;
  for (int64_t first = 0; first < total; first += at_a_time) {
    const int64_t end = std::min(first + at_a_time, total);
    std::vector<Tokens> picked;
    for (int64_t i = first * n; i < end * n; i++) picked.push_back(prompts[size_t(i / n)]);
    std::vector<Episode> episodes = sample_episodes(
        policy, picked, sampling_options(config.responses, eos, config.seed, uint64_t(first * n)),
        config.per_device_eval_batch_size);
    for (size_t i = 0; i < episodes.size(); i++) episodes[i].row = first + int64_t(i) / n;
    end_responses(episodes, config.responses, eos);
    const std::vector<double> scores = score(judged_episodes(episodes, eos));
    for (size_t i = 0; i < episodes.size(); i++) {
      check(std::isfinite(scores[i]), "score", "expected a finite number for prompt {}, got {}",
            episodes[i].row + 1, scores[i]);
      episodes[i].raw_score = scores[i];
    }
    rules.apply(episodes);
    for (auto group = episodes.begin(); group != episodes.end(); group += n) {
      ranked.push_back(
          rank_responses({std::make_move_iterator(group), std::make_move_iterator(group + n)}));
    }
    const auto done = std::span(ranked).subspan(size_t(first));
    if (!on_prompts(end, total, metrics_of(done))) break;
  }
  return ranked;
}

}  // namespace rlhf
