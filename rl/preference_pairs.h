// What the objectives over pairs of a dataset share (DPO, ORPO, SimPO): which pairs a step has.
#pragma once

#include "rl/pair_metrics.h"
#include "rl/preference_log_probs.h"
#include "rl/preference_training.h"

namespace rlhf {

class PairObjective : public PreferenceObjective {
 public:
  /// `whole_texts`: the language-model loss is over prompts as well, as ORPO's.
  explicit PairObjective(const PreferenceData& data, bool whole_texts = false)
      : data_(data), whole_texts_(whole_texts) {}

  int64_t size() const override { return data_.size(); }

  void begin(std::span<const int64_t> step) override {
    step_pairs_ = int64_t(step.size());
    step_tokens_ = 0;
    for (const int64_t i : step) {
      const Example& chosen = data_.rows[size_t(i)].chosen;
      step_tokens_ += whole_texts_ ? int64_t(chosen.tokens.size()) - 1 : chosen.targets();
    }
  }

 protected:
  std::vector<const PreferencePair*> pairs(std::span<const int64_t> picked) const {
    std::vector<const PreferencePair*> out;
    for (const int64_t i : picked) out.push_back(&data_.rows[size_t(i)]);
    return out;
  }

  /// Of the whole step: its pairs, and the tokens of their chosen sides that are learnt.
  double step_pairs() const { return double(step_pairs_); }
  int64_t step_tokens() const { return step_tokens_; }

  /// `nll`: what the `tokens` of a micro-batch add to the step's mean a token.
  void note_nll(const Tensor& nll, int64_t tokens, MetricMeans& seen) const {
    const double weight = double(tokens);
    seen.add("nll_loss", nll.item() * double(step_tokens_) / weight, weight);
  }

 private:
  const PreferenceData& data_;
  bool whole_texts_;
  int64_t step_pairs_ = 0, step_tokens_ = 0;
};

}  // namespace rlhf
