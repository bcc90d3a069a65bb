// One step of deep Q-learning: a batch of what was lived through, targets by a network that lags
// behind, a gradient step towards them (Mnih et al. 2015, "Human-level control through deep
// reinforcement learning", algorithm 1).
#pragma once

#include "rl/classical/learner.h"
#include "rl/classical/q_network.h"

namespace rlhf::classical {

/// The defaults are CleanRL's for CartPole, whose names these are.
struct QLearnerConfig {
  int64_t buffer_size = 10000;  ///< transitions that are remembered
  int64_t batch_size = 128;     ///< of them, a gradient step
  float gamma = 0.99f;          ///< discount
  float tau = 1;                ///< share of the network that a moving of the target network takes
  bool double_q = false;        ///< double Q-learning
  PointwiseKind loss = PointwiseKind::mse;  ///< mse or huber
  LearnerConfig learner{.anneal_lr = false, .epsilon = 1e-8f, .max_grad_norm = 0};
  QNetworkConfig network;
};

/// @throws InputError for figures that no run can use.
void validate(const QLearnerConfig& config);

class QLearner {
 public:
  /// Learns into `network` within `updates` updates: gradient steps, or passed over.
  QLearner(MultilayerPerceptron& network, const QLearnerConfig& config, int64_t updates,
           uint64_t seed);

  /// The best action with probability 1 - epsilon, else any, as a pure function of (seed, step).
  int64_t act(std::span<const float> observation, double epsilon, int64_t step) const;
  /// One gradient step on a batch of what `memory` holds.
  void learn(const ReplayBuffer& memory);
  /// An update that learns nothing: its share of the schedule passes.
  void pass_over() { trainer_.pass_over(1); }
  /// target = tau network + (1 - tau) target.
  void move_target();

  void report(Metrics& metrics);
  void archive(StateArchive& a);

 private:
  MultilayerPerceptron& network_;
  const QLearnerConfig& config_;
  uint64_t seed_;
  Trainer trainer_;
  MultilayerPerceptron target_;
  IntervalMean loss_, value_, grad_norm_;
  double learning_rate_ = 0;
};

}  // namespace rlhf::classical
