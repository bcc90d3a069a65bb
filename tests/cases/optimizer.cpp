// One step of each optimizer against its formula, over segments that differ in everything.
#include "kernels/optimizer.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct Shape {
  std::string label;
  int64_t count;
  uint64_t step = 1;
  DecayMode decay_mode = DecayMode::decoupled;
  bool scaled = false;  ///< whether a gradient scale is given
  bool master = false;
  ParameterRounding rounding = ParameterRounding::nearest;
};

std::vector<Shape> all_shapes() {
  return {
      {"first_step", 37},
      {"later_l2", 1003, 9, DecayMode::l2, true},
      {"parallel", 120001, 100, DecayMode::decoupled, true},
      {"master", 5001, 7, DecayMode::decoupled, true, true},
      {"rounded_by_chance", 5001, 7, DecayMode::l2, false, false, ParameterRounding::by_chance}};
}
// A bf16 parameter is off by half a digit, by chance by up to a whole one.
constexpr Tolerance all_tolerances = {.bf16 = 8e-3};
std::vector<Shape> all_bench_shapes() { return {{"16M", 16 << 20}}; }
std::vector<Shape> all_gpu_bench_shapes() {
  return {{"64M", 64 << 20}, {"64M_master", 64 << 20, 1, DecayMode::decoupled, false, true}};
}

template <class T>
OptimizerArena<T> arena(Buffers& b, const Shape& s) {
  const int64_t n = s.count;
  // One plain, one frozen, one with everything; a gap before the last, which has its own
  // rate and began to learn later.
  const std::vector<OptimizerSegment> segments = {
      {0, n / 4},
      {n / 4, n / 3, 1, 0.1f, 0, true},
      {n / 3, n / 2, 1, 0.1f, 0.01f},
      {n / 2 + 2, n - 1, 0.3f, 0.02f, 0, false, s.step / 2}};
  OptimizerArena<T> a{};
  a.parameter = b.normal<T>(n);
  a.master = s.master ? b.normal<Accumulator<T>>(n) : nullptr;
  a.gradient = b.normal<Accumulator<T>>(n);
  a.count = n;
  a.segment = b.hold(segments);
  a.segments = int64_t(segments.size());
  a.gradient_scale = s.scaled ? b.hold<Accumulator<T>>({Accumulator<T>(0.25)}) : nullptr;
  a.state = b.hold<StepState>({{.seed = 5, .step = s.step, .learning_rate = 0.0625f}});
  a.decay_mode = s.decay_mode;
  a.rounding = s.rounding;
  return a;
}

/// body(i, parameter, gradient, rate, t) for every element that learns, after the decoupled decay.
void for_each_learning(const OptimizerArena<double>& a, auto&& body) {
  for (int64_t s = 0; s < a.segments; s++) {
    const OptimizerSegment& segment = a.segment[s];
    const double rate = double(a.state->learning_rate) * double(segment.rate);
    for (int64_t i = segment.begin; i < segment.end && !segment.frozen; i++) {
      double& x = a.master ? a.master[i] : a.parameter[i];
      double g = a.gradient[i] * (a.gradient_scale ? *a.gradient_scale : 1);
      g += double(segment.l1) * ((x > 0) - (x < 0));
      if (a.decay_mode == DecayMode::l2) g += double(segment.decay) * x;
      if (a.decay_mode == DecayMode::decoupled) x -= rate * double(segment.decay) * x;
      body(i, x, g, rate, double(a.state->step - segment.start));
      a.parameter[i] = x;
    }
  }
}

struct AdamCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "optimizer_adam";
  static std::vector<Shape> shapes() { return all_shapes(); }
  static std::vector<Shape> bench_shapes() { return all_bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return all_gpu_bench_shapes(); }

  template <class T>
  static AdamStep<T> forward(Buffers& b, const Shape& s) {
    return {.arena = arena<T>(b, s),
            .m = b.normal<Accumulator<T>>(s.count, 0.1),
            .v = b.uniform<Accumulator<T>>(s.count, 0, 1),
            .beta1 = 0.8f,
            .beta2 = 0.95f,
            .eps = s.decay_mode == DecayMode::l2 ? 1e-2f : 1e-5f,
            .epsilon_form = s.decay_mode == DecayMode::l2 ? AdamEpsilon::tf : AdamEpsilon::torch};
  }

  static void reference(const AdamStep<double>& c) {
    const double b1 = double(c.beta1), b2 = double(c.beta2);
    for_each_learning(c.arena, [&](int64_t i, double& x, double g, double rate, double t) {
      c.m[i] = b1 * c.m[i] + (1 - b1) * g;
      c.v[i] = b2 * c.v[i] + (1 - b2) * g * g;
      if (c.epsilon_form == AdamEpsilon::tf) {  // TensorFlow 1's AdamOptimizer
        const double rate_t = rate * std::sqrt(1 - std::pow(b2, t)) / (1 - std::pow(b1, t));
        x -= rate_t * c.m[i] / (std::sqrt(c.v[i]) + double(c.eps));
        return;
      }
      const double m = c.m[i] / (1 - std::pow(b1, t)), v = c.v[i] / (1 - std::pow(b2, t));
      x -= rate * m / (std::sqrt(v) + double(c.eps));
    });
  }
  static constexpr Tolerance tolerance = all_tolerances;
};
const Register<AdamCase> registered_adam;

struct RmsPropCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "optimizer_rmsprop";
  static std::vector<Shape> shapes() { return all_shapes(); }
  static std::vector<Shape> bench_shapes() { return all_bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return all_gpu_bench_shapes(); }

  template <class T>
  static RmsPropStep<T> forward(Buffers& b, const Shape& s) {
    return {.arena = arena<T>(b, s),
            .v = b.uniform<Accumulator<T>>(s.count, 0, 1),
            .momentum_buffer = b.normal<Accumulator<T>>(s.count),
            .alpha = 0.9f,
            .momentum = 0.5f,
            .eps = 1e-3f};
  }

  static void reference(const RmsPropStep<double>& c) {
    const double alpha = double(c.alpha);
    for_each_learning(c.arena, [&](int64_t i, double& x, double g, double rate, double) {
      c.v[i] = alpha * c.v[i] + (1 - alpha) * g * g;
      double& velocity = c.momentum_buffer[i];
      velocity = double(c.momentum) * velocity + g / (std::sqrt(c.v[i]) + double(c.eps));
      x -= rate * velocity;
    });
  }
  static constexpr Tolerance tolerance = all_tolerances;
};
const Register<RmsPropCase> registered_rmsprop;

struct SgdCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "optimizer_sgd";
  static std::vector<Shape> shapes() { return all_shapes(); }
  static std::vector<Shape> bench_shapes() { return all_bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return all_gpu_bench_shapes(); }

  template <class T>
  static SgdStep<T> forward(Buffers& b, const Shape& s) {
    return {.arena = arena<T>(b, s),
            .momentum_buffer = b.normal<Accumulator<T>>(s.count),
            .momentum = 0.9f};
  }

  static void reference(const SgdStep<double>& c) {
    for_each_learning(c.arena, [&](int64_t i, double& x, double g, double rate, double) {
      double& velocity = c.momentum_buffer[i];
      velocity = double(c.momentum) * velocity + g;
      x -= rate * velocity;
    });
  }
  static constexpr Tolerance tolerance = all_tolerances;
};
const Register<SgdCase> registered_sgd;

}  // namespace
}  // namespace rlhf
