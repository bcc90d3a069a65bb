// All parameters of a model that learn in one flat block, their gradients in another of the same
// layout: the optimizer is one pass, the gradient norm one reduction, a checkpoint one list of
// views. What is frozen stays where it is: it costs neither a gradient nor moments, and others may
// share its memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/module.h"

namespace rlhf {

class ParameterArena {
 public:
  struct Entry {
    std::string name;
    Tensor tensor;  ///< a view of the arena, sharing the model's gradient
    int64_t begin = 0;
    Tensor exact = {};  ///< what a rounded parameter was, until forget_exact(); undefined: unknown
  };
  using Trainable = std::function<bool(const std::string& name)>;

  /// Moves the model's parameters into the arena: the model's tensors become views of it.
  /// Parameters that `trainable` refuses are frozen: they get no gradient and no update, and no
  /// place here.
  template <class Module>
  explicit ParameterArena(
      Module& model, const Trainable& trainable = [](const std::string&) { return true; }) {
    std::vector<Slot> slots;
    for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
      slots.push_back({name, &tensor, trainable(name)});
    });
    adopt(slots);
  }

  /// What learns.
  const std::vector<Entry>& entries() const { return entries_; }
  /// What does not, where it was before.
  const std::vector<NamedTensor>& frozen() const { return frozen_; }
  const Tensor& values() const { return values_; }
  /// Gives back the memory of what parameters were before they were rounded.
  void forget_exact();
  int64_t count() const { return values_.count(); }
  DType dtype() const { return values_.dtype(); }
  Device device() const { return values_.device(); }

  /// The gradients of this step, whole: what nobody wrote is cleared, so that an unused parameter
  /// never sees a stale gradient.
  Tensor gradients() const;
  /// Forgets the step's gradients: the next backward overwrites them.
  void reset_gradients() const;
  /// Which entries' gradients this step has written, and the same said by whoever replays a step,
  /// whose launches write them without a word.
  std::vector<bool> written() const;
  void set_written(const std::vector<bool>& written) const;

 private:
  struct Slot {
    std::string name;
    Tensor* tensor;
    bool trainable;
  };
  void adopt(const std::vector<Slot>& slots);

  Tensor values_;     // flat
  Tensor gradients_;  // flat, shares the storage that the entries' gradients point into
  std::vector<Entry> entries_;
  std::vector<NamedTensor> frozen_;
};

}  // namespace rlhf
