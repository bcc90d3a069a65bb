#include "rl/ppo.h"

#include <algorithm>

#include "rl/minibatches.h"
#include "rl/ppo_loss.h"
#include "rl/ppo_metrics.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

bool is_of_policy(const std::string& name) { return name.starts_with("policy."); }

class Ppo : public PolicyAlgorithm {
 public:
  Ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
      const ScoreFunction& score, int32_t eos, const PpoConfig& config,
      std::span<const Example> ptx)
      : PolicyAlgorithm({model.policy.transformer, reference, prompts, score, eos, config}),
        model_(model),
        config_(config),
        ptx_(ptx),
        kl_(config.kl),
        trainer_(model, training_config(config),
                 [&](const std::string& name) {
                   return is_of_policy(name) ? 1.0f : config.critic_rate;
                 }),
        loss_(trainer_, [this](const auto& in) { return ppo_loss(model_, in, config_, false); }),
        critic_loss_(trainer_,
                     [this](const auto& in) { return ppo_loss(model_, in, config_, true); }),
        ptx_loss_(trainer_, [this](const auto& in) { return ptx_loss(in); }),
        padding_(Padding::on(device(), config.per_device_train_batch_size,
                             model.policy.transformer.config.n_positions)),
        ptx_order_(std::max<int64_t>(1, int64_t(ptx.size())), config.ptx_batch_size,
                   config.training.seed + 2) {
    if (config.critic_warmup_updates > 0) trainer_.hold(is_of_policy, 0);
  }

  // Rollout: sample, score, and see the same tokens again under the reference and the critic.
  std::vector<Episode> rollout() override {
    std::vector<Episode> episodes = rollout_.sample(config_.batch());
    scatter(response_values(model_, pointers(episodes), config_.per_device_train_batch_size),
            episodes, &Episode::value);
    return episodes;
  }

  // Rewards and advantages, then several epochs of minibatch steps on the clipped losses.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    assign_rewards(episodes, kl_.coefficient, config_, device());
    const PpoStatistics statistics = optimise(episodes, update);
    const RolloutSummary rollout =
        summarise(as_learnt(episodes), kl_.coefficient, config_.kl_estimator, config_.kl_bounds);
    UpdateReport report{.metrics = ppo_metrics(rollout, statistics, kl_.coefficient),
                        .signs = vital_signs(rollout, statistics)};
    add_option_metrics(config_, statistics, report.metrics);
    rollout_.add_metrics(report.metrics);
    kl_.update(rollout.kl, config_.batch());
    return report;
  }

  void archive(StateArchive& a) override {
    trainer_.archive(a);
    a.number("kl_coefficient", kl_.coefficient);
    a.number("policy_start", policy_start_);
    rollout_.archive(a);
  }

  double kl_coefficient() const { return kl_.coefficient; }

 private:
  Device device() const { return model_.policy.transformer.device(); }

  // Critic and advantages are reported on the scale they were learnt on: values follow whitened
  // returns where a minibatch whitens its rewards, and fit no others.
  std::vector<Episode> as_learnt(const std::vector<Episode>& episodes) const {
    if (config_.whiten_scope == WhitenScope::batch) return episodes;
    return whitened_minibatch(pointers(episodes), config_, device());
  }

  PpoStatistics optimise(const std::vector<Episode>& episodes, int64_t update) {
    begin_update(update);
    PpoStatistics total;
    const int64_t steps = config_.num_iterations * config_.num_mini_batches;
    for_each_minibatch(episodes, config_, update, [&](Slice mini_batch, int64_t done) {
      learn_from(mini_batch, (update - 1) * steps + done, total);
      if (total.early_stops == 0) return true;
      trainer_.pass_over(steps - 1 - done);
      return false;
    });
    return total;
  }

  // While the critic warms up the policy is held; afterwards its Adam starts from step 1.
  void begin_update(int64_t update) {
    warming_up_ = update <= config_.critic_warmup_updates;
    if (config_.critic_warmup_updates == 0 || warming_up_) return;
    if (policy_start_ < 0) policy_start_ = int64_t(trainer_.updates());
    trainer_.hold([](const std::string&) { return false; }, uint64_t(policy_start_));
  }

  void learn_from(Slice mini_batch, int64_t number, PpoStatistics& total) {
    if (config_.whiten_scope == WhitenScope::batch) return step(mini_batch, number, total);
    const std::vector<Episode> whitened = whitened_minibatch(mini_batch, config_, device());
    step(pointers(whitened), number, total);
  }

  // One optimizer step on a minibatch, in micro-batches whose losses are divided by the tokens (or
  // responses) of the whole minibatch; text to remember is one micro-batch more.
  void step(Slice mini_batch, int64_t number, PpoStatistics& total) {
    MiniBatch whole{.episodes = int64_t(mini_batch.size()), .tokens = count_tokens(mini_batch)};
    const int64_t size = config_.per_device_train_batch_size;
    const int64_t micro_batches = (whole.episodes + size - 1) / size;
    const bool mixes = !ptx_.empty() && config_.ptx_coef > 0 && !warming_up_;
    const auto micro_batch = [&](int64_t micro) -> Trainer::MicroBatch {
      if (micro == micro_batches) return ptx_batch(number, total);
      const size_t first = size_t(micro * size);
      const Slice part =
          mini_batch.subspan(first, std::min(size_t(size), mini_batch.size() - first));
      return {warming_up_ ? critic_loss_ : loss_,
              ppo_inputs(part, whole, config_, warming_up_, padding_),
              [&, part](auto seen) { add_seen(seen[0], part, config_, whole, total); }};
    };
    const Trainer::Step done = trainer_.step(micro_batches + (mixes ? 1 : 0), micro_batch,
                                             [&] { return is_to_be_left_out(whole, total); });
    if (done.vetoed) return;
    total.grad_norm += done.grad_norm;
    total.learning_rate = done.learning_rate;
    total.steps++;
  }

  bool is_to_be_left_out(const MiniBatch& whole, PpoStatistics& total) const {
    if (config_.target_kl > 0 && whole.approx_kl / whole.seen > 1.5 * config_.target_kl) {
      total.early_stops = 1;
      return true;
    }
    const bool runs_away =
        config_.ratio_threshold > 0 && whole.ratio / whole.seen > config_.ratio_threshold;
    total.skipped_steps += runs_away;
    return runs_away;
  }

  // gamma E[-log pi(x)], x from the given texts (Ouyang et al. 2022, equation 2): a mean a token.
  Trainer::MicroBatch ptx_batch(int64_t number, PpoStatistics& total) {
    std::vector<Example> picked;
    int64_t targets = 0;
    for (const int64_t i : ptx_order_.at(number + 1)) {
      picked.push_back(ptx_[size_t(i)]);
      targets += picked.back().targets();
    }
    const Gpt2& policy = model_.policy.transformer;
    const Padding padding =
        Padding::on(device(), config_.ptx_batch_size, policy.config.n_positions);
    std::vector<Tensor> inputs = loss_inputs(pad_examples(picked, padding), targets, DType::f32);
    inputs.push_back(Tensor::from(std::vector<float>{config_.ptx_coef}, {1}));
    return {ptx_loss_, std::move(inputs),
            [&total](auto seen) { total.ptx_loss += seen[0].item(); }};
  }
  Trainer::LossTensors ptx_loss(const std::vector<Tensor>& inputs) const {
    const Tensor nll = language_model_loss(model_.policy.transformer, inputs, nullptr);
    return {weighted_sum(nll, inputs.back()), {nll}};
  }

  ActorCritic& model_;
  const PpoConfig& config_;
  std::span<const Example> ptx_;
  KlController kl_;
  Trainer trainer_;
  Trainer::RecordedLoss loss_, critic_loss_, ptx_loss_;
  Padding padding_;
  BatchOrder ptx_order_;
  bool warming_up_ = false;
  int64_t policy_start_ = -1;  // optimizer steps before the policy learnt; -1: it has not yet
};

}  // namespace

PpoResult ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
              const ScoreFunction& score, int32_t eos, const PpoConfig& config,
              const OnUpdate& on_update, Checkpoints checkpoints, std::span<const Example> ptx) {
  check_prompts(prompts, model.policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Ppo algorithm(model, reference, prompts, score, eos, config, ptx);
  PpoResult result{train_policy(algorithm, config,
                                {.kl_coef = "--kl_coef",
                                 .passes = "--num_ppo_epochs",
                                 .response_length = "--response_length",
                                 .of_ppo = true},
                                on_update, std::move(checkpoints))};
  result.kl_coefficient = algorithm.kl_coefficient();
  return result;
}

}  // namespace rlhf
