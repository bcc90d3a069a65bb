// Reverse-mode differentiation by a tape: ops record a closure each, in execution order, and
// backward() runs them in reverse. There is no graph to sort and no recursion. Without a tape
// nothing is recorded, so that generation and evaluation need no special mode.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace rlhf {

class Tape {
 public:
  /// Becomes the current tape of this thread until destroyed; tapes nest.
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  static Tape* current();

  /// Runs the recorded closures in reverse from d loss / d loss = 1 and forgets each as it goes, so
  /// that saved tensors are freed early. Nodes whose outputs got no gradient are skipped.
  /// @throws Error unless `loss` has one element and depends on something that requires a gradient.
  void backward(const Tensor& loss);

 private:
  friend void record(std::string_view, std::vector<Tensor>, std::function<void()>);
  struct Node {
    std::string_view name;
    std::vector<Tensor> outputs;
    std::function<void()> backward;
  };
  std::vector<Node> nodes_;
  Tape* outer_;
};

/// A fresh tensor for an op's result, on the device of its first input. It wants a gradient when
/// there is a tape and some input wants one; undefined inputs (an absent bias) do not count.
Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs);

/// Puts an op on the current tape; does nothing when no output wants a gradient. `backward` reads
/// the outputs' gradients and writes the inputs'. `name` must be a literal: errors and profiles
/// show it.
void record(std::string_view name, std::vector<Tensor> outputs, std::function<void()> backward);

}  // namespace rlhf
