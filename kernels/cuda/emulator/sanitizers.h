// Which sanitizer watches, and what it has to be told: AddressSanitizer about the stacks that we
// switch between, ThreadSanitizer about the threads that they are and about what orders them. In a
// plain build all of this is empty.
#pragma once

// The build defines RLHF_EMULATOR_TSAN itself: the emulator's own files are not instrumented then,
// and the compiler would not say so.
#if defined(__SANITIZE_ADDRESS__)
#define RLHF_EMULATOR_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RLHF_EMULATOR_ASAN
#endif
#endif

#ifdef RLHF_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RLHF_EMULATOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rlhf::emulator {

#ifdef RLHF_EMULATOR_ASAN
inline constexpr bool under_asan = true;
#else
inline constexpr bool under_asan = false;
#endif
#ifdef RLHF_EMULATOR_TSAN
inline constexpr bool under_tsan = true;
#else
inline constexpr bool under_tsan = false;
#endif

/// What was done before a release of a tag happens before what follows an acquire of it.
inline void tsan_release([[maybe_unused]] void* tag) {
#ifdef RLHF_EMULATOR_TSAN
  __tsan_release(tag);
#endif
}
inline void tsan_acquire([[maybe_unused]] void* tag) {
#ifdef RLHF_EMULATOR_TSAN
  __tsan_acquire(tag);
#endif
}

}  // namespace rlhf::emulator
