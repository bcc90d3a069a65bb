// Random bytes that nobody can guess, from the system: for tokens, salts and seeds that were not
// given. What is to be repeatable comes from kernels/philox.h instead.
#pragma once

#include <span>

namespace rlhf {

/// Fills it by getrandom(2). @throws Error when the system has none to give.
void system_random(std::span<unsigned char> bytes);

}  // namespace rlhf
