// Memory of one filled contract: every buffer lies between guard bands and is drawn by Philox, so
// that a case is the same on every machine, and the same in float and in double.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "kernels/device.h"
#include "kernels/philox.h"

namespace rlhf {

/// What a case's gradient destinations look like, chosen by the runner.
struct GradientPolicy {
  bool accumulate = false;
  int absent = -1;  ///< the destination with this number, counted from 0, is null
};

class Buffers {
 public:
  /// @param aligned start buffers on cache lines; otherwise they are aligned to their element only,
  /// as slices of tensors are.
  explicit Buffers(GradientPolicy policy = {}, bool aligned = false)
      : policy_(policy), aligned_(aligned) {}
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  /// `count` draws of a normal distribution, rounded to float in either type.
  template <class T>
  T* normal(int64_t count, double scale = 1, double mean = 0) {
    return draw<T>(count, [=](PhiloxWords w) { return mean + scale * unit_normal(w[0], w[1]); });
  }

  /// `count` draws from [low, high), rounded to float in either type.
  template <class T>
  T* uniform(int64_t count, double low, double high) {
    return draw<T>(count, [=](PhiloxWords w) { return low + (high - low) * unit_float(w[0]); });
  }

  /// `count` draws from {0, ..., bound - 1}.
  int32_t* indices(int64_t count, int64_t bound) {
    return draw<int32_t>(count, [=](PhiloxWords w) { return double(w[0] % uint64_t(bound)); });
  }

  /// A destination. Runners fill it with NaN before the kernel runs, unless the contract adds to
  /// it.
  template <class T>
  T* output(int64_t count) {
    return normal<T>(count);
  }

  /// The destination of a gradient; the runner decides between overwriting, adding and null.
  template <class T>
  GradientOut<T> gradient(int64_t count) {
    T* data = output<T>(count);  // drawn even when absent: it must not change the draws after it
    if (gradients_++ == policy_.absent) return {};
    return {data, policy_.accumulate};
  }

  /// Values chosen by hand: lengths, targets, segments, a StepState, margins.
  template <class S>
  S* hold(const std::vector<S>& values) {
    S* data = allocate<S>(int64_t(values.size()));
    std::copy(values.begin(), values.end(), data);
    return data;
  }

  /// How many gradient destinations the case asked for.
  int gradients() const { return gradients_; }

  /// Whether nothing was written outside of any buffer.
  bool guards_intact() const {
    return std::all_of(blocks_.begin(), blocks_.end(), [](const Block& block) {
      const auto is_guard = [](unsigned char byte) { return byte == 0xff; };
      const unsigned char* begin = block.bytes.get();
      const unsigned char* data = begin + block.offset;
      return std::all_of(begin, data, is_guard) &&
             std::all_of(data + block.payload, begin + block.size, is_guard);
    });
  }

 private:
  static constexpr size_t guard = 256;  // bytes; 0xff makes a NaN of what is read there

  struct Free {
    void operator()(unsigned char* memory) const {
      ::operator delete[](memory, std::align_val_t{64});
    }
  };
  struct Block {
    std::unique_ptr<unsigned char[], Free> bytes;
    size_t size, offset, payload;
  };

  template <class S>
  S* allocate(int64_t count) {
    static_assert(std::is_trivially_copyable_v<S>);
    const size_t offset = guard + (aligned_ ? 0 : alignof(S));
    const size_t payload = size_t(count) * sizeof(S);
    const size_t size = offset + payload + guard;
    Block block{{}, size, offset, payload};
    block.bytes.reset(new (std::align_val_t{64}) unsigned char[size]);
    std::memset(block.bytes.get(), 0xff, size);
    blocks_.push_back(std::move(block));
    return reinterpret_cast<S*>(blocks_.back().bytes.get() + offset);
  }

  template <class S>
  S* draw(int64_t count, auto&& value) {
    S* data = allocate<S>(count);
    const auto site = uint32_t(blocks_.size());
    for (int64_t i = 0; i < count; i++) {
      const PhiloxWords words = random_words(1, RandomStream::init, site, 0, uint64_t(i));
      if constexpr (std::is_integral_v<S>) {
        data[i] = S(value(words));
      } else {
        data[i] = S(float(value(words)));
      }
    }
    return data;
  }

  GradientPolicy policy_;
  bool aligned_;
  int gradients_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace rlhf
