// The KL penalty as a loss, token by token.
#include "kernels/kl_loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/support/pointwise.h"

namespace rlhf {
namespace {

/// One token's estimate and its derivative by the log-ratio.
template <class T>
struct KlEstimate {
  T value = 0, slope = 0;

  KlEstimate(const auto& c, int64_t i) {
    const T bound = T(c.log_ratio_clamp), most = T(c.clamp);
    T d = c.log_prob[i] - c.ref_log_prob[i];
    const bool cut = bound > 0 && std::abs(d) > bound;
    if (cut) d = std::clamp(d, -bound, bound);
    switch (c.kind) {
      case KlLossKind::k1:
        value = d;
        slope = 1;
        break;
      case KlLossKind::k2:
        value = d * d / 2;
        slope = d;
        break;
      case KlLossKind::k3:
        value = std::expm1(-d) + d;
        slope = -std::expm1(-d);
        break;
      case KlLossKind::straight_through_k3:
        value = std::expm1(-d) + d;
        slope = d;
        break;
    }
    if (cut || (most > 0 && std::abs(value) > most)) slope = 0;
    if (most > 0) value = std::clamp(value, -most, most);
  }
};

}  // namespace

template <class T>
void run(Cpu, const KlLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) { c.loss[i] = KlEstimate<T>(c, i).value; });
}

template <class T>
void run(Cpu, const KlLossBackward<T>& c, Stream) {
  cpu::for_each_element(
      c, [&](int64_t i) { cpu::put(c.d_log_prob, i, c.d_loss[i] * KlEstimate<T>(c, i).slope); });
}

template void run(Cpu, const KlLossForward<float>&, Stream);
template void run(Cpu, const KlLossForward<double>&, Stream);
template void run(Cpu, const KlLossBackward<float>&, Stream);
template void run(Cpu, const KlLossBackward<double>&, Stream);

}  // namespace rlhf
