// Work of the same shape, step after step, recorded once and replayed (CUDA graphs): a small model
// is otherwise slower to launch than to compute.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "core/tensor.h"

namespace rlhf {

/// Calls a function of tensors. On a GPU inputs are copied to places of their own; the first call
/// of a kind runs, so that all memory is there that the work needs, the second one is recorded, and
/// from then on the record is replayed.
///
/// REQUIRES: what the function launches depends on the shapes of its inputs and on `variant` alone,
/// not on their values. It neither reads results nor copies from the host.
class Recorder {
 public:
  using Tensors = std::vector<Tensor>;
  using Work = std::function<Tensors(const Tensors& inputs)>;

  Recorder(Device device, Work work);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The function's results, valid until the next call. `inputs` may be on the host; undefined
  /// ones stay so. `variant` tells apart what shapes do not.
  const Tensors& operator()(const Tensors& inputs, const std::string& variant = {});

 private:
  struct Kind {
    int64_t calls = 0;
    Tensors inputs, outputs;
    void* recording = nullptr;
  };
  /// Kinds kept at a time: each holds its inputs and outputs.
  static constexpr size_t kMostKinds = 16;

  Kind& kind_of(const Tensors& inputs, const std::string& variant);
  void record(Kind& kind);
  void forget();

  Device device_;
  Work work_;
  std::shared_ptr<Allocator> pool_;  // all that recorded launches touch and nobody else may have
  std::map<std::string, Kind> kinds_;
};

}  // namespace rlhf
