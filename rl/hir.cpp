#include "rl/hir.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "rl/preference_log_probs.h"

namespace rlhf {
namespace {

/// The share of responses whose instruction their score fulfils.
double followed(std::span<const JudgedResponse> responses,
                std::span<const Instruction> instructions) {
  double count = 0;
  for (const JudgedResponse& r : responses) {
    count += instructions[size_t(r.condition)].fulfilled_by(r.score);
  }
  return count / double(responses.size());
}

class Hir : public PolicyAlgorithm {
 public:
  Hir(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
      const ConditionedPrompts& instructed, std::span<const Instruction> instructions,
      const ScoreFunction& score, int32_t eos, const HirConfig& config)
      : PolicyAlgorithm({policy.transformer, reference, prompts, score, eos, config}),
        policy_(policy.transformer),
        instructed_(instructed),
        instructions_(instructions),
        config_(config),
        training_(policy, config, {"loss/nll", "loss/contrastive", "entropy"},
                  [this](ResponseSlice slice, ResponseSlice all, const StepSize& whole,
                         MetricMeans& terms) { return slice_loss(slice, all, whole, terms); }) {}

  // The online phase: each response after an instruction drawn at random.
  std::vector<Episode> rollout() override {
    const int64_t first = rollout_.sampled();
    std::vector<Episode> episodes =
        rollout_.sample(config_.batch(), [&](int64_t episode, int64_t row) -> const Tokens& {
          return instructed_[size_t(told(episode))][size_t(row)];
        });
    responses_ = judged_responses(episodes);
    for (size_t i = 0; i < responses_.size(); i++) {
      responses_[i].condition = told(first + int64_t(i));
    }
    return episodes;
  }

  // The offline phase: what a response did fulfil becomes its instruction, and is learnt.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    const double before = followed(responses_, instructions_);
    for (JudgedResponse& r : responses_) r.condition = fulfilled(instructions_, r.score);
    training_.learn(responses_, update);
    UpdateReport report = training_.report(episodes);
    report.metrics.emplace_back("hir/followed", before);
    rollout_.add_metrics(report.metrics);
    return report;
  }

  void archive(StateArchive& a) override {
    training_.archive(a);
    rollout_.archive(a);
  }

 private:
  int64_t told(int64_t episode) const {
    return drawn_instruction(config_.training.seed, episode, int64_t(instructions_.size()));
  }

  // With the contrast, each response is read after every instruction of the optimizer step.
  Tensor slice_loss(ResponseSlice slice, ResponseSlice all, const StepSize& whole,
                    MetricMeans& terms) const {
    std::set<int64_t> of_step;
    if (config_.contrastive_coef > 0) {
      for (const JudgedResponse* r : all) of_step.insert(r->condition);
    }
    Contrast contrast{.choices = std::max(int64_t(of_step.size()), int64_t{1})};
    std::vector<Episode> read;
    for (const JudgedResponse* r : slice) {
      const std::set<int64_t> choices = of_step.empty() ? std::set{r->condition} : of_step;
      contrast.fulfilled.push_back(
          int32_t(std::distance(choices.begin(), choices.find(r->condition))));
      for (const int64_t k : choices) {
        read.push_back({.prompt = instructed_[size_t(k)][size_t(r->row)],
                        .response = r->response,
                        .row = r->row});
      }
    }
    const ReadResponses now =
        read_responses(policy_, read, config_.responses.temperature,
                       config_.per_device_train_batch_size * contrast.choices);
    return hir_loss(now, read, contrast, whole, config_, terms);
  }

  const Gpt2& policy_;
  const ConditionedPrompts& instructed_;
  const std::span<const Instruction> instructions_;
  const HirConfig& config_;
  ConditionTraining training_;
  std::vector<JudgedResponse> responses_;  // of the last rollout
};

}  // namespace

void validate(const HirConfig& config) {
  validate(config, /*kl_penalty=*/false, "--steps_per_generation");
}

Tensor hir_loss(const ReadResponses& now, std::span<const Episode> read, const Contrast& contrast,
                const StepSize& whole, const HirConfig& config, MetricMeans& terms) {
  std::vector<double> learnt;  // 1 where a token follows the instruction that is fulfilled
  for (int64_t s = 0; s < int64_t(read.size()); s++) {
    const bool fulfilled = contrast.fulfilled[size_t(s / contrast.choices)] == s % contrast.choices;
    learnt.insert(learnt.end(), read[size_t(s)].response.size(), fulfilled);
  }
  const double tokens = std::accumulate(learnt.begin(), learnt.end(), 0.0);
  learnt.resize(size_t(now.seen.log_prob.count()), 0);
  const auto minus_sum = [&](const Tensor& x) {
    std::vector<double> weights = learnt;
    for (double& weight : weights) weight /= -double(whole.tokens);
    return weighted_sum(x, tensor_like(x, weights));
  };
  const double share = tokens / double(whole.tokens);  // of the step, in this slice
  const Tensor nll = minus_sum(now.seen.log_prob), entropy = minus_sum(now.seen.entropy);
  terms.add("loss/nll", nll.item() / share, tokens);
  terms.add("entropy", -entropy.item() / share, tokens);
  Tensor loss = add(nll, entropy, config.entropy_coef);
  if (config.contrastive_coef > 0) {
    const int64_t responses = int64_t(contrast.fulfilled.size());
    const ResponseSegments of = response_segments(pointers(read), now.hidden.device());
    const Tensor likelihood = segment_sum(now.seen.log_prob, of.begin, of.end, /*mean=*/true);
    const Tensor told_apart =
        categorical(likelihood.reshape({responses, contrast.choices}),
                    Tensor::from(contrast.fulfilled, {responses}, now.hidden.device()))
            .log_prob;
    add_mean(terms, "loss/contrastive", told_apart, responses, -1);
    const Tensor contrastive = share_of_mean(told_apart, responses, whole.episodes, -1);
    loss = add(loss, contrastive, config.contrastive_coef);
  }
  return loss;
}

PolicyResult hir(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                 const ConditionedPrompts& instructed, std::span<const Instruction> instructions,
                 const ScoreFunction& score, int32_t eos, const HirConfig& config,
                 const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Hir algorithm(policy, reference, prompts, instructed, instructions, score, eos, config);
  return train_policy(algorithm, config, {.kl_coef = ""}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
