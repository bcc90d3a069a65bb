#include "rl/ppo.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "data/shuffle.h"
#include "kernels/gae.h"
#include "kernels/run.h"
#include "kernels/whiten.h"
#include "rl/batches.h"
#include "rl/ppo_metrics.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One field of every response token of some episodes, one after another.
std::vector<float> flatten(Slice episodes, std::vector<float> Episode::*field) {
  std::vector<float> flat;
  for (const Episode* e : episodes) {
    flat.insert(flat.end(), (e->*field).begin(), (e->*field).end());
  }
  return flat;
}

// The inverse of flatten.
void scatter(std::span<const float> flat, std::vector<Episode>& episodes,
             std::vector<float> Episode::*field) {
  auto next = flat.begin();
  for (Episode& e : episodes) {
    (e.*field).assign(next, next + e.length());
    next += e.length();
  }
}

std::vector<const Episode*> pointers(std::span<const Episode> episodes) {
  std::vector<const Episode*> list;
  for (const Episode& e : episodes) list.push_back(&e);
  return list;
}

int64_t count_tokens(Slice episodes) {
  int64_t count = 0;
  for (const Episode* e : episodes) count += e->length();
  return count;
}

Tensor column(const std::vector<float>& values) {
  return Tensor::from(values, {int64_t(values.size())});
}

// V(s_t) at the rows of `batch`; a head on the policy's trunk reads the hidden states it has made.
Tensor values_at(const ActorCritic& model, const ResponseBatch& batch,
                 const Tensor& policy_hidden) {
  const Tensor hidden =
      model.critic ? gather((*model.critic)(batch.batch), batch.row) : policy_hidden;
  return model.value_head(hidden);
}

std::vector<float> response_values(const ActorCritic& model, Slice episodes, int64_t batch_size) {
  std::vector<float> all;
  for_each_slice(episodes, batch_size, [&](Slice slice) {
    const ResponseBatch batch = response_batch(slice);
    const Tensor hidden =
        model.critic ? Tensor{} : gather(model.policy.transformer(batch.batch), batch.row);
    const std::vector<float> values = values_at(model, batch, hidden).to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  });
  return all;
}

void whiten(std::vector<Episode>& episodes, std::vector<float> Episode::*field, bool shift_mean) {
  const std::vector<float> flat = flatten(pointers(episodes), field);
  const std::vector<float> mask(flat.size(), 1);
  std::vector<float> out(flat.size());
  run(Device::cpu,
      Whiten<float>{out.data(), flat.data(), mask.data(), int64_t(flat.size()), shift_mean});
  scatter(out, episodes, field);
}

void estimate_advantages(std::vector<Episode>& episodes, float gamma, float lambda) {
  for (Episode& e : episodes) {
    const int32_t length = int32_t(e.length());
    e.advantage.resize(e.response.size());
    e.returns.resize(e.response.size());
    run(Device::cpu, Gae<float>{.advantages = e.advantage.data(),
                                .returns = e.returns.data(),
                                .rewards = e.reward.data(),
                                .values = e.value.data(),
                                .length = &length,
                                .B = 1,
                                .T_max = length,
                                .gamma = gamma,
                                .lambda = lambda});
  }
}

class Ppo {
 public:
  Ppo(ActorCritic& model, const Gpt2& reference, const ScoreFunction& score, int32_t eos,
      const PpoConfig& config, int64_t updates)
      : model_(model),
        reference_(reference),
        score_(score),
        eos_(eos),
        config_(config),
        kl_(config.kl),
        trainer_(model, training_config(config, updates), [&](const std::string& name) {
          return name.starts_with("policy.") ? 1.0f : config.critic_rate;
        }) {}

  // Rollout: sample, score, and see the same tokens again under the reference and the critic.
  std::vector<Episode> rollout(std::span<const Tokens> prompts, uint64_t first_episode) {
    SamplingOptions sampling{.max_new_tokens = config_.response_length,
                             .temperature = config_.temperature,
                             .stop_tokens = {eos_},
                             .seed = config_.training.seed,
                             .first_sequence = first_episode};
    const auto start = Clock::now();
    std::vector<Episode> episodes =
        sample_episodes(model_.policy.transformer, prompts, sampling, int64_t(prompts.size()));
    generation_seconds += seconds_since(start);
    const std::vector<double> scores = score_(episodes);
    for (size_t i = 0; i < episodes.size(); i++) {
      episodes[i].score = scores[i];
      if (episodes[i].stopped || config_.missing_eos == MissingEos::keep) continue;
      const double penalty = config_.missing_eos_penalty;
      episodes[i].score =
          config_.missing_eos == MissingEos::replace ? -penalty : scores[i] - penalty;
    }
    const auto list = pointers(episodes);
    const int64_t batch = config_.per_device_train_batch_size;
    scatter(response_log_probs(reference_, list, config_.temperature, batch), episodes,
            &Episode::ref_log_prob);
    scatter(response_values(model_, list, batch), episodes, &Episode::value);
    return episodes;
  }

  // Several epochs of minibatch steps on the clipped losses.
  PpoStatistics optimise(const std::vector<Episode>& episodes, int64_t update) {
    PpoStatistics total;
    const int64_t n = int64_t(episodes.size());
    const int64_t k = config_.num_mini_batches;
    for (int64_t epoch = 0; epoch < config_.num_ppo_epochs; epoch++) {
      // Never the same order twice: updates and epochs count on in one sequence.
      const std::vector<int64_t> order = permutation(
          n, config_.training.seed + 1, uint64_t(update * config_.num_ppo_epochs + epoch));
      for (int64_t m = 0; m < k; m++) {
        std::vector<const Episode*> picked;
        for (int64_t i = n * m / k; i < n * (m + 1) / k; i++) {
          picked.push_back(&episodes[size_t(order[size_t(i)])]);
        }
        step(picked, total);
      }
    }
    return total;
  }

  void archive(StateArchive& a) {
    trainer_.archive(a);
    a.number("kl_coefficient", kl_.coefficient);
    a.number("generation_seconds", generation_seconds);
  }

  void adapt_kl(double kl, int64_t episodes) { kl_.update(kl, episodes); }
  double kl_coefficient() const { return kl_.coefficient; }

  double generation_seconds = 0;

 private:
  static TrainingConfig training_config(const PpoConfig& config, int64_t updates) {
    TrainingConfig training = config.training;
    training.max_steps = updates * config.num_ppo_epochs * config.num_mini_batches;
    return training;
  }

  // One optimizer step on a minibatch, in micro-batches whose losses are divided by the tokens of
  // the whole minibatch.
  void step(Slice mini_batch, PpoStatistics& total) {
    const int64_t tokens = count_tokens(mini_batch);
    const int64_t size = config_.per_device_train_batch_size;
    const int64_t micro_batches = (int64_t(mini_batch.size()) + size - 1) / size;
    const Trainer::Step done = trainer_.step(micro_batches, [&](int64_t micro) {
      const size_t first = size_t(micro * size);
      return loss(mini_batch.subspan(first, std::min(size_t(size), mini_batch.size() - first)),
                  tokens, total);
    });
    total.grad_norm += done.grad_norm;
    total.learning_rate = done.learning_rate;
    total.steps++;
  }

  // policy loss + vf_coef * value loss - entropy_coef * entropy, means over `tokens` tokens.
  Tensor loss(Slice episodes, int64_t tokens, PpoStatistics& total) {
    const ResponseBatch batch = response_batch(episodes);
    const std::vector<float> old_log_prob = flatten(episodes, &Episode::log_prob);
    const std::vector<float> old_value = flatten(episodes, &Episode::value);
    const Tensor advantage = column(flatten(episodes, &Episode::advantage));
    const Tensor returns = column(flatten(episodes, &Episode::returns));
    const Tensor weight = column(std::vector<float>(size_t(batch.count), 1.0f / float(tokens)));

    const Tensor hidden = gather(model_.policy.transformer(batch.batch), batch.row);
    const TokenLogProb p = token_log_prob(hidden, model_.policy.head(), batch.target,
                                          config_.temperature, /*with_entropy=*/true);
    const Tensor value = values_at(model_, batch, hidden);

    const Tensor policy_loss =
        ppo_policy_loss(p.log_prob, column(old_log_prob), advantage, config_.cliprange);
    const Tensor value_loss =
        ppo_value_loss(value, column(old_value), returns, config_.cliprange_value);
    Tensor sum =
        add(weighted_sum(policy_loss, weight), weighted_sum(value_loss, weight), config_.vf_coef);
    if (config_.entropy_coef != 0) {
      sum = add(sum, weighted_sum(p.entropy, weight), -config_.entropy_coef);
    }
    total.add({.policy_loss = policy_loss.to_vector<float>(),
               .value_loss = value_loss.to_vector<float>(),
               .log_prob = p.log_prob.to_vector<float>(),
               .old_log_prob = old_log_prob,
               .entropy = p.entropy.to_vector<float>(),
               .value = value.to_vector<float>(),
               .old_value = old_value,
               .advantage = flatten(episodes, &Episode::advantage),
               .returns = flatten(episodes, &Episode::returns)},
              config_.cliprange, config_.cliprange_value);
    return sum;
  }

  ActorCritic& model_;
  const Gpt2& reference_;
  const ScoreFunction& score_;
  int32_t eos_;
  const PpoConfig& config_;
  KlController kl_;
  Trainer trainer_;
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

void assign_rewards(std::vector<Episode>& episodes, double kl_coefficient,
                    const PpoConfig& config) {
  for (Episode& e : episodes) {
    e.reward.resize(e.response.size());
    for (size_t t = 0; t < e.response.size(); t++) {
      const double d = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
      e.reward[t] = float(-kl_coefficient * kl_estimate(config.kl_estimator, d));
    }
    e.reward.back() += float(e.score);
  }
  if (config.whiten_rewards) whiten(episodes, &Episode::reward, /*shift_mean=*/false);
  estimate_advantages(episodes, config.gamma, config.lambda);
  if (config.whiten_advantages) whiten(episodes, &Episode::advantage, /*shift_mean=*/true);
}

PpoResult ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
              const ScoreFunction& score, int32_t eos, const PpoConfig& config,
              const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, model.policy.transformer.config.n_positions, config.response_length);
  config.kl.validate();
  const int64_t batch = std::min(config.episodes_per_update, config.total_episodes);
  const int64_t updates = (config.total_episodes + batch - 1) / batch;
  check(config.num_mini_batches <= batch, "ppo", "expected at most {} minibatches, got {}", batch,
        config.num_mini_batches);
  Ppo algorithm(model, reference, score, eos, config, updates);
  BatchOrder order(int64_t(prompts.size()), 1, config.training.seed);
  PpoResult result{.updates = updates};
  const Archive state = [&](StateArchive& a) {
    algorithm.archive(a);
    a.number("episodes", result.episodes);
    a.number("seconds", result.seconds);
  };

  for (int64_t update = checkpoints.resume(state, updates) + 1; update <= updates; update++) {
    const auto start = Clock::now();
    std::vector<Tokens> picked;
    for (int64_t i = 0; i < batch; i++) {
      picked.push_back(prompts[size_t(order.at(result.episodes + i + 1)[0])]);
    }
    std::vector<Episode> episodes = algorithm.rollout(picked, uint64_t(result.episodes));
    assign_rewards(episodes, algorithm.kl_coefficient(), config);
    const PpoStatistics statistics = algorithm.optimise(episodes, update);
    result.episodes += batch;
    result.seconds += seconds_since(start);
    const RolloutSummary rollout =
        summarise(episodes, algorithm.kl_coefficient(), config.kl_estimator);
    Metrics metrics = ppo_metrics(rollout, statistics, algorithm.kl_coefficient());
    metrics.emplace_back("episode", double(result.episodes));
    metrics.emplace_back("eps", double(result.episodes) / result.seconds);
    on_update(update, updates, metrics, episodes);
    algorithm.adapt_kl(rollout.kl, batch);
    checkpoints.after(update, updates, state);
  }
  result.kl_coefficient = algorithm.kl_coefficient();
  result.generation_seconds = algorithm.generation_seconds;
  return result;
}

}  // namespace rlhf
