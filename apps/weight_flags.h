// In how many bits a command that only generates or measures keeps its weights.
#pragma once

#include <string>

#include "apps/flags.h"
#include "nn/gpt2.h"

namespace rlhf {

class WeightFlags {
 public:
  WeightFlags() = default;
  WeightFlags(const WeightFlags&) = delete;  // flags are bound to the members
  WeightFlags& operator=(const WeightFlags&) = delete;

  void declare(Flags& flags);

  bool narrow() const { return weight_dtype_ != "auto"; }
  /// Of weights, in a model that computes in `activations`.
  DType dtype(DType activations) const;

  /// @throws InputError when weights cannot be of that type beside such activations.
  void check(DType activations) const;
  /// Gives a model such weights; does nothing where it has them.
  void apply(Gpt2& model) const;

 private:
  std::string weight_dtype_ = "auto";
};

}  // namespace rlhf
