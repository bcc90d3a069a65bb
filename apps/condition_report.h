// How a policy does when it is asked for each of several things in its prompt, before and after
// training: the comparison of commands that steer by conditions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/policy_run.h"
#include "rl/conditions.h"

namespace rlhf {

class ConditionComparison {
 public:
  /// The run's prompts of the comparison after each condition, answered by the policy as it is now;
  /// without one as well. @throws InputError "[flag] ..." when they leave no room.
  ConditionComparison(PolicyRun& run, std::vector<std::string> conditions, std::string flag);

  /// What the policy reads when it is asked for the best: the last condition.
  const std::vector<Tokens>& asked_for_best() const { return asked_.back(); }

  /// Answers all again, with what the policy has become.
  void answer_again();
  /// The mean over a condition's responses of what `value` makes of their scores.
  using Value = std::function<double(size_t condition, double score)>;
  double before(size_t condition, const Value& value) const;
  double after(size_t condition, const Value& value) const;

  /// score_plain_before, and score_under: the mean after training by condition.
  void summarise(nlohmann::ordered_json& summary) const;
  /// A table with a row a condition, `more` columns behind the common ones.
  struct Column {
    std::string name;
    std::function<std::string(size_t condition)> cell;
  };
  Section section(const std::string& heading, const std::vector<Column>& more = {}) const;

 private:
  std::vector<PolicyEvaluation> answers() const;

  PolicyRun& run_;
  std::vector<std::string> conditions_;
  ConditionedPrompts asked_;
  PolicyEvaluation plain_;
  std::vector<PolicyEvaluation> before_, after_;
};

}  // namespace rlhf
