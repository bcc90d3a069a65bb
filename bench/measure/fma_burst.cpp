#include "bench/measure/fma_burst.h"

#include <cstddef>
#include <utility>

namespace rlhf::bench {
namespace {

// A multiply-add takes 4 or 5 cycles and two begin in each, so that 8 to 10 sums must be under way
// at a time. 14 are, and two registers hold the factors: the 16 that every instruction set has.
constexpr int kSums = 14;

#ifdef __x86_64__

// Assembly, because a compiler may move sums to memory, and may use no instructions that the file
// is not compiled for. The factors are not 0: multiplying zeros takes less power, and the clock
// would rise above what real numbers see. As pairs of bfloat16 they are 1/2 and 1/4, and as floats
// close to that.
constexpr uint32_t kLeft = 0x3f003f00, kRight = 0x3e803e80;

// clang-format off
#define RLHF_EACH_SUM ".irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13\n"
#define RLHF_LOOP(instruction, kind)                                                        \
  asm volatile(                                                                             \
      "vbroadcastss %1, %%" kind "14\n"                                                     \
      "vbroadcastss %2, %%" kind "15\n"                                                     \
      RLHF_EACH_SUM "vxorps %%xmm\\i, %%xmm\\i, %%xmm\\i\n .endr\n"                         \
      "1:\n"                                                                                \
      RLHF_EACH_SUM instruction " %%" kind "14, %%" kind "15, %%" kind "\\i\n .endr\n"      \
      "dec %0\n"                                                                            \
      "jnz 1b\n"                                                                            \
      "vzeroupper\n"                                                                        \
      : "+r"(rounds)                                                                        \
      : "m"(kLeft), "m"(kRight)                                                             \
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",       \
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
// clang-format on

void fma_zmm(int64_t rounds) { RLHF_LOOP("vfmadd231ps", "zmm"); }
void fma_ymm(int64_t rounds) { RLHF_LOOP("vfmadd231ps", "ymm"); }
void bf16_zmm(int64_t rounds) { RLHF_LOOP("vdpbf16ps", "zmm"); }

#endif

using Vector [[gnu::vector_size(16)]] = float;

/// What the compiler makes of it: other processors than x86-64, and those of before 2013.
template <size_t... i>
void portable_loop(int64_t rounds, std::index_sequence<i...>) {
  Vector left{0.5f, 0.5f, 0.5f, 0.5f}, right{0.25f, 0.25f, 0.25f, 0.25f}, sums[kSums] = {};
  for (; rounds > 0; rounds--) {
    ((sums[i] = left * right + sums[i]), ...);
    asm volatile("" : "+m"(left));  // else the products would be taken once
  }
  asm volatile("" : : "m"(sums));
}
void portable(int64_t rounds) { portable_loop(rounds, std::make_index_sequence<kSums>()); }

/// Of an instruction that makes two operations of each lane.
constexpr double flops_of(int lanes) { return 2.0 * kSums * lanes; }

}  // namespace

Burst fma_burst() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return {fma_zmm, flops_of(16)};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {fma_ymm, flops_of(8)};
#endif
  return {portable, flops_of(4)};
}

Burst bf16_burst() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512bf16")) return {bf16_zmm, flops_of(32)};
#endif
  return {portable, 0};
}

}  // namespace rlhf::bench
