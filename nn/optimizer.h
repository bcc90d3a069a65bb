// The optimizers, each one pass over a parameter arena: AdamW, Adam, RMSprop, SGD with momentum.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/mirror.h"
#include "kernels/optimizer.h"
#include "nn/parameter_arena.h"

namespace rlhf {

enum class OptimizerKind { adamw, adam, rmsprop, sgd };

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adamw;
  float beta1 = 0.9f, beta2 = 0.999f;  ///< Adam's; beta2 is RMSprop's smoothing
  float eps = 1e-8f;
  AdamEpsilon epsilon_form = AdamEpsilon::torch;
  float momentum = 0;      ///< RMSprop's and SGD's
  float weight_decay = 0;  ///< decoupled for AdamW, L2 for the others; matrices and embeddings only
  float l1 = 0;            ///< factor of the sum of absolute values, on the same parameters
  float max_grad_norm = 0;  ///< clip by global norm; 0: off
  float clip_value = 0;     ///< clip each element; 0: off
  /// Of a bfloat16 model: keep parameters in float beside it and round them to nearest; they begin
  /// as what was drawn or read, before it was rounded (Placement::keeps_exact). Off: 4
  /// bytes a parameter less, and updates are rounded by chance (ParameterRounding).
  bool masters = true;
};

class Optimizer {
 public:
  /// `rate_of` scales the learning rate of a parameter, by name (a critic's own rate, for example).
  Optimizer(
      const ParameterArena& arena, const OptimizerConfig& config,
      const std::function<float(const std::string&)>& rate_of = [](const std::string&) {
        return 1.0f;
      });

  /// One update from the arena's gradients with state.learning_rate; advances state.step and clears
  /// the gradients. Returns the global gradient norm before clipping.
  /// @throws Error when the norm is not finite; the parameters are then as they were.
  double step(StepState& state);

  /// The two halves of step(). The global norm of the arena's gradients, after clip_value and
  /// before max_grad_norm, which decides by how much update() will scale them.
  double gradient_norm();
  /// REQUIRES: gradient_norm() of the same gradients, and that it was finite.
  void update(StepState& state);

  /// Holds the parameters that `held` names as they are, without moments, until it is called again;
  /// those that learn from now on begin with Adam's first step, `start` steps into the run.
  void hold(const std::function<bool(const std::string& name)>& held, uint64_t start);

  /// What the updates are added to, parameter by parameter: the parameters themselves, or the float
  /// masters of a bfloat16 model, which its parameters are the roundings of. Whoever writes there
  /// calls adopt_masters() afterwards.
  void for_each_master(
      const std::function<void(const std::string& name, const Tensor& master)>& f) const;
  void adopt_masters();

  /// Adam's moments or the momentum, parameter by parameter, as "first.<name>" and "second.<name>".
  void for_each_moment(
      const std::function<void(const std::string& name, const Tensor& moment)>& f) const;

 private:
  template <class T>
  void move_parameters(const StepState& state);

  const ParameterArena& arena_;
  OptimizerConfig config_;
  std::vector<OptimizerSegment> segments_;
  // An update is smaller than the last bit of a bfloat16 (Micikevicius et al. 2018, section 3.1).
  Tensor master_;                            // of a bfloat16 model that has masters; else undefined
  Tensor first_;                             // Adam's m, or the momentum buffer
  Tensor second_;                            // Adam's and RMSprop's v
  Tensor scale_;                             // (1): what max_grad_norm makes of the gradients
  Mirror<OptimizerSegment> segments_there_;  // where the arena's device reads them
  Mirror<StepState> state_there_;
};

}  // namespace rlhf
