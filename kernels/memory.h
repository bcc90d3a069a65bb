// Raw device memory: what a caching allocator, a tensor and a test need from a device. Any thread
// may call these; work of several threads enters a stream in the order of their calls.
#pragma once

#include <cstddef>

#include "kernels/device.h"

namespace rlhf {

/// Memory of the device, aligned to 64 bytes (256 on a GPU); null when it has no room for it.
void* allocate(Cpu, size_t bytes);
void* allocate(Cuda, size_t bytes);
void release(Cpu, void* memory);
void release(Cuda, void* memory);

/// Copies within the device; ranges must not overlap.
void copy(Cpu, void* to, const void* from, size_t bytes, Stream stream);
void copy(Cuda, void* to, const void* from, size_t bytes, Stream stream);
/// Sets every byte; 0 clears, 0xff makes every float, bf16 and double a NaN.
void fill(Cpu, void* memory, unsigned char byte, size_t bytes, Stream stream);
void fill(Cuda, void* memory, unsigned char byte, size_t bytes, Stream stream);

/// Copies from the host, in the stream's order; `from` may be overwritten as soon as it returns.
void upload(Cpu, void* to, const void* from, size_t bytes, Stream stream);
void upload(Cuda, void* to, const void* from, size_t bytes, Stream stream);
/// Copies to the host what the stream's work so far has left; it is there when this returns.
void download(Cpu, void* to, const void* from, size_t bytes, Stream stream);
void download(Cuda, void* to, const void* from, size_t bytes, Stream stream);
/// Returns when the stream's work so far is done. Meanwhile other threads may give it more.
void synchronize(Cpu, Stream stream);
void synchronize(Cuda, Stream stream);

/// Memory that the host and the device both read and write; slow for the device, and to be touched
/// by the host only when the device is at rest. For tests and benchmarks.
void* allocate_unified(Cpu, size_t bytes);
void* allocate_unified(Cuda, size_t bytes);

}  // namespace rlhf
