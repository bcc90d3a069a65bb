// The instruction sets that the binary was compiled for and those that this CPU has. A binary tuned
// for one machine (RLHF_NATIVE) dies of an illegal instruction on a lesser one; linking this file
// in makes it say so instead, in one line with exit code 1, before main begins.
#pragma once

#include <string>
#include <vector>

namespace rlhf {

/// What the compiler was allowed to use, in the compiler's names: "avx2", "fma", "avx512f", ...
/// Empty on other processors than x86-64.
std::vector<std::string> built_for_instructions();

/// What this CPU and its operating system offer of the same list.
std::vector<std::string> cpu_instructions();

}  // namespace rlhf
