// What best-of-N sampling bought: the curve of the score against n and against the distance from
// the policy, for the terminal, summary.json and report.html.
#pragma once

#include <span>
#include <vector>

#include "data/tokenizer.h"
#include "rl/best_of_n.h"
#include "rl/best_of_n_estimate.h"
#include "rl/report/report.h"

namespace rlhf {

/// The best of n, over all subsets of the responses sampled.
struct BestOfNPoint {
  int64_t n = 1;
  double kl = 0;  ///< nats a response to the policy, at most
  Estimate score;
  Estimate length;           ///< tokens
  Estimate judge, positive;  ///< what another model says of it, and its share of scores above 0
};

/// One point for each of best_of_n_sizes. `judged`: another model's scores of all responses, in
/// their order; empty: there is none.
std::vector<BestOfNPoint> best_of_n_curve(std::span<const RankedResponses> ranked,
                                          const ByPrompt& judged);

nlohmann::ordered_json curve_json(std::span<const BestOfNPoint> curve, bool judged);
Table curve_table(std::span<const BestOfNPoint> curve, bool judged);
std::vector<Tile> best_of_n_tiles(std::span<const BestOfNPoint> curve, bool judged);

/// The curves, the table, and a few prompts with their best and worst responses.
Section best_of_n_section(std::span<const BestOfNPoint> curve, bool judged,
                          std::span<const RankedResponses> ranked, const Tokenizer& tokenizer);

}  // namespace rlhf
