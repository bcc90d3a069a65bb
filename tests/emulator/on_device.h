// What tests of the emulator launch with: arrays that host and device share, and the message that a
// launch ends with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/cuda/support/block.h"
#include "kernels/memory.h"
#include "tests/message_of.h"

namespace rlhf {

/// Starts as NaN, as all memory of the device does.
template <class T>
class Shared {
 public:
  explicit Shared(int64_t count)
      : data_(static_cast<T*>(allocate_unified(Cuda{}, size_t(count) * sizeof(T)))),
        count_(count) {}
  explicit Shared(const std::vector<T>& values) : Shared(int64_t(values.size())) {
    std::copy(values.begin(), values.end(), data_);
  }
  ~Shared() { release(Cuda{}, data_); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  operator T*() const { return data_; }
  std::vector<T> values() const { return {data_, data_ + count_}; }

 private:
  T* data_;
  int64_t count_;
};

/// One block of `threads`, and when it is done.
template <class... Parameters, class... Arguments>
void run_block(unsigned threads, void (*kernel)(Parameters...), const Arguments&... arguments) {
  gpu::launch({"planted", {1}, {threads}}, kernel, arguments...);
  synchronize(Cuda{}, {});
}

}  // namespace rlhf
