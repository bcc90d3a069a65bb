#include "nn/parameter_arena.h"

namespace rlhf {

void ParameterArena::adopt(const std::vector<Slot>& slots) {
  check(!slots.empty(), "arena", "expected a model with parameters, got none");
  const Tensor& first = *slots[0].tensor;
  int64_t total = 0;
  for (const Slot& slot : slots) total += slot.trainable ? slot.tensor->count() : 0;
  values_ = Tensor::empty({total}, first.dtype(), first.device());
  values_.set_requires_grad(true);
  // Asking for the flat tensor's gradient once yields a handle on the storage that all views share.
  dispatch(values_.dtype(), [&](auto t) { values_.grad_out<Accumulator<decltype(t)>>(); });
  gradients_ = values_.grad();
  gradients_.fill_zero();
  int64_t begin = 0;
  for (const Slot& slot : slots) {
    if (!slot.trainable) {
      slot.tensor->set_requires_grad(false);
      frozen_.push_back({slot.name, *slot.tensor});
      continue;
    }
    Tensor view = values_.view(begin, slot.tensor->shape());
    view.copy_from(*slot.tensor);
    *slot.tensor = view;
    entries_.push_back({slot.name, view, begin});
    begin += view.count();
  }
}

Tensor ParameterArena::gradients() const {
  for (const Entry& entry : entries_) {
    if (!entry.tensor.has_grad()) {
      gradients_.view(entry.begin, entry.tensor.shape()).fill_zero();
    }
  }
  return gradients_;
}

void ParameterArena::reset_gradients() const {
  for (const Entry& entry : entries_) entry.tensor.gradient()->written = false;
}

std::vector<bool> ParameterArena::written() const {
  std::vector<bool> list;
  for (const Entry& entry : entries_) list.push_back(entry.tensor.has_grad());
  return list;
}

void ParameterArena::set_written(const std::vector<bool>& written) const {
  for (size_t i = 0; i < entries_.size(); i++) {
    entries_[i].tensor.gradient()->written = written[i];
  }
}

}  // namespace rlhf
