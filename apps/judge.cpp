#include "apps/judge.h"

#include "rl/reward/reward.h"

namespace rlhf {

std::vector<Tokens> encode_for_judge(const LoadedScalarModel& judge,
                                     std::span<const std::string> prompts,
                                     std::span<const std::string> completions) {
  std::vector<Tokens> texts;
  for (size_t i = 0; i < prompts.size(); i++) {
    texts.push_back(encode_for_reward(*judge.tokenizer, prompts[i], completions[i],
                                      judge.model.transformer.config.n_positions));
  }
  return texts;
}

double positive_share(const LoadedScalarModel& judge, const PolicyEvaluation& evaluation) {
  const std::vector<Tokens> texts =
      encode_for_judge(judge, evaluation.prompts, evaluation.responses);
  double positive = 0;
  for (const double reward : head_scores(judge.model, texts)) positive += reward > 0;
  return texts.empty() ? 0 : positive / double(texts.size());
}

}  // namespace rlhf
