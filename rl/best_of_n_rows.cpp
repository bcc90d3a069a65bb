#include "rl/best_of_n_rows.h"

#include "rl/answer_rows.h"
#include "rl/group_advantages.h"

namespace rlhf {

BestOfNRows best_of_n_rows(std::span<const RankedResponses> ranked, std::span<const PromptRow> rows,
                           const Tokenizer& tokenizer) {
  using nlohmann::ordered_json;
  BestOfNRows out;
  for (size_t i = 0; i < ranked.size(); i++) {
    const RankedResponses& r = ranked[i];
    const Episode &best = r.responses[r.best], &worst = r.responses[r.worst];
    const std::string chosen = answer_text(tokenizer, best.response);
    const std::string rejected = answer_text(tokenizer, worst.response);
    const ordered_json prompt = prompt_json(rows[i].row);
    const bool tied = r.tied() || chosen == rejected;
    out.tied += tied;
    out.empty += chosen.empty() || rejected.empty();
    if (chosen.empty()) continue;
    out.completions += ordered_json{{"prompt", prompt},
                                    {"completion", answer_json(prompt, chosen)},
                                    {"score", best.score},
                                    {"scores", scores_of(r.responses)}}
                           .dump() +
                       "\n";
    out.completion_count++;
    if (tied || rejected.empty()) continue;
    out.preferences += ordered_json{{"prompt", prompt},
                                    {"chosen", answer_json(prompt, chosen)},
                                    {"rejected", answer_json(prompt, rejected)},
                                    {"score_chosen", best.score},
                                    {"score_rejected", worst.score}}
                           .dump() +
                       "\n";
    out.preference_count++;
  }
  return out;
}

}  // namespace rlhf
