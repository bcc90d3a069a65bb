// Working memory of a thread, kept from call to call: kernels never allocate in the steady state.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace rlhf::cpu {

/// Memory that only grows, aligned to cache lines. Declare it thread_local inside a kernel.
template <class T>
class Scratch {
 public:
  /// At least `count` elements with whatever they held; valid until the next call.
  T* reserve(int64_t count) {
    if (count > capacity_) {
      memory_.reset(static_cast<T*>(::operator new(sizeof(T) * size_t(count), kAlignment)));
      capacity_ = count;
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<T, Free> memory_;
  int64_t capacity_ = 0;
};

}  // namespace rlhf::cpu
