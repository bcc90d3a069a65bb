#include "core/recorder.h"

#include "kernels/graph.h"
#include "kernels/run.h"

namespace rlhf {

Recorder::Recorder(Device device, Work work)
    : device_(device),
      work_(std::move(work)),
      pool_(std::make_shared<Allocator>(Allocator::of(device))) {}

Recorder::~Recorder() { forget(); }

void Recorder::forget() {
  if constexpr (has_cuda) {
    for (auto& [name, kind] : kinds_) {
      if (kind.recording) release_recording(Cuda{}, kind.recording);
    }
  }
  kinds_.clear();
}

Recorder::Kind& Recorder::kind_of(const Tensors& inputs, const std::string& variant) {
  std::string name = variant;
  for (const Tensor& input : inputs) {
    name += input.defined() ? std::string(name_of(input.dtype())) + input.shape().text() : "-";
  }
  if (kinds_.size() == kMostKinds && !kinds_.contains(name)) forget();
  return kinds_[name];
}

void Recorder::record(Kind& kind) {
  if constexpr (has_cuda) {
    kind.outputs.clear();  // their memory is what the recorded run is to write to
    begin_recording(Cuda{}, Stream{});
    try {
      kind.outputs = work_(kind.inputs);
    } catch (...) {
      abandon_recording(Cuda{}, Stream{});
      throw;
    }
    kind.recording = end_recording(Cuda{}, Stream{});
  }
}

const Recorder::Tensors& Recorder::operator()(const Tensors& inputs, const std::string& variant) {
  Kind& kind = kind_of(inputs, variant);
  if (device_ == Device::cpu) {
    kind.outputs.clear();
    kind.outputs = work_(inputs);
    return kind.outputs;
  }
  const MemoryPool pool(pool_);
  kind.calls++;
  if (kind.inputs.empty()) {
    for (const Tensor& input : inputs) {
      kind.inputs.push_back(input.defined() ? Tensor::empty(input.shape(), input.dtype(), device_)
                                            : Tensor());
    }
  }
  for (size_t i = 0; i < inputs.size(); i++) {
    if (inputs[i].defined()) kind.inputs[i].copy_from(inputs[i]);
  }
  if (kind.calls == 1) return kind.outputs = work_(kind.inputs);
  if (!kind.recording) record(kind);
  if constexpr (has_cuda) replay(Cuda{}, kind.recording, Stream{});
  return kind.outputs;
}

}  // namespace rlhf
