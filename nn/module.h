// A module is a plain struct of tensors and other modules that names its parts once, in `visit`.
// Names, counts, state dicts, initialisation, arenas and copies are all short visitors over that.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "core/safetensors.h"
#include "core/tensor.h"

namespace rlhf {

/// Calls f(dotted name, tensor) for each parameter, in the order of `visit`. Names are those of
/// GPT-2's checkpoints, as in h.3.attn.c_attn.weight.
template <class F>
class ParameterVisitor {
 public:
  explicit ParameterVisitor(F& f, std::string prefix = {}) : f_(f), prefix_(std::move(prefix)) {}

  void operator()(const std::string& name, Tensor& tensor) const {
    if (tensor.defined()) f_(prefix_ + name, tensor);
  }
  template <class Module>
  void operator()(const std::string& name, Module& module) const {
    module.visit(ParameterVisitor(f_, prefix_ + name + "."));
  }
  template <class Module>
  void operator()(const std::string& name, std::vector<Module>& modules) const {
    for (size_t i = 0; i < modules.size(); i++) {
      (*this)(name + "." + std::to_string(i), modules[i]);
    }
  }

 private:
  F& f_;
  std::string prefix_;
};

template <class Module, class F>
void for_each_parameter(Module& module, F&& f) {
  module.visit(ParameterVisitor<std::remove_reference_t<F>>(f));
}

/// Handles of all parameters: what a checkpoint holds.
template <class Module>
std::vector<NamedTensor> state_dict(Module& module) {
  std::vector<NamedTensor> entries;
  for_each_parameter(module, [&](const std::string& name, Tensor& tensor) {
    entries.push_back({name, tensor});
  });
  return entries;
}

template <class Module>
int64_t parameter_count(Module& module) {
  int64_t count = 0;
  for_each_parameter(module, [&](const std::string&, Tensor& tensor) { count += tensor.count(); });
  return count;
}

/// Where a model lives and in which elements.
struct Placement {
  Device device = Device::cpu;
  DType dtype = DType::f32;
  /// Keep what a rounded parameter was, on the host, until an arena takes it over: masters begin as
  /// that. Who trains nothing saves 4 bytes a parameter.
  bool keeps_exact = true;
};

/// A parameter that was drawn or read on the CPU in float, taken there.
inline Tensor placed(const Tensor& drawn, const Placement& to) {
  Tensor there = drawn.to(to.dtype).to(to.device);
  if (to.keeps_exact && there.dtype() != drawn.dtype()) there.set_rounded_from(drawn);
  return there;
}

/// Takes a module's parameters there. Weights are always drawn and read on the CPU in float, so
/// that a model begins alike wherever it lives.
template <class Module>
void move_parameters(Module& module, const Placement& to) {
  for_each_parameter(module,
                     [&](const std::string&, Tensor& tensor) { tensor = placed(tensor, to); });
}

/// A module of the same values with memory of its own and no gradients, to be trained from there.
/// `keeps_exact`: what its parameters are the roundings of goes with them (Placement).
template <class Module>
Module copy_of(const Module& module, bool keeps_exact = true) {
  Module copy = module;
  for_each_parameter(copy, [&](const std::string&, Tensor& tensor) {
    Tensor own = Tensor::empty(tensor.shape(), tensor.dtype(), tensor.device());
    own.copy_from(tensor);
    const Tensor exact = tensor.rounded_from();
    if (keeps_exact && exact.defined()) own.set_rounded_from(exact);
    tensor = own;
  });
  return copy;
}

/// The same for what will never be trained: a frozen reference policy.
template <class Module>
Module frozen_copy(const Module& module) {
  return copy_of(module, /*keeps_exact=*/false);
}

}  // namespace rlhf
