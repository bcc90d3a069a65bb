// `rlhf eval --task policy`: what alignment has done to a language model. It answers prompts by
// sampling, and whoever is named judges the answers: outside of training, so that models that were
// trained in different ways can be compared by the same figures.
#pragma once

#include <string>
#include <vector>

#include "apps/eval_report.h"
#include "apps/flags.h"
#include "nn/generate.h"
#include "rl/model/model_folder.h"
#include "rl/rollout.h"

namespace rlhf {

struct PolicyEvaluationFlags {
  std::string ref_model, reward_model_path, judge_model_path, condition;
  std::vector<std::string> reward_funcs;
  double reward_timeout = 60;
  bool judge_completions = false;

  void declare(Flags& flags);
};

/// Samples an answer to each prompt of a file, or takes the file's own (--judge_completions).
/// Figures: distinct_2, repetition, mean_length (tokens), stopped (share with an end token); of
/// each judge its mean (`rewards/<name>/mean`) and deviation; judge_positive of --judge_model_path;
/// of sampled answers and with a reference kl (nats an answer). With --condition the KL is that of
/// the policy under it to the reference without.
/// @throws InputError for models of other tokenizers, prompts without room for an answer, and
/// greedy sampling, which has no KL. `respond`: how the policy answers, `policy` or what is more.
Evaluation evaluate_answers(const PolicyEvaluationFlags& flags, const Responder& respond,
                            const LoadedLanguageModel& policy, const std::string& dataset_name,
                            const SamplingOptions& sampling, const Placement& placement);

}  // namespace rlhf
