// All that a .cu file sees of the machine: nvcc's CUDA, or the emulator (kernels/cuda/emulator.h)
// when g++ compiles the same text. Kernels are written to this header:
//
// - launched through launch(); no <<<>>> elsewhere, no cuda_runtime.h, no #ifdef in kernels;
// - no early return before a barrier or a warp operation: guard the work, not the flow;
// - full-mask _sync warp operations in flow that is uniform over the warp; blocks of whole warps;
// - dynamic shared memory only through dynamic_shared<T>(), static with trivial element types;
// - reductions through block.h, tensor cores and asynchronous copies through mma.h; no inline PTX,
//   cooperative groups, __constant__ symbols or device lambdas elsewhere;
// - blocks never wait for one another; sums across blocks by a second kernel, in a fixed order.
#pragma once

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "kernels/cuda/emulator.h"
#endif

#include <cstdint>

#include "kernels/device.h"
#include "kernels/trace.h"

namespace rlhf::gpu {

/// @throws std::runtime_error with one line: what was tried, and what CUDA said.
void check(cudaError_t status, const char* what);

/// The stream behind a handle; the null handle is the one stream on which everything runs that
/// does not ask for another.
cudaStream_t stream_of(Stream stream);
/// One that waits for no other, nor others for it.
cudaStream_t new_stream();

/// Shared memory that any GPU grants a block which asks for it: Ada and consumer Ampere, the least
/// of those that the kernels run on. Hopper grants 227 KB, an A100 163.
inline constexpr size_t least_shared_limit = 99 << 10;

/// What this GPU grants a block, static arrays included; asked once. Kernels choose their tiles by
/// it. Tests lower it, to run what smaller GPUs would.
size_t& shared_limit();

/// @throws std::runtime_error with one line unless a block may have so much.
void check_shared_bytes(size_t bytes, const char* kernel);

/// Whether what is put into the stream is recorded instead of run.
bool is_recording(Stream stream);

struct Launch {
  const char* name;
  dim3 grid, block;
  Stream stream = {};
  size_t shared_bytes = 0;  ///< dynamic shared memory
};

/// Puts a kernel into its stream and checks that it got there.
template <class... Parameters, class... Arguments>
void launch(const Launch& how, void (*kernel)(Parameters...), const Arguments&... arguments) {
  if (Trace* const trace = Trace::current()) {
    trace->launched({how.name,
                     {how.grid.x, how.grid.y, how.grid.z},
                     {how.block.x, how.block.y, how.block.z},
                     how.shared_bytes});
  }
  check_shared_bytes(how.shared_bytes, how.name);
#ifdef __CUDACC__
  // A block gets 48 KB without being asked for more, its static arrays included.
  constexpr size_t granted = 32 << 10;
  if (how.shared_bytes > granted) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               int(how.shared_bytes)),
          how.name);
  }
  kernel<<<how.grid, how.block, how.shared_bytes, stream_of(how.stream)>>>(
      Parameters(arguments)...);
  check(cudaGetLastError(), how.name);
#else
  emulator::launch(how.name, how.grid, how.block, how.shared_bytes, stream_of(how.stream), kernel,
                   Parameters(arguments)...);
#endif
}

/// The block's dynamic shared memory, aligned to 128 bytes.
template <class T>
__device__ inline T* dynamic_shared() {
#ifdef __CUDACC__
  extern __shared__ __align__(128) unsigned char memory[];
  return reinterpret_cast<T*>(memory);
#else
  return static_cast<T*>(emulator::dynamic_shared());
#endif
}

/// Working memory of the kernels of one run(): `bytes` of the device, with whatever they held,
/// valid until the next scratch() of the same stream. It only grows, and what it has outgrown stays
/// where it is: a recorded graph may still use it. REQUIRES: the lock of the device, where more
/// than one thread uses it.
void* scratch_bytes(size_t bytes, Stream stream);
template <class T>
T* scratch(int64_t count, Stream stream) {
  return static_cast<T*>(scratch_bytes(size_t(count) * sizeof(T), stream));
}

/// Blocks of `block` threads for one thread an element.
inline unsigned blocks_for(int64_t count, int64_t block) {
  return unsigned((count + block - 1) / block);
}

}  // namespace rlhf::gpu
