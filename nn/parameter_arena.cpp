#include "nn/parameter_arena.h"

#include <cstring>

#include "core/allocator.h"

namespace rlhf {
namespace {

/// What the parameter was before it was rounded; undefined when that is not known, or not true any
/// more because somebody has written to the parameter since.
Tensor exact_of(const Tensor& parameter) {
  const Tensor exact = parameter.rounded_from();
  if (!exact.defined()) return {};
  return dispatch(parameter.dtype(), [&](auto t) {
    using T = decltype(t);
    const std::vector<T> then = exact.to(parameter.dtype()).to_vector<T>();
    const std::vector<T> now = parameter.to_vector<T>();
    return std::memcmp(then.data(), now.data(), now.size() * sizeof(T)) == 0 ? exact : Tensor{};
  });
}

}  // namespace

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
      slot.tensor->set_rounded_from({});  // no master will begin as what it was
      frozen_.push_back({slot.name, *slot.tensor});
      continue;
    }
    Tensor view = values_.view(begin, slot.tensor->shape());
    view.copy_from(*slot.tensor);
    const Tensor exact = exact_of(*slot.tensor);
    *slot.tensor = view;
    entries_.push_back({slot.name, view, begin, exact});
    begin += view.count();
  }
  // The blocks that parameters lay in have sizes that no step asks for.
  Allocator::of(values_.device()).trim();
}

void ParameterArena::forget_exact() {
  for (Entry& entry : entries_) entry.exact = {};
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
