#include "rl/hierarchical_alignment.h"

#include "rl/hierarchical_metrics.h"
#include "rl/minibatches.h"
#include "rl/token_advantages.h"
#include "rl/trunk_states.h"
#include "rl/whitening.h"

namespace rlhf {
namespace {

class HierarchicalAlignment : public PolicyAlgorithm {
 public:
  HierarchicalAlignment(HierarchicalPolicy& policy, const Gpt2& reference,
                        std::span<const Tokens> prompts, const ScoreFunction& score,
                        const IntrinsicReward& intrinsic, std::span<const std::string> names,
                        int32_t eos, const HierarchicalAlignmentConfig& config)
      : PolicyAlgorithm(rollout_of(policy, reference, prompts, score, eos, config)),
        policy_(policy),
        config_(config),
        intrinsic_(intrinsic),
        names_(names),
        trainer_(policy, training_of(policy, config),
                 [&](const std::string& name) { return rate_of(name, config); }),
        states_(policy.trunk(), config.train_trunk, config.per_device_train_batch_size) {}

  // Responses segment by segment, their scores, and the values of both levels.
  std::vector<Episode> rollout() override {
    std::vector<Episode> episodes = rollout_.sample(config_.batch());
    states_.read(pointers(episodes));
    upper_.clear();
    for (int64_t i = 0; i < states_.slices(); i++) see(states_.at(i), episodes);
    return episodes;
  }

  // Rewards and advantages of both levels, then one step on all of them.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t) override {
    const auto intrinsic = intrinsic_(episodes);
    set_lower_rewards(episodes, intrinsic);
    for (size_t i = 0; i < episodes.size(); i++) {
      upper_[i].reward.assign(upper_[i].response.size(), 0);
      upper_[i].reward.back() = float(episodes[i].score);
    }
    for (std::vector<Episode>* level : {&episodes, &upper_}) {
      estimate_advantages(*level, config_.gamma, config_.lambda, device());
      if (config_.whiten_advantages) whiten(*level, &Episode::advantage, true, device());
    }
    HierarchicalStatistics statistics;
    const int64_t tokens = count_tokens(pointers(episodes));
    const int64_t segments = count_tokens(pointers(upper_));
    statistics.step = trainer_.step(states_.slices(), [&](int64_t i) {
      const TrunkStates::Slice slice = states_.at(i);
      return add(lower_loss(slice, tokens, statistics.lower),
                 upper_loss(slice, i, segments, statistics.upper), config_.upper_coef);
    });
    const RolloutSummary rollout = summarise(episodes, config_.beta, KlEstimator::k1);
    UpdateReport report{
        .metrics = hierarchical_metrics(rollout, statistics, upper_, intrinsic, names_),
        .signs = vital_signs(rollout, statistics.lower)};
    rollout_.add_metrics(report.metrics);
    return report;
  }

  void archive(StateArchive& a) override {
    trainer_.archive(a);
    rollout_.archive(a);
  }

 private:
  static PolicyRollout rollout_of(const HierarchicalPolicy& policy, const Gpt2& reference,
                                  std::span<const Tokens> prompts, const ScoreFunction& score,
                                  int32_t eos, const HierarchicalAlignmentConfig& config) {
    return {[&](std::span<const Tokens> asked, const SamplingOptions& options) {
              return respond(policy, asked, options, config.shape);
            },
            [&](std::span<const Episode* const> episodes) {
              return lower_log_probs(policy, episodes, config.responses.temperature,
                                     config.per_device_train_batch_size);
            },
            reference,
            prompts,
            score,
            eos,
            config};
  }

  Device device() const { return policy_.trunk().device(); }

  static TrainingConfig training_of(const HierarchicalPolicy& policy,
                                    const HierarchicalAlignmentConfig& config) {
    TrainingConfig training = training_config(config);
    // Nothing is written by it any more.
    if (!policy.trunk().tied()) training.frozen.push_back("base.transformer.lm_head.");
    if (!config.train_trunk) hold_trunk(training, "base.transformer.");
    return training;
  }

  static float rate_of(const std::string& name, const HierarchicalAlignmentConfig& config) {
    const float level = name.starts_with("upper") ? config.upper_rate : 1;
    return name.find("_value.") != std::string::npos ? level * config.critic_rate : level;
  }

  void for_each_subtask(const TrunkStates::Slice& slice, const OfSubtask& f) const {
    rlhf::for_each_subtask(policy_, slice.episodes, slice.hidden, slice.batch.target,
                           config_.responses.temperature, f);
  }

  // Values of a slice: of its tokens, and of its segments. The latter are episodes of the upper
  // level, whose actions are sub-tasks.
  void see(const TrunkStates::Slice& slice, std::vector<Episode>& episodes) {
    std::vector<float> values(size_t(count_tokens(slice.episodes)));
    for_each_subtask(slice, [&](const ActorCriticOutput& now, const Tokens& places) {
      const std::vector<float> own = now.value.to_vector<float>();
      for (size_t i = 0; i < places.size(); i++) values[size_t(places[i])] = own[i];
    });
    const std::vector<float> upper =
        upper_output(policy_, slice.episodes, slice.hidden).value.to_vector<float>();
    const size_t first = upper_.size();
    const std::span<Episode> part(&episodes[first], slice.episodes.size());
    scatter(values, part, &Episode::value);
    for (const Episode& e : part) {
      Episode& choices = upper_.emplace_back();
      for (const Segment& segment : e.segments) {
        choices.response.push_back(segment.subtask);
        choices.log_prob.push_back(segment.log_prob);
      }
      choices.ref_log_prob = choices.log_prob;  // no reference chooses: a KL of 0
    }
    scatter(upper, std::span(upper_).subspan(first), &Episode::value);
  }

  // The KL penalty at each token, the sub-task's own reward at the end of its segment, and the
  // score at the end of all.
  void set_lower_rewards(std::vector<Episode>& episodes,
                         const std::vector<std::vector<double>>& intrinsic) const {
    set_token_rewards(episodes, config_.beta, KlEstimator::k1, {}, config_.extrinsic_coef);
    for (size_t i = 0; i < episodes.size(); i++) {
      for (size_t s = 0; s < intrinsic[i].size(); s++) {
        episodes[i].reward[size_t(episodes[i].end_of_segment(s) - 1)] +=
            float(config_.intrinsic_coef * intrinsic[i][s]);
      }
    }
  }

  Tensor lower_loss(const TrunkStates::Slice& slice, int64_t tokens,
                    ActorCriticStatistics& statistics) const {
    const ActorCriticTargets all = ActorCriticTargets::of(slice.episodes, tokens);
    Tensor sum;
    for_each_subtask(slice, [&](const ActorCriticOutput& now, const Tokens& places) {
      const ActorCriticTargets targets = all.in_order(places);
      statistics.add(now, targets);
      const Tensor loss =
          actor_critic_loss(now, targets, {config_.vf_coef, config_.lower_entropy_coef});
      sum = sum.defined() ? add(sum, loss) : loss;
    });
    return sum;
  }

  Tensor upper_loss(const TrunkStates::Slice& slice, int64_t number, int64_t segments,
                    ActorCriticStatistics& statistics) const {
    const size_t first = size_t(number * config_.per_device_train_batch_size);
    const auto list = pointers(std::span(upper_).subspan(first, slice.episodes.size()));
    const ActorCriticTargets targets = ActorCriticTargets::of(list, segments);
    const ActorCriticOutput now = upper_output(policy_, slice.episodes, slice.hidden);
    statistics.add(now, targets);
    return actor_critic_loss(now, targets, {config_.vf_coef, config_.upper_entropy_coef});
  }

  HierarchicalPolicy& policy_;
  const HierarchicalAlignmentConfig& config_;
  const IntrinsicReward& intrinsic_;
  std::span<const std::string> names_;
  Trainer trainer_;
  TrunkStates states_;
  std::vector<Episode> upper_;  // the same episodes as the upper level sees them
};

}  // namespace

void validate(const HierarchicalAlignmentConfig& config) {
  validate(config, config.beta > 0, "--num_mini_batches");
  if (config.responses.sample_past_end || config.responses.truncate_after > 0) {
    input_error(config.responses.sample_past_end ? "--sample_past_end" : "--truncate_after",
                "expected responses that end with their first stop token: what follows it is no "
                "segment of anybody's; got another rule");
  }
  check(config.num_iterations == 1 && config.num_mini_batches == 1, "hierarchical",
        "expected one step an update, got {} passes of {}", config.num_iterations,
        config.num_mini_batches);
}

PolicyResult hierarchical_alignment(HierarchicalPolicy& policy, const Gpt2& reference,
                                    std::span<const Tokens> prompts, const ScoreFunction& score,
                                    const IntrinsicReward& intrinsic,
                                    std::span<const std::string> names, int32_t eos,
                                    const HierarchicalAlignmentConfig& config,
                                    const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.trunk().config.n_positions, config.responses.length);
  validate(config);
  HierarchicalAlignment algorithm(policy, reference, prompts, score, intrinsic, names, eos, config);
  return train_policy(algorithm, config, {.response_length = "--segment_length"}, on_update,
                      std::move(checkpoints));
}

}  // namespace rlhf
