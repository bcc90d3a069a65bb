// Memory of one filled contract: every buffer lies between guard bands and is drawn by Philox, so
// that a case is the same on every machine, and the same in float and in double.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "kernels/philox.h"
#include "kernels/run.h"

namespace rlhf {

/// What a case's gradient destinations look like, chosen by the runner.
struct GradientPolicy {
  bool accumulate = false;
  int absent = -1;  ///< the destination with this number, counted from 0, is null
};

/// What buffers are for. Tests read and write them from the host, too, and start them at addresses
/// aligned to their element only, as slices of tensors are, or aligned as whole tensors are;
/// benchmarks want the device's own memory and the alignment of whole tensors.
enum class Purpose { test, aligned_test, bench };

class Buffers {
 public:
  /// @param device whose kernels are to read them.
  explicit Buffers(Device device, GradientPolicy policy = {}, Purpose purpose = Purpose::test)
      : device_(device), policy_(policy), purpose_(purpose) {}
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
    on_device(device_, [&](auto tag) {
      upload(tag, data, values.data(), values.size() * sizeof(S), Stream{});
      synchronize(tag, Stream{});
    });
    return data;
  }

  Device device() const { return device_; }
  /// How many gradient destinations the case asked for.
  int gradients() const { return gradients_; }

  /// Whether nothing was written outside of any buffer of a test.
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
    Device device;
    void operator()(unsigned char* memory) const {
      on_device(device, [&](auto tag) { release(tag, memory); });
    }
  };
  struct Block {
    std::unique_ptr<unsigned char[], Free> bytes;
    size_t size, offset, payload;
  };

  template <class S>
  S* allocate(int64_t count) {
    static_assert(std::is_trivially_copyable_v<S>);
    const size_t offset = guard + (purpose_ == Purpose::test ? alignof(S) : 0);
    const size_t payload = size_t(count) * sizeof(S);
    const size_t size = offset + payload + guard;
    void* memory = on_device(device_, [&](auto tag) {
      void* got =
          purpose_ == Purpose::bench ? rlhf::allocate(tag, size) : allocate_unified(tag, size);
      if (!got) throw std::bad_alloc();
      fill(tag, got, 0xff, size, Stream{});
      synchronize(tag, Stream{});
      return got;
    });
    Block block{{static_cast<unsigned char*>(memory), Free{device_}}, size, offset, payload};
    blocks_.push_back(std::move(block));
    return reinterpret_cast<S*>(blocks_.back().bytes.get() + offset);
  }

  template <class S>
  S* draw(int64_t count, auto&& value) {
    const auto site = uint32_t(blocks_.size() + 1);
    std::vector<S> values(static_cast<size_t>(count));
#pragma omp parallel for if (count > (1 << 20))
    for (int64_t i = 0; i < count; i++) {
      const PhiloxWords words = random_words(1, RandomStream::init, site, 0, uint64_t(i));
      if constexpr (std::is_integral_v<S>) {
        values[size_t(i)] = S(value(words));
      } else {
        values[size_t(i)] = S(float(value(words)));
      }
    }
    return hold(values);
  }

  Device device_;
  GradientPolicy policy_;
  Purpose purpose_;
  int gradients_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace rlhf
