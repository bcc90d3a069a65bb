// Device memory is memory of the host that the emulator keeps a list of: it lies between guard
// bands, starts as NaN, and an address can be asked whether the device may touch it.
#pragma once

#include <cstddef>
#include <string>

namespace rlhf::emulator {

enum class MemoryKind {
  host,    ///< what the emulator knows nothing of: the stack, malloc(), new
  pinned,  ///< of the host, by cudaMallocHost
  device,
  managed,  ///< of both, by cudaMallocManaged
};

/// What `bytes` from `memory` on are; a range that leaves its piece of memory is of no use to
/// anyone and counts as host.
MemoryKind kind_of(const void* memory, size_t bytes = 1);

/// Whether kernels may touch the address.
bool is_device_pointer(const void* memory);

/// Checks the guard bands of all pieces of device memory, or of those that some 8-byte word of
/// `arguments` points into; a band that was written to is reported once.
/// @throws std::runtime_error with one line.
void check_guard_bands();
void check_guard_bands(const void* arguments, size_t bytes, const std::string& who);

/// Checks that no 8-byte word of `arguments` is an address of the host's memory or of device memory
/// that was freed: a GPU would not reach it. `kernel` is for the error.
/// @throws std::runtime_error with one line.
void check_reachable(const void* arguments, size_t bytes, const std::string& kernel);

/// cudaMalloc refuses what would take more than this from the device; 0 for the machine's memory.
void set_device_bytes(size_t bytes);

}  // namespace rlhf::emulator
