#include "rl/ppo.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "data/shuffle.h"
#include "rl/alarms.h"
#include "rl/batches.h"
#include "rl/ppo_loss.h"
#include "rl/ppo_metrics.h"
#include "rl/ppo_scores.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_of_policy(const std::string& name) { return name.starts_with("policy."); }

class Ppo {
 public:
  Ppo(ActorCritic& model, const Gpt2& reference, const ScoreFunction& score, int32_t eos,
      const PpoConfig& config, std::span<const Example> ptx, int64_t updates)
      : model_(model),
        reference_(reference),
        score_(score),
        eos_(eos),
        config_(config),
        ptx_(ptx),
        kl_(config.kl),
        rules_(config),
        trainer_(model, training_config(config, updates),
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
  std::vector<Episode> rollout(std::span<const Tokens> prompts, std::span<const int64_t> rows,
                               uint64_t first_episode) {
    const auto start = Clock::now();
    std::vector<Episode> episodes =
        sample_episodes(model_.policy.transformer, prompts,
                        sampling_options(config_, eos_, first_episode), int64_t(prompts.size()));
    generation_seconds += seconds_since(start);
    for (size_t i = 0; i < episodes.size(); i++) episodes[i].row = rows[i];
    end_responses(episodes, config_, eos_);
    if (device() != Device::cpu) see_again(episodes);
    const std::vector<double> scores = score_(judged_episodes(episodes, eos_));
    for (size_t i = 0; i < episodes.size(); i++) episodes[i].raw_score = scores[i];
    rules_.apply(episodes);
    const auto list = pointers(episodes);
    const int64_t batch = config_.per_device_train_batch_size;
    scatter(response_log_probs(reference_, list, config_.temperature, batch), episodes,
            &Episode::ref_log_prob);
    scatter(response_values(model_, list, batch), episodes, &Episode::value);
    return episodes;
  }

  // Several epochs of minibatch steps on the clipped losses.
  PpoStatistics optimise(const std::vector<Episode>& episodes, int64_t update) {
    begin_update(update);
    PpoStatistics total;
    const int64_t n = int64_t(episodes.size());
    const int64_t k = config_.num_mini_batches, steps = config_.num_ppo_epochs * k;
    for (int64_t epoch = 0; epoch < config_.num_ppo_epochs; epoch++) {
      // Never the same order twice: updates and epochs count on in one sequence.
      const std::vector<int64_t> order = permutation(
          n, config_.training.seed + 1, uint64_t(update * config_.num_ppo_epochs + epoch));
      for (int64_t m = 0; m < k; m++) {
        std::vector<const Episode*> picked;
        for (int64_t i = n * m / k; i < n * (m + 1) / k; i++) {
          picked.push_back(&episodes[size_t(order[size_t(i)])]);
        }
        const int64_t done = epoch * k + m;
        learn(picked, (update - 1) * steps + done, total);
        if (total.early_stops == 0) continue;
        trainer_.pass_over(steps - 1 - done);
        return total;
      }
    }
    return total;
  }

  void archive(StateArchive& a) {
    trainer_.archive(a);
    a.number("kl_coefficient", kl_.coefficient);
    a.number("generation_seconds", generation_seconds);
    a.number("policy_start", policy_start_);
    rules_.archive(a);
    alarms_.archive(a);
  }

  /// Says what looks wrong about an update.
  void watch(int64_t update, Metrics metrics, const PpoStatistics& statistics) {
    metrics.emplace_back("response_length", double(config_.response_length));
    metrics.emplace_back("early_stops", statistics.early_stops);
    for (const Alarm& alarm : alarms_.check(update, metrics)) config_.on_alarm(alarm.line);
  }

  void adapt_kl(double kl, int64_t episodes) { kl_.update(kl, episodes); }
  double kl_coefficient() const { return kl_.coefficient; }
  std::map<std::string, int64_t> alarm_counts() const { return alarms_.counts(); }

  double generation_seconds = 0;
  std::optional<SamplingDifference> sampling_difference;  ///< of the last rollout, on a GPU

 private:
  Device device() const { return model_.policy.transformer.device(); }

  // A GPU sums in an order that depends on the shape of a product, so that sampling row by row and
  // training on rectangles round apart. The ratio is to begin at 1: the policy reads its responses
  // once more, in the shape in which it will learn from them.
  void see_again(std::vector<Episode>& episodes) {
    const auto list = pointers(episodes);
    const std::vector<float> sampled = flatten(list, &Episode::log_prob);
    scatter(response_log_probs(model_.policy.transformer, list, config_.temperature,
                               config_.per_device_train_batch_size),
            episodes, &Episode::log_prob);
    sampling_difference = SamplingDifference::between(sampled, flatten(list, &Episode::log_prob));
  }

  static TrainingConfig training_config(const PpoConfig& config, int64_t updates) {
    TrainingConfig training = config.training;
    training.max_steps = updates * config.num_ppo_epochs * config.num_mini_batches;
    return training;
  }

  // While the critic warms up the policy is held; afterwards its Adam starts from step 1.
  void begin_update(int64_t update) {
    warming_up_ = update <= config_.critic_warmup_updates;
    if (config_.critic_warmup_updates == 0 || warming_up_) return;
    if (policy_start_ < 0) policy_start_ = int64_t(trainer_.updates());
    trainer_.hold([](const std::string&) { return false; }, uint64_t(policy_start_));
  }

  void learn(Slice mini_batch, int64_t number, PpoStatistics& total) {
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
  const Gpt2& reference_;
  const ScoreFunction& score_;
  int32_t eos_;
  const PpoConfig& config_;
  std::span<const Example> ptx_;
  KlController kl_;
  ScoreRules rules_;
  Trainer trainer_;
  Trainer::RecordedLoss loss_, critic_loss_, ptx_loss_;
  Padding padding_;
  BatchOrder ptx_order_;
  Alarms alarms_{config_.alarm_every};
  bool warming_up_ = false;
  int64_t policy_start_ = -1;  // optimizer steps before the policy learnt; -1: it has not yet
};

}  // namespace

void check_prompts(std::span<const Tokens> prompts, int64_t n_positions, int64_t response_length) {
  if (prompts.empty()) input_error("prompts", "expected at least one, got none");
  for (size_t i = 0; i < prompts.size(); i++) {
    const int64_t length = int64_t(prompts[i].size());
    const int64_t room = n_positions - 1 - length;  // the end token takes one position
    if (length < 1 || response_length > room) {
      input_error("prompts",
                  "expected prompt {} to leave {} of {} positions for the response and its end, "
                  "got {} tokens",
                  i + 1, response_length, n_positions, length);
    }
  }
}

PpoResult ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
              const ScoreFunction& score, int32_t eos, const PpoConfig& config,
              const OnUpdate& on_update, Checkpoints checkpoints, std::span<const Example> ptx) {
  check_prompts(prompts, model.policy.transformer.config.n_positions, config.response_length);
  validate(config);
  const int64_t batch = std::min(config.episodes_per_update, config.total_episodes);
  const int64_t updates = (config.total_episodes + batch - 1) / batch;
  Ppo algorithm(model, reference, score, eos, config, ptx, updates);
  BatchOrder order(int64_t(prompts.size()), 1, config.training.seed);
  PpoResult result;
  const Archive state = [&](StateArchive& a) {
    algorithm.archive(a);
    a.number("episodes", result.episodes);
    a.number("seconds", result.seconds);
  };

  int64_t update = checkpoints.resume(state, updates);
  while (update < updates && !result.stopped_at_kl) {
    update++;
    const auto start = Clock::now();
    std::vector<Tokens> picked;
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < batch; i++) {
      rows.push_back(order.at(result.episodes + i + 1)[0]);
      picked.push_back(prompts[size_t(rows.back())]);
    }
    std::vector<Episode> episodes = algorithm.rollout(picked, rows, uint64_t(result.episodes));
    assign_rewards(episodes, algorithm.kl_coefficient(), config, model.policy.transformer.device());
    const PpoStatistics statistics = algorithm.optimise(episodes, update);
    result.episodes += batch;
    result.seconds += seconds_since(start);
    const RolloutSummary rollout =
        summarise(episodes, algorithm.kl_coefficient(), config.kl_estimator, config.kl_bounds);
    Metrics metrics = ppo_metrics(rollout, statistics, algorithm.kl_coefficient());
    add_option_metrics(config, statistics, metrics);
    if (algorithm.sampling_difference) algorithm.sampling_difference->add_to(metrics);
    metrics.emplace_back("episode", double(result.episodes));
    metrics.emplace_back("eps", double(result.episodes) / result.seconds);
    on_update(update, updates, metrics, episodes);
    algorithm.watch(update, metrics, statistics);
    algorithm.adapt_kl(rollout.kl, batch);
    result.stopped_at_kl = config.stop_at_kl > 0 && rollout.kl > config.stop_at_kl;
    checkpoints.after(update, result.stopped_at_kl ? update : updates, state);
  }
  result.updates = update;
  result.kl_coefficient = algorithm.kl_coefficient();
  result.generation_seconds = algorithm.generation_seconds;
  result.alarms = algorithm.alarm_counts();
  return result;
}

}  // namespace rlhf
