#include "rl/classical/ppo.h"

#include <cmath>

#include "data/shuffle.h"

namespace rlhf::classical {
namespace {

class Ppo : public PolicyGradient {
 public:
  Ppo(Agent& agent, const MakeEnvironment& make, const PpoConfig& config, int64_t updates)
      : PolicyGradient(agent, make, config, config.num_envs,
                       updates * config.update_epochs * config.num_minibatches),
        config_(config) {}

  void update(int64_t update) {
    Rollout rollout = collector_.collect(agent_, config_.num_steps, config_.gamma);
    estimate_advantages(rollout, config_.gamma, config_.lambda);
    learn(rollout, update);
    explained_variance_ = explained_variance(rollout);
  }

  void report(Metrics& metrics) {
    PolicyGradient::report(metrics);
    metrics.emplace_back("losses/old_approx_kl", old_approx_kl_.take());
    metrics.emplace_back("losses/approx_kl", approx_kl_.take());
    metrics.emplace_back("losses/clipfrac", clip_fraction_.take());
    metrics.emplace_back("losses/explained_variance", explained_variance_);
  }

  void archive(StateArchive& a) {
    PolicyGradient::archive(a);
    old_approx_kl_.archive(a, "old_approx_kl");
    approx_kl_.archive(a, "approx_kl");
    clip_fraction_.archive(a, "clipfrac");
  }

 private:
  // Several epochs of minibatches, each epoch in an order of its own.
  void learn(const Rollout& rollout, int64_t update) {
    const int64_t n = rollout.rows(), k = config_.num_minibatches;
    for (int64_t epoch = 0; epoch < config_.update_epochs; epoch++) {
      const std::vector<int64_t> order =
          permutation(n, config_.seed, uint64_t(update * config_.update_epochs + epoch));
      double kl = 0;
      for (int64_t m = 0; m < k; m++) {
        const auto rows =
            std::span(order).subspan(size_t(n * m / k), size_t(n * (m + 1) / k - n * m / k));
        kl = learn(minibatch(rollout, rows, config_.norm_adv, agent_));
      }
      if (config_.target_kl > 0 && kl > config_.target_kl) {
        return trainer_.pass_over((config_.update_epochs - 1 - epoch) * k);
      }
    }
  }

  // One optimizer step; @returns the approximate KL to the policy of the rollout before it.
  double learn(const MiniBatch& batch) {
    const Losses losses = step([&] {
      return clipped_loss(agent_, batch, config_.clip_coef,
                          config_.clip_vloss ? config_.clip_coef : 0, config_.loss);
    });
    return watch(losses.log_prob.to_vector<float>(), batch.log_prob.to_vector<float>());
  }

  // How far the policy has moved: http://joschu.net/blog/kl-approx.html, estimators k1 and k3.
  double watch(std::span<const float> log_prob, std::span<const float> old_log_prob) {
    const double n = double(log_prob.size());
    double k1 = 0, k3 = 0, clipped = 0;
    for (size_t i = 0; i < log_prob.size(); i++) {
      const double log_ratio = double(log_prob[i]) - double(old_log_prob[i]);
      const double ratio_less_one = std::expm1(log_ratio);
      k1 -= log_ratio / n;
      k3 += (ratio_less_one - log_ratio) / n;
      clipped += (std::abs(ratio_less_one) > config_.clip_coef) / n;
    }
    old_approx_kl_.add(k1);
    approx_kl_.add(k3);
    clip_fraction_.add(clipped);
    return k3;
  }

  const PpoConfig& config_;
  IntervalMean old_approx_kl_, approx_kl_, clip_fraction_;
  double explained_variance_ = 0;  // of the last update
};

}  // namespace

void validate(const PpoConfig& config) {
  const int64_t rows = config.num_envs * config.num_steps;
  check_steps(config.total_timesteps, config.num_envs, config.num_steps, config.logging_updates);
  check_critic(config.network);
  check_share("--gamma", config.gamma);
  check_share("--gae_lambda", config.lambda);
  if (config.num_minibatches < 1 || config.num_minibatches > rows) {
    input_error("--num_minibatches", "expected from 1 to the {} steps of an update, got {}", rows,
                config.num_minibatches);
  }
  if (config.update_epochs < 1) {
    input_error("--update_epochs", "expected at least 1, got {}", config.update_epochs);
  }
}

RunResult ppo(Agent& agent, const MakeEnvironment& make, const PpoConfig& config,
              const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / (config.num_envs * config.num_steps);
  Ppo algorithm(agent, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
