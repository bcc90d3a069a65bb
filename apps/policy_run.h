// What every command that trains a policy against a reward does around its algorithm: reading
// models, prompts and rewards, the comparison before and after, checkpoints, the report.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/checkpoint_flags.h"
#include "apps/device_flags.h"
#include "apps/lora_flags.h"
#include "apps/policy_flags.h"
#include "apps/reward_flags.h"
#include "apps/sample_log_flags.h"
#include "apps/session.h"
#include "data/prompt_rows.h"
#include "rl/memory_plan.h"
#include "rl/policy_evaluation.h"
#include "rl/policy_loop.h"

namespace rlhf {

/// The flags that say what is read and where the run goes.
struct PolicyOptions {
  std::string model_name_or_path, judge_model_path, dataset_name, output_dir, eval_dataset_name;
  int64_t eval_prompts = 200;
  RewardFlags reward;
  LoraFlags lora;
  bool gradient_checkpointing = false;
  DeviceFlags device;
  SampleLogFlags samples;
  CheckpointFlags checkpoint{.save_steps = 50};

  void declare_data(Flags& flags);
  void declare_machine(Flags& flags);
  /// @throws InputError when output_dir is one of the folders that are read.
  void check_output() const;
  /// What algorithms cannot do that learn heads alone: adapters to the trunk, and activations that
  /// are computed again. @throws InputError
  void check_heads(bool train_trunk) const;
};

/// What an algorithm adds to a run.
struct PolicyTraining {
  std::string name;                ///< "grpo", before the bar
  std::string title;               ///< of the report
  std::vector<std::string> shown;  ///< metrics on the bar
  LanguageModel* policy = nullptr;
  std::function<PolicyResult(const OnUpdate& on_update, Checkpoints checkpoints)> train;
  std::function<std::vector<Chart>(const Session& session)> charts;
  /// How the policy responds where it is more than `policy`, for the comparison.
  Responder respond = {};
  const Gpt2* critic = nullptr;    ///< what learns beside the policy, for the memory plan
  std::vector<Tensor> heads = {};  ///< likewise, heads that read the policy's states
  bool policy_learns = true;       ///< false: heads alone do, likewise
  std::map<std::string, std::string> inputs = {};  ///< digests of what else is read
  /// What else a checkpoint holds as models.
  std::function<void(const std::filesystem::path& folder)> save = [](const auto&) {};
  /// What else the result is, beside `policy`.
  std::function<void(const std::filesystem::path& folder)> save_result = [](const auto&) {};
  std::function<void(nlohmann::ordered_json& summary)> summarise = [](auto&) {};
  /// What the policy reads in the comparison in place of PolicyRun::asked_rows; empty: those.
  std::vector<Tokens> asked = {};
  /// Of the report, behind the comparison's; called after `summarise`.
  std::function<std::vector<Section>()> sections = [] { return std::vector<Section>(); };
};

/// One thing after another: what is read, what is judged by, the run, and what remains of it.
class PolicyRun {
 public:
  /// Reads everything. `config` gets its stop token and where alarms are told.
  PolicyRun(const PolicyOptions& options, const PolicyFlags& flags, const Invocation& invocation,
            PolicyConfig& config);
  /// Compares, trains, compares and reports. @returns the exit code.
  int operator()(const PolicyTraining& training);

  LanguageModel& policy() { return policy_.model; }
  const Gpt2& reference() const { return reference_; }
  const PolicyConfig& config() const { return config_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  std::span<const Tokens> prompts() const { return prompts_; }
  const ScoreFunction& score() const { return score_; }
  /// The prompts of training with their other columns, and those of the comparison.
  std::span<const PromptRow> rows() const { return rows_; }
  std::span<const PromptRow> asked_rows() const { return asked_rows_; }
  /// Tokens that an episode may have: the policy's limit, or the reward model's.
  int64_t n_positions() const;
  /// Judges episodes whose prompts are these rows, which must outlive the function.
  ScoreFunction score_over(std::span<const PromptRow> rows) { return rewards_.over(rows); }
  /// How a policy does on the prompts of the comparison; `asked` as in PolicyTraining.
  PolicyEvaluation evaluate(const LanguageModel& policy, std::span<const Tokens> asked = {}) const;
  /// None where only functions judge.
  const std::optional<LoadedScalarModel>& reward_model() const { return reward_model_; }

 private:
  void read_prompts();
  void prepare_rewards();
  SamplingOptions sampling() const;
  PolicyEvaluation evaluate(const Responder& policy, std::span<const Tokens> asked) const;
  PolicyEvaluation evaluate(const PolicyTraining& training) const;
  std::map<std::string, std::string> inputs(const PolicyTraining& training) const;
  void tell_memory(const PolicyTraining& training) const;
  void conclude(Session& session, const PolicyTraining& training, const PolicyResult& result,
                const PolicyEvaluation& before, const PolicyEvaluation& after);

  const PolicyOptions& o_;
  const Invocation& invocation_;
  PolicyConfig& config_;
  Placement placement_;
  LoadedLanguageModel policy_;
  const Tokenizer& tokenizer_;
  std::optional<LoadedScalarModel> reward_model_, judge_;
  RewardSum rewards_;
  const Gpt2 reference_;
  std::vector<PromptRow> rows_, asked_rows_;
  std::vector<Tokens> prompts_, asked_;
  ScoreFunction score_, asked_score_;
};

}  // namespace rlhf
