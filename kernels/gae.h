// Generalised advantage estimation (Schulman et al. 2016, equations 11 and 16).
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// Per row b, t from length[b] - 1 down to 0:
/// delta_t = reward_t + gamma * value_{t+1} - value_t;
/// advantage_t = delta_t + gamma * lambda * advantage_{t+1};  returns_t = advantage_t + value_t.
/// Past the last step the value is bootstrap[b] (0 when null: the episode ended) and the advantage
/// 0. Slots t >= length[b] get exactly 0. All matrices (B, T).
///
/// A row may hold several episodes: behind a step where ends is 1 value_{t+1} and advantage_{t+1}
/// count as 0. An episode that was cut off by its time limit has gamma times the value of its last
/// observation in its last reward (Pardo et al. 2018, "Time limits in reinforcement learning").
template <class T>
struct Gae {
  T* advantages;
  T* returns;
  const T* rewards;
  const T* values;
  const T* bootstrap = nullptr;   ///< (B)
  const int32_t* length;          ///< (B), 0 <= length <= T
  const int32_t* ends = nullptr;  ///< (B, T), 1 at the last step of an episode; null: all 0
  int64_t B, T_max;
  float gamma, lambda;

  void visit(auto&& v) const {
    v.in("rewards", rewards, B * T_max);
    v.in("values", values, B * T_max);
    v.in("bootstrap", bootstrap, B);
    v.index("length", length, B, T_max + 1);
    v.index("ends", ends, B * T_max, 2);
    v.out("advantages", advantages, B * T_max);
    v.out("returns", returns, B * T_max);
  }
  double flops() const { return 6.0 * double(B * T_max); }
};

template <class T>
void run(Cpu, const Gae<T>&, Stream);
template <class T>
void run(Cuda, const Gae<T>&, Stream);

}  // namespace rlhf
