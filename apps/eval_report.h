// What `rlhf eval --output_dir` leaves: the figures of an evaluation as a page, with what they were
// computed from where that says more than a number.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/datasets.h"
#include "rl/report/report.h"

namespace rlhf {

struct Evaluation {
  nlohmann::ordered_json figures;  ///< `task` first
  Section evidence = {};
};

/// Prompts, the reference of each, and what the model made of it: the first few.
Section generation_evidence(std::span<const PromptCompletion> rows,
                            std::span<const std::string> hypotheses);

/// Whether rewards as logits mean what they say as probabilities, and the texts on which the model
/// was most sure and wrong.
Section label_evidence(std::span<const double> rewards, std::span<const Labelled> rows);

/// The page. `introduction` says of what and on what.
Report evaluation_report(const Evaluation& evaluation, const std::string& introduction);

}  // namespace rlhf
