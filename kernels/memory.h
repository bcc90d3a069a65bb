// Raw device memory: the four things a caching allocator and a tensor need from a device.
#pragma once

#include <cstddef>

#include "kernels/device.h"

namespace rlhf {

/// 64-byte aligned memory of the device; null when the device has no room for it.
void* allocate(Cpu, size_t bytes);
void release(Cpu, void* memory);
/// Copies within the device; ranges must not overlap.
void copy(Cpu, void* to, const void* from, size_t bytes, Stream stream);
/// Sets every byte; 0 clears, 0xff makes every float and double a NaN.
void fill(Cpu, void* memory, unsigned char byte, size_t bytes, Stream stream);

}  // namespace rlhf
