#include "core/recorder.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "kernels/graph.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

void release(void* recording) {
  if constexpr (has_cuda) {
    if (recording) release_recording(Cuda{}, recording);
  }
}

int64_t elements(const std::vector<Tensor>& tensors) {
  int64_t count = 0;
  for (const Tensor& tensor : tensors) count += tensor.defined() ? tensor.count() : 0;
  return count;
}

}  // namespace

Recorder::Recorder(Device device, bool records)
    : device_(device),
      records_(records && device != Device::cpu),
      pool_(std::make_shared<Allocator>(Allocator::of(device))) {
  if (!records_) return;
  // Other threads have recorders of their own, which may be at work.
  Allocator::of(device).set_relief(this, [this, owner = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == owner) give_way();
  });
}

Recorder::~Recorder() {
  if (records_) Allocator::of(device_).set_relief(this, {});
  drop_all();
}

void Recorder::drop_all() {
  for (auto& [name, kind] : kinds_) release(kind.recording);
  kinds_.clear();
  pool_->trim();
}

void Recorder::give_way() {
  // What is being recorded may write to any block of the pool that waits.
  if (recording_) return;
  if constexpr (has_cuda) synchronize(Cuda{}, Stream{});
  for (auto at = kinds_.begin(); at != kinds_.end();) {
    Kind& kind = at->second;
    release(std::exchange(kind.recording, nullptr));
    const bool latest = kind.last_call == calls_;  // its results may still be wanted
    at = latest ? std::next(at) : kinds_.erase(at);
  }
  pool_->trim();
}

void Recorder::drop_oldest() {
  const auto older = [](const auto& a, const auto& b) {
    return a.second.last_call < b.second.last_call;
  };
  const auto oldest = std::min_element(kinds_.begin(), kinds_.end(), older);
  release(oldest->second.recording);
  kinds_.erase(oldest);
}

Recorder::Kind& Recorder::kind_of(const Tensors& inputs, const std::string& name) {
  std::string full = name;
  for (const Tensor& input : inputs) {
    full += input.defined() ? std::string(name_of(input.dtype())) + input.shape().text() : "-";
  }
  if (!kinds_.contains(full)) {
    // Small work finds room in the blocks of larger work, but not the other way round: whatever was
    // recorded before the largest is recorded again, or the pool would grow to the sum of all.
    const int64_t size = elements(inputs);
    if (size > largest_) {
      drop_all();
      largest_ = size;
    }
    if (kinds_.size() == kMostKinds) drop_oldest();
  }
  Kind& kind = kinds_[full];
  kind.calls++;
  kind.last_call = ++calls_;
  return kind;
}

void Recorder::record(const Work& work, Kind& kind) {
  if constexpr (has_cuda) {
    kind.outputs.clear();  // their memory is what the recorded run is to write to
    begin_recording(Cuda{}, Stream{});
    recording_ = true;
    try {
      kind.outputs = work(kind.inputs);
    } catch (...) {
      recording_ = false;
      abandon_recording(Cuda{}, Stream{});
      throw;
    }
    recording_ = false;
    kind.recording = end_recording(Cuda{}, Stream{});
  }
}

const Recorder::Tensors& Recorder::call_directly(const Work& work, const Tensors& inputs) {
  Tensors there;
  for (const Tensor& input : inputs) there.push_back(input.to(device_));
  direct_.clear();
  return direct_ = work(there);
}

const Recorder::Tensors& Recorder::operator()(const Work& work, const Tensors& inputs,
                                              const std::string& name) {
  if (!records_) return call_directly(work, inputs);
  Kind& kind = kind_of(inputs, name);
  if (kind.inputs.empty()) {
    for (const Tensor& input : inputs) {
      kind.inputs.push_back(input.defined() ? Tensor::empty(input.shape(), input.dtype(), device_)
                                            : Tensor());
    }
  }
  for (size_t i = 0; i < inputs.size(); i++) {
    if (inputs[i].defined()) kind.inputs[i].copy_from(inputs[i]);
  }
  const MemoryPool pool(pool_);
  if (kind.calls == 1) return kind.outputs = work(kind.inputs);
  if (!kind.recording) record(work, kind);
  if constexpr (has_cuda) replay(Cuda{}, kind.recording, Stream{});
  return kind.outputs;
}

}  // namespace rlhf
