// The most memory that this process has held since a moment of its choice, as the kernel counts it:
// what a peer's process can be asked for in the same way.
#pragma once

namespace rlhf::bench {

/// Begins anew: gives back what allocators keep for later, then forgets the peak so far.
/// @returns whether the kernel lets it.
bool forget_peak_memory();

/// Peak of the resident set in bytes since then (VmHWM), code and libraries included; 0 where the
/// system does not tell.
double peak_memory();

}  // namespace rlhf::bench
