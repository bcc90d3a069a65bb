// PPO's two losses, token by token.
#include "kernels/ppo_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/support/pointwise.h"

namespace rlhf {
namespace {

/// -advantage * ratio, the same with the ratio clipped, and what bounds both.
template <class T>
struct PolicySurrogate {
  T plain, clipped;
  T most = std::numeric_limits<T>::infinity();
  bool held;  ///< whether the log-ratio was cut: it has no gradient then

  PolicySurrogate(const auto& c, int64_t i) {
    const T low = T(c.clip), high = c.clip_high > 0 ? T(c.clip_high) : low;
    const T bound = T(c.log_ratio_clamp);
    T log_ratio = c.log_prob[i] - c.old_log_prob[i];
    held = bound > 0 && std::abs(log_ratio) > bound;
    if (held) log_ratio = std::clamp(log_ratio, -bound, bound);
    const T ratio = std::exp(log_ratio);
    plain = -c.advantage[i] * ratio;
    clipped = -c.advantage[i] * std::clamp(ratio, 1 - low, 1 + high);
    if (c.dual_clip > 0 && c.advantage[i] < 0) most = -c.advantage[i] * T(c.dual_clip);
  }
  T loss() const { return std::min(std::max(plain, clipped), most); }
  bool moves() const { return plain >= clipped && plain <= most && !held; }
};

/// The error of the value, and of the value held near the old one.
template <class T>
struct ValueErrors {
  T plain, clipped;
  bool held;  ///< whether clipping changed the value: its error has no gradient then

  ValueErrors(T value, T old_value, T target, T clip) {
    const T near = clip > 0 ? std::clamp(value, old_value - clip, old_value + clip) : value;
    plain = value - target;
    clipped = near - target;
    held = near != value;
  }
};

}  // namespace

template <class T>
void run(Cpu, const PpoPolicyLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) { c.loss[i] = PolicySurrogate<T>(c, i).loss(); });
}

template <class T>
void run(Cpu, const PpoPolicyLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const PolicySurrogate<T> s(c, i);
    cpu::put(c.d_log_prob, i, s.moves() ? c.d_loss[i] * s.plain : T(0));
  });
}

template <class T>
void run(Cpu, const PpoValueLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const ValueErrors<T> e(c.value[i], c.old_value[i], c.target[i], T(c.clip));
    c.loss[i] = std::max(e.plain * e.plain, e.clipped * e.clipped) / 2;
  });
}

template <class T>
void run(Cpu, const PpoValueLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const ValueErrors<T> e(c.value[i], c.old_value[i], c.target[i], T(c.clip));
    const bool moves = !e.held || e.plain * e.plain >= e.clipped * e.clipped;
    cpu::put(c.d_value, i, moves ? c.d_loss[i] * e.plain : T(0));
  });
}

template void run(Cpu, const PpoPolicyLossForward<float>&, Stream);
template void run(Cpu, const PpoPolicyLossForward<double>&, Stream);
template void run(Cpu, const PpoPolicyLossBackward<float>&, Stream);
template void run(Cpu, const PpoPolicyLossBackward<double>&, Stream);
template void run(Cpu, const PpoValueLossForward<float>&, Stream);
template void run(Cpu, const PpoValueLossForward<double>&, Stream);
template void run(Cpu, const PpoValueLossBackward<float>&, Stream);
template void run(Cpu, const PpoValueLossBackward<double>&, Stream);

}  // namespace rlhf
