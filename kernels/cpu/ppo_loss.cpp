// PPO's two losses, token by token.
#include "kernels/ppo_loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/support/pointwise.h"

namespace rlhf {
namespace {

/// -advantage * ratio, and the same with the ratio clipped.
template <class T>
struct PolicySurrogate {
  T ratio, plain, clipped;

  PolicySurrogate(T log_prob, T old_log_prob, T advantage, T clip)
      : ratio(std::exp(log_prob - old_log_prob)),
        plain(-advantage * ratio),
        clipped(-advantage * std::clamp(ratio, 1 - clip, 1 + clip)) {}
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
  cpu::for_each_element(c, [&](int64_t i) {
    const PolicySurrogate<T> s(c.log_prob[i], c.old_log_prob[i], c.advantage[i], T(c.clip));
    c.loss[i] = std::max(s.plain, s.clipped);
  });
}

template <class T>
void run(Cpu, const PpoPolicyLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const PolicySurrogate<T> s(c.log_prob[i], c.old_log_prob[i], c.advantage[i], T(c.clip));
    cpu::put(c.d_log_prob, i, s.plain >= s.clipped ? c.d_loss[i] * s.plain : T(0));
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
