// Work of few shapes, step after step, recorded once a shape and replayed (CUDA graphs): a small
// model is otherwise slower to launch than to compute.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "core/tensor.h"

namespace rlhf {

/// Calls functions of tensors. On a GPU inputs are copied to places of their own; the first call of
/// a kind runs, so that all memory is there that the work needs, the second one is recorded, and
/// from then on the record is replayed. All that is recorded here shares one pool of memory, in
/// which only results are anybody's for longer than a call. When the device has no more
/// memory, everything recorded gives way, to be recorded again.
///
/// REQUIRES: what a function launches depends on the shapes of its inputs and on `name` alone, not
/// on their values. It neither reads results nor copies from the host.
class Recorder {
 public:
  using Tensors = std::vector<Tensor>;
  using Work = std::function<Tensors(const Tensors& inputs)>;

  /// Kinds kept at a time; the one that has not been used for longest makes room for a new one.
  static constexpr size_t kMostKinds = 64;

  /// `records` false: every call runs, kernel by kernel.
  explicit Recorder(Device device, bool records = true);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The function's results, valid until the next call. `inputs` may be on the host; undefined
  /// ones stay so. `name` tells apart what shapes do not: the functions, and what they may assume.
  const Tensors& operator()(const Work& work, const Tensors& inputs, const std::string& name = {});

  /// Kinds of work kept now.
  size_t kinds() const { return kinds_.size(); }

 private:
  struct Kind {
    int64_t calls = 0, last_call = 0;
    Tensors inputs, outputs;
    void* recording = nullptr;
  };

  const Tensors& call_directly(const Work& work, const Tensors& inputs);
  Kind& kind_of(const Tensors& inputs, const std::string& name);
  void record(const Work& work, Kind& kind);
  void drop_oldest();
  void drop_all();
  void give_way();

  Device device_;
  bool records_;
  std::shared_ptr<Allocator> pool_;  // all that recorded launches touch and nobody else may have
  std::map<std::string, Kind> kinds_;
  Tensors direct_;  // results of what was neither recorded nor replayed
  int64_t calls_ = 0, largest_ = 0;
  bool recording_ = false;
};

}  // namespace rlhf
