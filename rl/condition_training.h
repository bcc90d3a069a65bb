// Likelihood of judged responses under the conditions that they fulfil: the optimizer steps and the
// report that algorithms share which learn by telling the model in the prompt how good a response
// is. What else their losses hold, each adds in its own file.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/ops.h"
#include "rl/alarms.h"
#include "rl/minibatch_trainer.h"
#include "rl/policy_loop.h"
#include "rl/response_pool.h"
#include "rl/rollout_summary.h"

namespace rlhf {

/// What a model says of response tokens, episode after episode and padding behind.
struct ReadResponses {
  Tensor hidden;      ///< (N, C): response_states
  TokenLogProb seen;  ///< (N)
  int64_t count = 0;  ///< N
};
ReadResponses read_responses(const Gpt2& model, std::span<const Episode> episodes,
                             float temperature, int64_t batch_size);

/// Responses as a model reads them, each after the prompt that `prompt_of` names.
std::vector<Episode> episodes_after(
    ResponseSlice slice, const std::function<const Tokens&(const JudgedResponse&)>& prompt_of);

/// scale / whole times the sum of the first `count` values of x, behind which is padding: with
/// what the whole optimizer step has (tokens, or responses), slices add up to its mean. (1)
Tensor share_of_mean(const Tensor& x, int64_t count, int64_t whole, double scale = 1);

/// Adds the mean of x over the first `count` tokens to what is reported.
void add_mean(MetricMeans& terms, const std::string& name, const Tensor& x, int64_t count,
              double scale = 1);

class ConditionTraining {
 public:
  /// The loss of a slice of what an optimizer step holds (`all`): (1), divided by what the whole
  /// step holds, so that slices add up to it. It adds to `terms` what it is made of.
  using Loss = std::function<Tensor(ResponseSlice slice, ResponseSlice all, const StepSize& whole,
                                    MetricMeans& terms)>;

  /// `policy` and `config` must outlive this. `terms`: names of what the loss is made of.
  ConditionTraining(LanguageModel& policy, const PolicyConfig& config,
                    std::vector<std::string> terms, Loss loss);

  /// config.num_iterations passes, each over as many of the responses as an update samples.
  void learn(std::span<const JudgedResponse> responses, int64_t update);

  /// Of the last update: loss, its terms, gradient norm, rate; rewards and completions of the
  /// episodes that were sampled.
  UpdateReport report(std::span<const Episode> episodes);

  void archive(StateArchive& a) { trainer_.archive(a); }

 private:
  Loss loss_;
  MinibatchTrainer trainer_;
  StepSums sums_;  // of the last update
};

}  // namespace rlhf
