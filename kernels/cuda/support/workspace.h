// Several arrays in one scratch(), of which a run() has one.
#pragma once

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

/// First all sizes, then the memory, then the arrays:
///   Workspace work;
///   const auto counts = work.part<int32_t>(n);
///   work.allocate(stream);
///   int32_t* const data = work[counts];
class Workspace {
 public:
  template <class T>
  struct Part {
    size_t offset;
  };

  template <class T>
  Part<T> part(int64_t count) {
    constexpr size_t alignment = 256;
    const size_t offset = bytes_;
    bytes_ += (size_t(count) * sizeof(T) + alignment - 1) / alignment * alignment;
    return {offset};
  }

  void allocate(Stream stream) { memory_ = static_cast<char*>(scratch_bytes(bytes_, stream)); }

  template <class T>
  T* operator[](Part<T> part) const {
    return reinterpret_cast<T*>(memory_ + part.offset);
  }

 private:
  size_t bytes_ = 0;
  char* memory_ = nullptr;
};

}  // namespace rlhf::gpu
