// From the flags of `rlhf reward` to what it trains on: files read and joined, a share held out,
// every row weighed, scores brought to the scale of the reward.
#pragma once

#include <string>
#include <vector>

#include "apps/flags.h"
#include "data/duplicates.h"
#include "data/feedback.h"
#include "data/feedback_weights.h"
#include "rl/reward/reward_data.h"

namespace rlhf {

struct FeedbackFlags {
  std::string dataset_name, eval_dataset_name;
  std::string loss = "auto", annotator_weighting = "none", source_weights;
  ItemColumns columns;
  double eval_fraction = 0.1;
  /// The standard deviation of the logistic distribution, pi / sqrt(3): then scores spread as far
  /// as the noise of one judgement in the models behind pairs and labels (Train 2009, section 3.1).
  double score_scale = 1.8138;

  void declare(Flags& flags);
};

struct PreparedFeedback {
  std::vector<Feedback> train, eval;
  std::vector<double> weights;  ///< of `train`
  AnnotatorReport annotators;   ///< of `train`
  ScoreScale scale;             ///< without maps when scores are taken as they are
  Duplicates duplicates;        ///< of all rows that were read for training
  int64_t leaked = 0;           ///< rows to evaluate on whose texts are trained on, too
};

/// "a.jsonl,b.jsonl" as two; a name that exists with its comma is one.
std::vector<std::string> split_file_names(const std::string& text);

/// @throws InputError naming file and line of whatever is wrong.
PreparedFeedback prepare_feedback(const FeedbackFlags& flags, uint64_t seed);

/// One line about what was read: kinds, sources, duplicates, contradictions.
std::string feedback_text(const PreparedFeedback& feedback);

}  // namespace rlhf
