#include "nn/optimizer.h"

#include <cmath>

#include "kernels/convert.h"
#include "kernels/gradient_clip.h"
#include "kernels/run.h"

namespace rlhf {

Optimizer::Optimizer(const ParameterArena& arena, const OptimizerConfig& config,
                     const std::function<float(const std::string&)>& rate_of)
    : arena_(arena),
      config_(config),
      segments_there_(arena.device()),
      state_there_(arena.device()) {
  for (const ParameterArena::Entry& entry : arena.entries()) {
    // Biases and norms have one axis; shrinking them helps nothing (Loshchilov and Hutter's code,
    // GPT-3's and nanoGPT's agree).
    const bool decays = entry.tensor.shape().rank() >= 2;
    segments_.push_back({.begin = entry.begin,
                         .end = entry.begin + entry.tensor.count(),
                         .rate = rate_of(entry.name),
                         .decay = decays ? config.weight_decay : 0,
                         .l1 = decays ? config.l1 : 0});
  }
  const DType dtype = accumulator_of(arena.dtype());
  const auto buffer = [&] { return Tensor::zeros({arena.count()}, dtype, arena.device()); };
  if (dtype != arena.dtype() && config.masters) {
    master_ = buffer();
    run(arena.device(),
        Convert<bf16, float>{{master_.data<float>()}, arena.values().data<bf16>(), arena.count()});
    for (const ParameterArena::Entry& entry : arena.entries()) {
      if (entry.exact.defined()) {
        master_.view(entry.begin, entry.tensor.shape()).copy_from(entry.exact);
      }
    }
  }
  first_ = buffer();
  if (config.kind != OptimizerKind::sgd) second_ = buffer();
  scale_ = Tensor::empty({1}, dtype, arena.device());
}

double Optimizer::step(StepState& state) {
  const double norm = gradient_norm();
  check(std::isfinite(norm), "gradient", "expected a finite norm at step {}, got {}",
        state.step + 1, norm);
  update(state);
  return norm;
}

double Optimizer::gradient_norm() {
  const Tensor gradients = arena_.gradients();
  return dispatch_accumulator(gradients.dtype(), [&](auto t) -> double {
    using T = decltype(t);
    const Device device = arena_.device();
    if (config_.clip_value > 0) {
      run(device, GradientClipValue<T>{gradients.data<T>(), gradients.count(), config_.clip_value});
    }
    const Tensor norm = Tensor::empty({1}, gradients.dtype(), device);
    run(device, GradientNorm<T>{norm.data<T>(), scale_.data<T>(), gradients.data<T>(),
                                gradients.count(), config_.max_grad_norm});
    return norm.item();
  });
}

void Optimizer::update(StepState& state) {
  state.step++;
  dispatch(arena_.dtype(), [&](auto t) { move_parameters<decltype(t)>(state); });
  arena_.reset_gradients();
}

void Optimizer::hold(const std::function<bool(const std::string& name)>& held, uint64_t start) {
  for (size_t i = 0; i < segments_.size(); i++) {
    const ParameterArena::Entry& entry = arena_.entries()[i];
    const bool hold = held(entry.name);
    if (segments_[i].frozen && !hold) segments_[i].start = start;
    segments_[i].frozen = hold;
  }
}

void Optimizer::for_each_master(
    const std::function<void(const std::string& name, const Tensor& master)>& f) const {
  const Tensor& masters = master_.defined() ? master_ : arena_.values();
  for (const ParameterArena::Entry& entry : arena_.entries()) {
    f(entry.name, masters.view(entry.begin, entry.tensor.shape()));
  }
}

void Optimizer::adopt_masters() {
  if (!master_.defined()) return;
  run(arena_.device(),
      Convert<float, bf16>{{arena_.values().data<bf16>()}, master_.data<float>(), arena_.count()});
}

void Optimizer::for_each_moment(
    const std::function<void(const std::string& name, const Tensor& moment)>& f) const {
  for (const ParameterArena::Entry& entry : arena_.entries()) {
    f("first." + entry.name, first_.view(entry.begin, entry.tensor.shape()));
    if (second_.defined()) {
      f("second." + entry.name, second_.view(entry.begin, entry.tensor.shape()));
    }
  }
}

template <class T>
void Optimizer::move_parameters(const StepState& state) {
  const OptimizerArena<T> arena{
      .parameter = arena_.values().data<T>(),
      .master = master_.data<Accumulator<T>>(),
      .gradient = arena_.gradients().data<Accumulator<T>>(),
      .count = arena_.count(),
      .segment = segments_there_.publish(segments_),
      .segments = int64_t(segments_.size()),
      .gradient_scale = scale_.data<Accumulator<T>>(),
      .state = state_there_.publish(state),
      .decay_mode = config_.kind == OptimizerKind::adamw ? DecayMode::decoupled : DecayMode::l2,
      .rounding = config_.masters ? ParameterRounding::nearest : ParameterRounding::by_chance};
  auto* const first = first_.data<Accumulator<T>>();
  auto* const second = second_.data<Accumulator<T>>();
  switch (config_.kind) {
    case OptimizerKind::adamw:
    case OptimizerKind::adam:
      return run(arena_.device(), AdamStep<T>{arena, first, second, config_.beta1, config_.beta2,
                                              config_.eps, config_.epsilon_form});
    case OptimizerKind::rmsprop:
      return run(arena_.device(), RmsPropStep<T>{arena, second, first, config_.beta2,
                                                 config_.momentum, config_.eps});
    case OptimizerKind::sgd:
      return run(arena_.device(), SgdStep<T>{arena, first, config_.momentum});
  }
}

}  // namespace rlhf
