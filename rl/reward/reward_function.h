// Rewards that are plain functions of the text: length, keywords, regular expressions, overlap with
// a reference, or another program's opinion; beside or instead of a reward model, as a weighted
// sum.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/prompt_rows.h"
#include "data/tokenizer.h"
#include "rl/rollout.h"
#include "rl/run/metrics_log.h"
#include "rl/running_statistics.h"

namespace rlhf {

/// A batch to judge: as many of each. Texts end before the end token.
struct RewardBatch {
  std::vector<std::string> prompts, completions;
  std::vector<Tokens> completion_ids;
  std::vector<const PromptRow*> rows;  ///< the prompts' rows with all their columns
};

class RewardFunction {
 public:
  virtual ~RewardFunction() = default;
  /// One number a completion.
  virtual std::vector<double> operator()(const RewardBatch& batch) = 0;
  /// @throws InputError naming the row that lacks what the function needs.
  virtual void check_row(const PromptRow&) const {}
};

struct NamedReward {
  std::string name;  ///< "keyword", "keyword_2", "model"
  double weight = 1;
  std::unique_ptr<RewardFunction> function;
};

/// Makes functions of their descriptions (docs/reward-functions.md), as
///     length:target=20; keyword:good|fine; regex:^[A-Z]; bleu; rouge:unit=characters;
///     command:./j.py
/// where `;` separates, and `\;` stands for one within a description.
/// @throws InputError naming --reward_funcs and what is wrong with it.
std::vector<NamedReward> parse_reward_functions(const std::string& descriptions,
                                                double timeout_seconds);

/// Sub-tasks of a hierarchical policy, each with the reward of its segments, as
///     warm=keyword:love|charming; short=length:max=12
/// in the same language: a name, `=`, a description.
/// @throws InputError naming --subtasks, also when there are fewer than two, or two of a name.
std::vector<NamedReward> parse_subtasks(const std::string& descriptions, double timeout_seconds);

/// The weighted sum of functions and, if there is one, a reward model's score.
class RewardSum {
 public:
  RewardSum(std::vector<NamedReward> functions, const Tokenizer& tokenizer)
      : functions_(std::move(functions)), tokenizer_(tokenizer) {}
  /// Adds a judge that reads tokens: a reward model.
  void add(const std::string& name, double weight, ScoreFunction score);

  /// Judges episodes whose prompts are these rows (Episode::row); both must outlive the function.
  /// @throws InputError when a row lacks what a function needs.
  ScoreFunction over(std::span<const PromptRow> rows);

  /// rewards/<name>/mean and rewards/<name>/std, before weights, of all that was judged since they
  /// were last taken: an update may judge more than once.
  Metrics take();

 private:
  std::vector<double> judge(std::span<const Episode> episodes, std::span<const PromptRow> rows);
  /// Notes what one source says, and adds its share.
  void take_in(const std::string& name, double weight, const std::vector<double>& values,
               std::vector<double>& sum);

  struct TokenJudge {
    std::string name;
    double weight;
    ScoreFunction score;
  };
  std::vector<TokenJudge> judges_;
  std::vector<NamedReward> functions_;
  const Tokenizer& tokenizer_;
  std::vector<std::pair<std::string, RunningStatistics>> seen_;  // by source, in order
};

}  // namespace rlhf
