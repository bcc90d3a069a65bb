// Philox4x32-10, a counter-based random generator (Salmon et al. 2011, "Parallel random numbers: as
// easy as 1, 2, 3"). A draw is a pure function of (seed, stream, site, draw, index): there is no
// state to save, order and thread count do not matter, and every device gets the same bits.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "kernels/device.h"

namespace rlhf {

using PhiloxWords = std::array<uint32_t, 4>;

/// Ten rounds over a 128-bit counter with a 64-bit key: four independent 32-bit words.
constexpr PhiloxWords philox(PhiloxWords counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {uint32_t(b >> 32) ^ counter[1] ^ key0, uint32_t(b),
               uint32_t(a >> 32) ^ counter[3] ^ key1, uint32_t(a)};
    key0 += 0x9E3779B9;  // golden ratio
    key1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

/// Disjoint uses of randomness, so that no two of them ever share a counter.
enum class RandomStream : uint32_t {
  init,
  dropout,
  shuffle,
  sampling,
  corpus,
  split,
  rounding,
  environment,  ///< first states and dynamics
  exploration,  ///< actions drawn by agents
  replay,       ///< what is taken from a memory of transitions
};

/// The words of one use: `site` tells apart places in the program (a layer, a parameter), `draw`
/// the times that place was passed, `index` the elements of one pass. The seed is the key and all
/// the rest the counter, each with bits of its own, so that no two uses share their words.
/// REQUIRES: stream < 2^4, site < 2^28, draw < 2^32; seed and index may be anything.
constexpr PhiloxWords random_words(uint64_t seed, RandomStream stream, uint32_t site, uint64_t draw,
                                   uint64_t index) {
  return philox({uint32_t(index), uint32_t(index >> 32), uint32_t(draw),
                 uint32_t(stream) << 28 | (site & 0x0fffffff)},
                uint32_t(seed), uint32_t(seed >> 32));
}

/// A float in [0, 1) from the top 24 bits: exact, so equal on every device.
constexpr float unit_float(uint32_t word) { return float(word >> 8) * 0x1p-24f; }

/// A double in [0, 1) from 53 of two words' bits.
constexpr double unit_double(uint32_t high, uint32_t low) {
  return double((uint64_t(high) << 32 | low) >> 11) * 0x1p-53;
}

/// A standard normal by Box-Muller from two words. Equal across devices only up to log/cos
/// rounding; weights are therefore always initialised on the CPU.
inline double unit_normal(uint32_t a, uint32_t b) {
  const double radius = std::sqrt(-2.0 * std::log((double(a) + 1.0) * 0x1p-32));
  return radius * std::cos(6.283185307179586 * double(b) * 0x1p-32);
}

/// A place that draws one number per element during a step; seed and draw come from the StepState.
struct RandomSite {
  const StepState* state = nullptr;
  RandomStream stream = RandomStream::dropout;
  uint32_t site = 0;

  /// The uniform float of one element; four neighbours share one Philox call's words.
  constexpr float uniform(uint64_t index) const {
    return unit_float(random_words(state->seed, stream, site, state->draw, index >> 2)[index & 3]);
  }
};

}  // namespace rlhf
