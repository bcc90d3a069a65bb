// The first half of an update, the same for every online algorithm: the next prompts, a group of
// responses to each, their scores, and their log-probabilities under the policy and the reference.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "rl/batches.h"
#include "rl/policy_config.h"
#include "rl/rollout_summary.h"

namespace rlhf {

class PolicyRollout {
 public:
  /// log pi(a_t | s_t) of every response token, episode after episode.
  using LogProbs = std::function<std::vector<float>(std::span<const Episode* const> episodes)>;

  /// All must outlive this. Prompts are used in an order drawn anew each epoch.
  PolicyRollout(const Gpt2& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                const ScoreFunction& score, int32_t eos, const PolicyConfig& config);
  /// The same for a policy that is more than one language model: it responds, and reads again.
  PolicyRollout(Responder respond, LogProbs log_probs, const Gpt2& reference,
                std::span<const Tokens> prompts, const ScoreFunction& score, int32_t eos,
                const PolicyConfig& config);

  /// What the policy reads in place of a prompt, such as the prompt under a condition, by the
  /// number of the episode and the prompt's row.
  using Asked = std::function<const Tokens&(int64_t episode, int64_t row)>;

  /// The next `count` episodes, groups of config.num_generations side by side, with `raw_score`,
  /// `score`, `log_prob` and `ref_log_prob`. REQUIRES: whole groups.
  /// With `asked`, the policy answers that and `log_prob` is given that; episodes hold the prompt
  /// itself, which is what is judged and what the reference reads.
  std::vector<Episode> sample(int64_t count, const Asked& asked = {});

  /// Episodes so far: what prompts and random numbers of the next are a function of.
  int64_t sampled() const { return sampled_; }
  double generation_seconds() const { return generation_seconds_; }
  /// On a GPU: how far sampling and reading again were apart in the last call.
  void add_metrics(Metrics& metrics) const {
    if (difference_) difference_->add_to(metrics);
  }

  void archive(StateArchive& a);

 private:
  void see_again(std::vector<Episode>& episodes);

  Responder respond_;
  LogProbs log_probs_;
  const Gpt2& reference_;
  std::span<const Tokens> prompts_;
  const ScoreFunction& score_;
  int32_t eos_;
  const PolicyConfig& config_;
  BatchOrder order_;
  ScoreRules rules_;
  int64_t sampled_ = 0;
  double generation_seconds_ = 0;
  std::optional<SamplingDifference> difference_;
};

}  // namespace rlhf
