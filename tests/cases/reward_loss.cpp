// Losses of scalar rewards against their formulas.
#include "kernels/reward_loss.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct PairwiseLossCase {
  struct Shape {
    std::string label;
    int64_t count;
    bool margin = false;
    float centering = 0;
    double size = 2;  ///< of rewards
  };
  static constexpr const char* name = "pairwise_loss";
  static std::vector<Shape> shapes() {
    return {{"one", 1},
            {"margin", 33, true},
            {"centred", 50, true, 0.01f},
            {"certain", 40, false, 0, 60},
            {"parallel", 8000, true, 0.01f}};
  }
  static std::vector<Shape> bench_shapes() { return {{"4096", 4096}}; }

  template <class T>
  static PairwiseLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .chosen = b.normal<T>(s.count, s.size),
            .rejected = b.normal<T>(s.count, s.size),
            .margin = s.margin ? b.uniform<T>(s.count, 0, 1) : nullptr,
            .count = s.count,
            .centering = s.centering};
  }

  static void reference(const PairwiseLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double lead = c.chosen[i] - c.rejected[i] - (c.margin ? c.margin[i] : 0);
      const double sum = c.chosen[i] + c.rejected[i];
      c.loss[i] = std::log1p(std::exp(-lead)) + double(c.centering) * sum * sum;
    }
  }

  template <class T>
  static PairwiseLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_chosen = b.gradient<T>(s.count),
            .d_rejected = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .chosen = b.normal<T>(s.count),
            .rejected = b.normal<T>(s.count),
            .margin = s.margin ? b.uniform<T>(s.count, 0, 1) : nullptr,
            .count = s.count,
            .centering = s.centering};
  }

  // The differenced sum of the largest shape has lost six digits.
  static constexpr Tolerance tolerance = {.gradient = 1e-5};
};
const Register<PairwiseLossCase> registered_pairwise;

struct PointwiseLossCase {
  struct Shape {
    std::string label;
    int64_t count;
    PointwiseKind kind;
  };
  static constexpr const char* name = "pointwise_loss";
  static std::vector<Shape> shapes() {
    return {{"bce", 33, PointwiseKind::bce},
            {"mse", 33, PointwiseKind::mse},
            {"huber", 33, PointwiseKind::huber},
            {"parallel", 10000, PointwiseKind::bce}};
  }
  static std::vector<Shape> bench_shapes() { return {{"4096", 4096, PointwiseKind::bce}}; }

  template <class T>
  static PointwiseLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .reward = b.normal<T>(s.count, 5),
            .label = b.uniform<T>(s.count, 0, 1),
            .count = s.count,
            .kind = s.kind};
  }

  static void reference(const PointwiseLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double x = c.reward[i], y = c.label[i];
      const double squared = (x - y) * (x - y) / 2, far = std::abs(x - y);
      switch (c.kind) {
        case PointwiseKind::bce:
          c.loss[i] = std::log1p(std::exp(x)) - y * x;
          break;
        case PointwiseKind::mse:
          c.loss[i] = squared;
          break;
        case PointwiseKind::huber:
          c.loss[i] = far < 1 ? squared : far - 0.5;
          break;
      }
    }
  }

  template <class T>
  static PointwiseLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_reward = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .reward = b.normal<T>(s.count),
            .label = b.uniform<T>(s.count, 0, 1),
            .count = s.count,
            .kind = s.kind};
  }
};
const Register<PointwiseLossCase> registered_pointwise;

}  // namespace
}  // namespace rlhf
