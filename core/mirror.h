// A few values that the host decides on and kernels read through a pointer: a StepState, a table of
// segments, the tokens to go on with. On the CPU kernels read the host's own; a GPU has a copy.
#pragma once

#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "core/tensor.h"
#include "kernels/run.h"

namespace rlhf {

template <class T>
class Mirror {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Mirror(Device device) : device_(device) {}

  /// Where the device's kernels read `values`, null for none; on the CPU the values themselves,
  /// which must outlive their use. The place stays the same as long as there are as many values, so
  /// that a recorded launch finds the new ones. Copies only what has changed.
  const T* publish(std::span<const T> values) {
    if (device_ == Device::cpu || values.empty()) return values.data();
    const bool grown = values.size() != published_.size();
    if (grown) storage_ = Tensor::empty({word_count(values)}, DType::i32, device_);
    if (grown || std::memcmp(published_.data(), values.data(), values.size_bytes()) != 0) {
      published_.assign(values.begin(), values.end());
      on_device(device_, [&](auto tag) {
        upload(tag, storage_.data<int32_t>(), values.data(), values.size_bytes(), Stream{});
      });
    }
    return reinterpret_cast<const T*>(storage_.data<int32_t>());
  }
  const T* publish(const T& value) { return publish(std::span<const T>(&value, 1)); }

 private:
  static int64_t word_count(std::span<const T> values) {
    return int64_t((values.size_bytes() + sizeof(int32_t) - 1) / sizeof(int32_t));
  }

  Device device_;
  std::vector<T> published_;
  Tensor storage_;
};

}  // namespace rlhf
