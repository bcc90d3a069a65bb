#include "apps/eval_policy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "apps/judge.h"
#include "apps/reward_flags.h"
#include "core/check.h"
#include "data/text_metrics.h"
#include "rl/conditions.h"
#include "rl/model/chat_encoding.h"
#include "rl/policy_evaluation.h"
#include "rl/responses.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

/// The models that are asked about the answers; those that were not named are missing.
struct Judges {
  Judges(const PolicyEvaluationFlags& flags, const Tokenizer& tokenizer,
         const Placement& placement) {
    if (!flags.ref_model.empty()) {
      reference = load_language_model(flags.ref_model, placement);
      check_same_tokenizer(tokenizer, *reference->tokenizer, flags.ref_model);
    }
    if (!flags.reward_model_path.empty()) {
      reward = load_scalar_model(flags.reward_model_path, placement);
      check_same_tokenizer(tokenizer, *reward->tokenizer, flags.reward_model_path);
    }
    if (!flags.judge_model_path.empty()) {
      classifier = load_scalar_model(flags.judge_model_path, placement);
    }
  }

  /// The least context of the policy and of those that read its tokens.
  int64_t n_positions(const Gpt2& policy) const {
    return least_positions({&policy, reference ? &reference->model.transformer : nullptr,
                            reward ? &reward->model.transformer : nullptr});
  }

  std::optional<LoadedLanguageModel> reference;
  std::optional<LoadedScalarModel> reward, classifier;
};

/// Answers that somebody else gave, as evaluate_policy has those that it samples.
PolicyEvaluation given_answers(std::span<const PromptRow> rows, std::span<const Tokens> prompts,
                               int64_t n_positions, const Tokenizer& tokenizer,
                               const ScoreFunction& score) {
  PolicyEvaluation e{.stopped = 1};
  std::vector<Episode> episodes;
  for (size_t i = 0; i < rows.size(); i++) {
    e.prompts.push_back(readable(tokenizer, prompts[i]));
    // Empty as well: a policy may say nothing.
    e.responses.push_back(rows[i].row.text("completion"));
    Tokens response = tokenizer.encode(e.responses.back());
    response.push_back(tokenizer.eos());
    if (int64_t(prompts[i].size() + response.size()) > n_positions) {
      input_error(rows[i].row.where(), "expected prompt and completion within {} tokens, got {}",
                  n_positions, prompts[i].size() + response.size());
    }
    e.mean_length += double(response.size()) / double(rows.size());
    episodes.push_back({prompts[i], std::move(response), int64_t(i), /*stopped=*/true});
  }
  e.scores = score(episodes);
  const Tokenise unit = unit_of(e.responses);
  e.distinct2 = distinct_n(e.responses, 2, unit);
  e.repetition = repetition_rate(e.responses, 4, unit);
  return e;
}

/// The policy reads the condition and the prompt as one text, everybody else the prompt.
PolicyEvaluation sampled_answers(const Responder& respond, const Gpt2& reference,
                                 const std::string& condition, std::span<const PromptRow> rows,
                                 std::span<const Tokens> prompts, int64_t n_positions,
                                 const Tokenizer& tokenizer, const ScoreFunction& score,
                                 const SamplingOptions& sampling) {
  if (!(sampling.temperature > 0)) {
    input_error("--temperature", "expected above 0 to sample answers (1: as trained), got 0");
  }
  check_prompts(prompts, n_positions, sampling.max_new_tokens);
  std::vector<Tokens> asked;
  if (!condition.empty()) {
    for (const PromptRow& row : rows) asked.push_back(encode_under(tokenizer, condition, row));
    check_prompts(asked, n_positions, sampling.max_new_tokens);
  }
  const auto whole = [](std::vector<Episode>&) {};
  return evaluate_policy(respond, reference, prompts, tokenizer, score, sampling, whole, asked);
}

Section answer_evidence(const PolicyEvaluation& e, bool judged) {
  constexpr size_t kSamples = 8;
  Section section{.heading = "Samples"};
  for (size_t i = 0; i < std::min(kSamples, e.prompts.size()); i++) {
    Completion completion{"model", e.responses[i]};
    if (judged) completion.score = e.scores[i];
    section.samples.push_back({e.prompts[i], {completion}});
  }
  return section;
}

}  // namespace

void PolicyEvaluationFlags::declare(Flags& flags) {
  flags.group("Judgement of answers to prompts");
  flags.add("ref_model", ref_model, "language model that the KL is measured to").shown_as("DIR");
  flags.add("reward_model_path", reward_model_path, "reward model of the same tokenizer")
      .shown_as("DIR");
  flags.add("judge_model_path", judge_model_path, "classifier: its share of positives")
      .shown_as("DIR");
  flags.add("reward_funcs", reward_funcs,
            "functions of the text (docs/reward-functions.md); may be given several times");
  flags.add("condition", condition,
            "text before each prompt that the policy alone reads, as reward_conditioned teaches");
  flags.add("judge_completions", judge_completions,
            "judge the completions in the file, empty ones too, instead of sampling");
  flags.add("reward_timeout", reward_timeout, above(0.0), "seconds that a command may take");
}

Evaluation evaluate_answers(const PolicyEvaluationFlags& flags, const Responder& respond,
                            const LoadedLanguageModel& policy, const std::string& dataset_name,
                            const SamplingOptions& sampling, const Placement& placement) {
  const Tokenizer& tokenizer = *policy.tokenizer;
  const Gpt2& model = policy.model.transformer;
  const Judges judges(flags, tokenizer, placement);
  const auto rows = read_prompt_rows(dataset_name);
  const std::vector<Tokens> prompts = encode_prompts(tokenizer, rows);
  RewardSum rewards(parse_reward_functions(fmt::format("{}", fmt::join(flags.reward_funcs, ";")),
                                           flags.reward_timeout),
                    tokenizer);
  if (judges.reward) rewards.add("model", 1, reward_score(judges.reward->model, tokenizer.eos()));

  const ScoreFunction score = rewards.over(rows);
  const int64_t n_positions = judges.n_positions(model);
  const Gpt2& reference = judges.reference ? judges.reference->model.transformer : model;
  const PolicyEvaluation e =
      flags.judge_completions ? given_answers(rows, prompts, n_positions, tokenizer, score)
                              : sampled_answers(respond, reference, flags.condition, rows, prompts,
                                                n_positions, tokenizer, score, sampling);
  nlohmann::ordered_json figures{{"task", "policy"}};
  const Metrics of_rewards = rewards.take();
  for (const auto& [name, value] : of_rewards) figures[name] = value;
  if (judges.classifier) {
    figures["judge_positive"] = positive_share(*judges.classifier, e);
  }
  if (judges.reference && !flags.judge_completions) figures["kl"] = e.kl;
  figures["distinct_2"] = e.distinct2;
  figures["repetition"] = e.repetition;
  figures["mean_length"] = e.mean_length;
  figures["stopped"] = e.stopped;
  figures["prompts"] = prompts.size();
  return {figures, answer_evidence(e, !of_rewards.empty())};
}

}  // namespace rlhf
