#include "rl/classical/q_learner.h"

#include <numeric>

#include "rl/classical/exploration.h"
#include "rl/classical/parameter_archive.h"
#include "rl/classical/run.h"

namespace rlhf::classical {

void validate(const QLearnerConfig& config) {
  const auto at_least_one = [](const char* flag, int64_t value) {
    if (value < 1) input_error(flag, "expected at least 1, got {}", value);
  };
  at_least_one("--buffer_size", config.buffer_size);
  at_least_one("--batch_size", config.batch_size);
  check_share("--gamma", config.gamma);
  check_share("--tau", config.tau);
  if (config.loss == PointwiseKind::bce) {
    input_error("--loss", "expected mse or huber, got bce");
  }
}

QLearner::QLearner(MultilayerPerceptron& network, const QLearnerConfig& config, int64_t updates,
                   uint64_t seed)
    : network_(network),
      config_(config),
      seed_(seed),
      trainer_(network, training_of(config.learner, updates, seed)),
      target_(frozen_copy(network)) {}

int64_t QLearner::act(std::span<const float> observation, double epsilon, int64_t step) const {
  const PhiloxWords words = random_words(seed_, RandomStream::exploration, 0, 0, uint64_t(step));
  const int64_t actions = network_.layers.back().bias.count();
  if (unit_double(words[0], words[1]) < epsilon) {
    return int64_t(unit_double(words[2], words[3]) * double(actions));
  }
  int64_t best = 0;
  greedy_actions(action_values(network_, observation, 1), {&best, 1});
  return best;
}

void QLearner::learn(const ReplayBuffer& memory) {
  const int64_t update = int64_t(trainer_.updates());
  const ReplayBatch batch = memory.sample(config_.batch_size, seed_, update);
  const std::vector<double> targets =
      q_targets(batch, target_, config_.double_q ? &network_ : nullptr, config_.gamma);
  QLoss loss;
  const Trainer::Step done = trainer_.step(1, [&](int64_t) {
    loss = q_loss(network_, batch, targets, config_.loss);
    return loss.loss;
  });
  loss_.add(done.loss);
  grad_norm_.add(done.grad_norm);
  learning_rate_ = done.learning_rate;
  const std::vector<float> values = loss.value.to(DType::f32).to_vector<float>();
  value_.add(std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()));
}

void QLearner::move_target() {
  const auto from = state_dict(network_), to = state_dict(target_);
  for (size_t i = 0; i < from.size(); i++) {
    const Tensor &network = from[i].tensor, &target = to[i].tensor;
    const bool whole = config_.tau == 1;
    target.copy_from(whole ? network : add(target, add(network, target, -1), config_.tau));
  }
}

void QLearner::report(Metrics& metrics) {
  metrics.emplace_back("losses/td_loss", loss_.take());
  metrics.emplace_back("losses/q_values", value_.take());
  metrics.emplace_back("grad_norm", grad_norm_.take());
  metrics.emplace_back("charts/learning_rate", learning_rate_);
}

void QLearner::archive(StateArchive& a) {
  trainer_.archive(a);
  archive_parameters(a, "target", target_);
  loss_.archive(a, "td_loss");
  value_.archive(a, "q_values");
  grad_norm_.archive(a, "grad_norm");
  a.number("learning_rate", learning_rate_);
}

}  // namespace rlhf::classical
