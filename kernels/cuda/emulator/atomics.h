// Atomic operations. One thread runs at a time, so that plain ones would do; ThreadSanitizer is to
// see them for what they are.
#pragma once

#include <type_traits>

namespace rlhf::emulator {

/// *at = change(*at) in one step; returns what was there before.
template <class T, class Change>
T atomically(T* at, const Change& change) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "the hardware has atomics of 4 and of 8 bytes");
  T before, after;
  __atomic_load(at, &before, __ATOMIC_RELAXED);
  do {
    after = change(before);
  } while (
      !__atomic_compare_exchange(at, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
}

}  // namespace rlhf::emulator

template <class T>
T atomicAdd(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T x) { return T(x + value); });
}
template <class T>
T atomicSub(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T x) { return T(x - value); });
}
template <class T>
T atomicExch(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "the hardware compares integers");
  return rlhf::emulator::atomically(at, [=](T x) { return x == expected ? value : x; });
}
template <class T>
T atomicMin(T* at, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "the hardware compares integers");
  return rlhf::emulator::atomically(at, [=](T x) { return value < x ? value : x; });
}
template <class T>
T atomicMax(T* at, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "the hardware compares integers");
  return rlhf::emulator::atomically(at, [=](T x) { return x < value ? value : x; });
}
template <class T>
T atomicAnd(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T x) { return T(x & value); });
}
template <class T>
T atomicOr(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T x) { return T(x | value); });
}
template <class T>
T atomicXor(T* at, std::type_identity_t<T> value) {
  return rlhf::emulator::atomically(at, [=](T x) { return T(x ^ value); });
}
