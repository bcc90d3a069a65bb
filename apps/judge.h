// A model that training never sees and that judges what came of it. Its tokenizer is its own: it
// reads texts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rl/model/model_folder.h"
#include "rl/policy_evaluation.h"

namespace rlhf {

/// Completions of prompts as the judge reads them. REQUIRES: as many of both.
std::vector<Tokens> encode_for_judge(const LoadedScalarModel& judge,
                                     std::span<const std::string> prompts,
                                     std::span<const std::string> completions);

/// The share of a policy's texts that a classifier calls positive.
double positive_share(const LoadedScalarModel& judge, const PolicyEvaluation& evaluation);

}  // namespace rlhf
