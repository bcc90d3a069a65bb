#include "apps/cpu_check.h"

#include <unistd.h>

#include <string_view>

// The name that __builtin_cpu_supports takes, which wants a literal, and the macro that the
// compiler defines when it may use the instructions.
#ifdef __x86_64__
#define RLHF_INSTRUCTIONS(use)                                                            \
  use("sse4.2", __SSE4_2__) use("avx", __AVX__) use("avx2", __AVX2__) use("fma", __FMA__) \
      use("bmi", __BMI__) use("bmi2", __BMI2__) use("avx512f", __AVX512F__)               \
          use("avx512bw", __AVX512BW__) use("avx512dq", __AVX512DQ__)                     \
              use("avx512vl", __AVX512VL__) use("avx512vbmi", __AVX512VBMI__)             \
                  use("avx512vnni", __AVX512VNNI__) use("avx512bf16", __AVX512BF16__)
#else
#define RLHF_INSTRUCTIONS(use)
#endif

// A defined macro expands to 1, any other name to itself.
#define RLHF_TEXT(x) #x
#define RLHF_BUILT_FOR(macro) (RLHF_TEXT(macro)[0] == '1')

namespace rlhf {
namespace {

/// Runs before every other constructor and without vector registers, so that it gets to speak.
#ifdef __x86_64__
__attribute__((constructor(101), target("general-regs-only,no-bmi,no-bmi2")))
#endif
void refuse_lesser_cpu() {
  const auto say = [](const char* text, size_t size) {
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text, size);
  };
#define RLHF_CHECK(name, macro)                                                             \
  if (RLHF_BUILT_FOR(macro) && !__builtin_cpu_supports(name)) {                             \
    constexpr char text[] = "rlhf: [cpu] expected a CPU with " name                         \
                            ", which this binary was built for, got one without; build it " \
                            "on this machine or with -DRLHF_NATIVE=OFF\n";                  \
    say(text, sizeof(text) - 1);                                                            \
    ::_exit(1);                                                                             \
  }
#ifdef __x86_64__
  __builtin_cpu_init();
#endif
  RLHF_INSTRUCTIONS(RLHF_CHECK)
}

}  // namespace

std::vector<std::string> built_for_instructions() {
  std::vector<std::string> names;
#define RLHF_ADD(name, macro) \
  if (RLHF_BUILT_FOR(macro)) names.push_back(name);
  RLHF_INSTRUCTIONS(RLHF_ADD)
  return names;
}

std::vector<std::string> cpu_instructions() {
  std::vector<std::string> names;
#define RLHF_ADD_PRESENT(name, macro) \
  if (__builtin_cpu_supports(name)) names.push_back(name);
  RLHF_INSTRUCTIONS(RLHF_ADD_PRESENT)
  return names;
}

}  // namespace rlhf
