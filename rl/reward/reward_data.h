// Feedback as tokens: what a reward model is trained and measured on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/datasets.h"
#include "data/feedback.h"
#include "data/tokenizer.h"
#include "nn/gpt2.h"

namespace rlhf {

/// What an example teaches: which of two is better, yes or no, or a number.
enum class RewardLoss { pairwise, bce, mse };

struct RewardExample {
  RewardLoss loss = RewardLoss::pairwise;
  Tokens first;       ///< the chosen one of a pair
  Tokens second;      ///< of pairs only
  double value = 0;   ///< a pair's margin, a label within [0, 1], or a score
  double weight = 1;  ///< a factor of its loss in training
  /// Of a score: one over the variance of its noise, a factor of its squared error.
  double precision = 1;
  int32_t source = 0;
};

/// Texts lose their last tokens to max_length, dialogues their oldest exchanges. Pairs that
/// max_length has made equal say nothing and are left out, as is what has weight 0.
struct RewardData {
  std::vector<RewardExample> examples;
  std::vector<std::string> sources = {""};  ///< names, by RewardExample::source
  int64_t truncated = 0;                    ///< texts that max_length cut
  int64_t dropped = 0;                      ///< rows left out
  size_t size() const { return examples.size(); }
};

RewardData encode_preferences(const Tokenizer& tokenizer, std::span<const Preference> rows,
                              int64_t max_length);
/// `loss`: bce or mse.
RewardData encode_labelled(const Tokenizer& tokenizer, std::span<const Labelled> rows,
                           int64_t max_length, RewardLoss loss = RewardLoss::bce);

/// One weight a row. Sources are numbered in the order of their names. `score_precision`: of every
/// score.
RewardData encode_feedback(const Tokenizer& tokenizer, std::span<const Feedback> rows,
                           std::span<const double> weights, int64_t max_length,
                           double score_precision = 1);

/// Scores of one source as rewards: reward = centre + scale (score - mean) / deviation.
struct ScoreMap {
  std::string source;
  int64_t scores = 0;
  double mean = 0, deviation = 1;
};

/// The affine maps that let scores of any range share one scalar with pairs and labels, whose
/// rewards are log-odds. `scale` is what one standard deviation of a source's scores is worth.
/// Nothing about a map is learnt: mean and deviation are those of the training scores, and the
/// centre, which scores alone leave open, is the log-odds of a positive label there.
struct ScoreScale {
  double scale = 0, centre = 0;
  std::vector<ScoreMap> maps;  ///< by source, then that of all together; a deviation of 0 counts
                               ///< as 1

  /// One over the variance of a score's noise as a reward: scale^2, that of one judgement, so that
  /// the loss is half the square of the error in the deviations of scores. 1 without maps.
  double precision() const { return maps.empty() ? 1 : 1 / (scale * scale); }

  /// Replaces the value of every score. A source that training had not goes by all together.
  void apply(std::span<Feedback> rows) const;
};

/// From the training rows. The centre is log((n1 + 1) / (n0 + 1)) of the labels, 0 without any.
ScoreScale fit_score_scale(std::span<const Feedback> train, double scale);

}  // namespace rlhf
