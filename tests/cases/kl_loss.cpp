// The KL estimators as losses, written out from Schulman's note.
#include "kernels/kl_loss.h"

#include <algorithm>
#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct Shape {
  std::string label;
  int64_t count;
  KlLossKind kind;
  float log_ratio_clamp = 0;
  float clamp = 0;
};

struct KlLossCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "kl_loss";
  // A straight-through gradient is not that of its value: nothing here can check it, see
  // numeric_oracles_test.cpp.
  static std::vector<Shape> shapes() {
    return {{"k1", 1, KlLossKind::k1},
            {"k2", 301, KlLossKind::k2},
            {"k3", 7000, KlLossKind::k3},
            {"k2_clamped", 301, KlLossKind::k2, 0, 0.1f},
            {"k3_log_ratio_clamped", 301, KlLossKind::k3, 0.25f}};
  }
  static std::vector<Shape> bench_shapes() { return {{"512x53", 512 * 53, KlLossKind::k3}}; }

  template <class T>
  static KlLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .log_prob = b.normal<T>(s.count, 0.5, -2),
            .ref_log_prob = b.normal<T>(s.count, 0.5, -2),
            .count = s.count,
            .kind = s.kind,
            .log_ratio_clamp = s.log_ratio_clamp,
            .clamp = s.clamp};
  }

  static void reference(const KlLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double bound = c.log_ratio_clamp > 0 ? double(c.log_ratio_clamp) : 1e9;
      const double d = std::min(std::max(c.log_prob[i] - c.ref_log_prob[i], -bound), bound);
      const double estimate = c.kind == KlLossKind::k1   ? d
                              : c.kind == KlLossKind::k2 ? 0.5 * std::pow(d, 2)
                                                         : std::exp(-d) - 1 + d;
      const double most = c.clamp > 0 ? double(c.clamp) : 1e9;
      c.loss[i] = std::min(std::max(estimate, -most), most);
    }
  }

  template <class T>
  static KlLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_log_prob = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .log_prob = b.normal<T>(s.count, 0.5, -2),
            .ref_log_prob = b.normal<T>(s.count, 0.5, -2),
            .count = s.count,
            .kind = s.kind,
            .log_ratio_clamp = s.log_ratio_clamp,
            .clamp = s.clamp};
  }
};
const Register<KlLossCase> registered;

}  // namespace
}  // namespace rlhf
