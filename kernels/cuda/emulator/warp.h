// Warp operations: shuffles, votes, reductions, and the means to add one (warp_collective).
// __activemask() is left out on purpose: what it returns is nobody's to rely on.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/emulator/thread_block.h"

namespace rlhf::emulator {

inline constexpr unsigned all_lanes = 0xffffffffu;

inline int current_lane() { return running_block.thread() % ThreadBlock::lanes; }

/// body(lane) for every lane of the mask.
template <class Body>
void for_lanes(unsigned mask, const Body& body) {
  for (; mask; mask &= mask - 1) body(__builtin_ctz(mask));
}

template <class T>
struct Shuffle {
  T value, result;
  int source;  ///< the lane whose value is the result

  static const char* compute(unsigned mask, void* const* lanes) {
    const char* wrong = nullptr;
    for_lanes(mask, [&](int lane) {
      auto& mine = *static_cast<Shuffle*>(lanes[lane]);
      if (!(mask >> mine.source & 1)) {
        wrong = "expected every lane to read from a lane in the mask, got one that does not";
        return;
      }
      mine.result = static_cast<Shuffle*>(lanes[mine.source])->value;
    });
    return wrong;
  }
};

enum class ShuffleKind { index, exclusive_or, up, down };

/// Each kind is an operation of its own: lanes that meet must be at the same one.
template <class T, ShuffleKind>
inline constexpr WarpOperation shuffle_operation = {"", nullptr};
template <class T>
inline constexpr WarpOperation shuffle_operation<T, ShuffleKind::index> = {"__shfl_sync",
                                                                           Shuffle<T>::compute};
template <class T>
inline constexpr WarpOperation shuffle_operation<T, ShuffleKind::exclusive_or> = {
    "__shfl_xor_sync", Shuffle<T>::compute};
template <class T>
inline constexpr WarpOperation shuffle_operation<T, ShuffleKind::up> = {"__shfl_up_sync",
                                                                        Shuffle<T>::compute};
template <class T>
inline constexpr WarpOperation shuffle_operation<T, ShuffleKind::down> = {"__shfl_down_sync",
                                                                          Shuffle<T>::compute};

/// As CUDA's overloads: numbers of 4 or 8 bytes, smaller ones are converted to int.
template <class T>
using Shuffled = std::conditional_t<(sizeof(T) < 4), int, T>;

template <ShuffleKind kind, class T>
Shuffled<T> shuffle(unsigned mask, T value, int source, Place at) {
  static_assert(std::is_arithmetic_v<T>, "a shuffle moves a number");
  Shuffle<Shuffled<T>> mine{Shuffled<T>(value), {}, source};
  running_block.rendezvous(shuffle_operation<Shuffled<T>, kind>, mask, &mine, at);
  return mine.result;
}

/// What every lane brings, and the one result that every lane takes.
template <class T, class Result>
struct Vote {
  T value;
  Result result;
};

/// result = step(result, value, lane) over the lanes of the mask in order.
template <class T, class Result, class Step>
const char* vote(unsigned mask, void* const* lanes, Result result, const Step& step) {
  using Mine = Vote<T, Result>;
  for_lanes(mask,
            [&](int lane) { result = step(result, static_cast<Mine*>(lanes[lane])->value, lane); });
  for_lanes(mask, [&](int lane) { static_cast<Mine*>(lanes[lane])->result = result; });
  return nullptr;
}

inline unsigned ballot(const WarpOperation& operation, unsigned mask, bool predicate, Place at) {
  Vote<bool, unsigned> mine{predicate, 0};
  running_block.rendezvous(operation, mask, &mine, at);
  return mine.result;
}

inline const char* compute_ballot(unsigned mask, void* const* lanes) {
  return vote<bool, unsigned>(mask, lanes, 0u, [](unsigned result, bool value, int lane) {
    return result | unsigned(value) << lane;
  });
}
inline constexpr WarpOperation ballot_operation = {"__ballot_sync", compute_ballot};
inline constexpr WarpOperation any_operation = {"__any_sync", compute_ballot};
inline constexpr WarpOperation all_operation = {"__all_sync", compute_ballot};

inline constexpr WarpOperation sync_operation = {
    "__syncwarp", [](unsigned, void* const*) -> const char* { return nullptr; }};

template <class T, class Combine>
struct Reduction {
  static const char* compute(unsigned mask, void* const* lanes) {
    using Mine = Vote<T, T>;
    T result = static_cast<Mine*>(lanes[__builtin_ctz(mask)])->value;
    for_lanes(mask & (mask - 1), [&](int lane) {
      result = Combine{}(result, static_cast<Mine*>(lanes[lane])->value);
    });
    for_lanes(mask, [&](int lane) { static_cast<Mine*>(lanes[lane])->result = result; });
    return nullptr;
  }
  static constexpr WarpOperation operation = {Combine::name, compute};
};

template <class Combine, class T>
T reduce(unsigned mask, T value, Place at) {
  static_assert(std::is_same_v<T, int> || std::is_same_v<T, unsigned>,
                "the hardware reduces int and unsigned");
  Vote<T, T> mine{value, {}};
  running_block.rendezvous(Reduction<T, Combine>::operation, mask, &mine, at);
  return mine.result;
}

struct ReduceAdd {
  static constexpr const char* name = "__reduce_add_sync";
  template <class T>
  T operator()(T a, T b) const {
    return T(unsigned(a) + unsigned(b));
  }
};
struct ReduceMin {
  static constexpr const char* name = "__reduce_min_sync";
  template <class T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
struct ReduceMax {
  static constexpr const char* name = "__reduce_max_sync";
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

template <class T>
const char* compute_match(unsigned mask, void* const* lanes) {
  using Mine = Vote<T, unsigned>;
  for_lanes(mask, [&](int lane) {
    auto& mine = *static_cast<Mine*>(lanes[lane]);
    mine.result = 0;
    for_lanes(mask, [&](int other) {
      const T value = static_cast<Mine*>(lanes[other])->value;
      mine.result |= unsigned(value == mine.value) << other;
    });
  });
  return nullptr;
}
template <class T>
inline constexpr WarpOperation match_operation = {"__match_any_sync", compute_match<T>};

template <class In, class Out>
struct Collective {
  using Compute = void (*)(const In (&)[32], Out (&)[32]);
  const In* in;
  Out* out;
  Compute compute_all;

  static const char* compute(unsigned mask, void* const* lanes) {
    In in[32];
    Out out[32];
    const Compute compute_all = static_cast<Collective*>(lanes[0])->compute_all;
    bool agree = true;
    for_lanes(mask, [&](int lane) {
      const auto& brought = *static_cast<Collective*>(lanes[lane]);
      agree = agree && brought.compute_all == compute_all;
      in[lane] = *brought.in;
      out[lane] = *brought.out;
    });
    if (!agree) return "expected every lane at the same collective, got several";
    compute_all(in, out);
    for_lanes(mask, [&](int lane) { *static_cast<Collective*>(lanes[lane])->out = out[lane]; });
    return nullptr;
  }
  static constexpr WarpOperation operation = {"a warp collective", compute};
};

/// An operation of all 32 lanes that CUDA has and this file has not: every lane brings `mine`,
/// `compute` makes all results from all that was brought, and every lane takes its own. In and Out
/// are trivial types; `out` starts as Out{}.
template <class In, class Out>
Out warp_collective(const In& mine, void (*compute)(const In (&in)[32], Out (&out)[32]),
                    Place at = Place::here()) {
  Out out{};
  Collective<In, Out> brought{&mine, &out, compute};
  running_block.rendezvous(Collective<In, Out>::operation, all_lanes, &brought, at);
  return out;
}

/// Whether `width` divides a warp into equal parts.
inline void check_width(int width, Place at) {
  if (width < 1 || width > 32 || (width & (width - 1))) {
    running_block.fail("expected a shuffle's width to be a power of two up to 32, got " +
                       std::to_string(width) + " (" + text(at) + ")");
  }
}

}  // namespace rlhf::emulator

// CUDA's own names; a lane whose source lies outside its part of the warp keeps its value.

template <class T>
auto __shfl_sync(unsigned mask, T value, int source, int width = 32,
                 rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::check_width(width, at);
  const int part = rlhf::emulator::current_lane() & ~(width - 1);
  return rlhf::emulator::shuffle<rlhf::emulator::ShuffleKind::index>(
      mask, value, part | (source & (width - 1)), at);
}
template <class T>
auto __shfl_xor_sync(unsigned mask, T value, int distance, int width = 32,
                     rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::check_width(width, at);
  const int lane = rlhf::emulator::current_lane();
  const int source = (lane ^ distance) & 31;
  const bool later_part = (source & ~(width - 1)) > (lane & ~(width - 1));
  return rlhf::emulator::shuffle<rlhf::emulator::ShuffleKind::exclusive_or>(
      mask, value, later_part ? lane : source, at);
}
template <class T>
auto __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                    rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::check_width(width, at);
  const int lane = rlhf::emulator::current_lane();
  const bool inside = unsigned(lane & (width - 1)) >= distance;
  return rlhf::emulator::shuffle<rlhf::emulator::ShuffleKind::up>(
      mask, value, inside ? lane - int(distance) : lane, at);
}
template <class T>
auto __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                      rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::check_width(width, at);
  const int lane = rlhf::emulator::current_lane();
  const bool inside = unsigned(lane & (width - 1)) + distance < unsigned(width);
  return rlhf::emulator::shuffle<rlhf::emulator::ShuffleKind::down>(
      mask, value, inside ? lane + int(distance) : lane, at);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::ballot(rlhf::emulator::ballot_operation, mask, predicate != 0, at);
}
inline int __any_sync(unsigned mask, int predicate,
                      rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::ballot(rlhf::emulator::any_operation, mask, predicate != 0, at) != 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::ballot(rlhf::emulator::all_operation, mask, predicate != 0, at) == mask;
}
inline void __syncwarp(unsigned mask = rlhf::emulator::all_lanes,
                       rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::running_block.rendezvous(rlhf::emulator::sync_operation, mask, nullptr, at);
}
template <class T>
T __reduce_add_sync(unsigned mask, T value,
                    rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::reduce<rlhf::emulator::ReduceAdd>(mask, value, at);
}
template <class T>
T __reduce_min_sync(unsigned mask, T value,
                    rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::reduce<rlhf::emulator::ReduceMin>(mask, value, at);
}
template <class T>
T __reduce_max_sync(unsigned mask, T value,
                    rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::reduce<rlhf::emulator::ReduceMax>(mask, value, at);
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value,
                          rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::Vote<T, unsigned> mine{value, 0};
  rlhf::emulator::running_block.rendezvous(rlhf::emulator::match_operation<T>, mask, &mine, at);
  return mine.result;
}
