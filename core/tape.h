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
  /// The same from a given d loss / d output, of the output's shape.
  void backward(const Tensor& output, const Tensor& gradient);

 private:
  friend class NoTape;
  friend void record(std::string_view, std::vector<Tensor>, std::function<void()>);
  struct Node {
    std::string_view name;
    std::vector<Tensor> outputs;
    std::function<void()> backward;
  };
  std::vector<Node> nodes_;
  Tape* outer_;
};

/// While it lives, nothing is recorded on this thread.
class NoTape {
 public:
  NoTape();
  ~NoTape();
  NoTape(const NoTape&) = delete;
  NoTape& operator=(const NoTape&) = delete;

 private:
  Tape* paused_;
};

/// f(x) that keeps nothing but x for the backward pass, where f runs a second time, on a tape of
/// its own (activation recomputation, Chen et al. 2016, arXiv:1604.06174). Gradients have the bits
/// that they have without it. REQUIRES: f is a pure function of x and of what does not change
/// before the backward pass.
Tensor recompute(const std::function<Tensor(const Tensor& x)>& f, const Tensor& x);

/// A fresh tensor for an op's result, on the device of its first input. It wants a gradient when
/// there is a tape and some input wants one; undefined inputs (an absent bias) do not count.
Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs);
/// The same of another type than its first input's.
Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs, DType dtype);

/// Adds the gradient of an op's result to that of an input of the same shape and type, for results
/// that change as much as the input does; costs nothing when it is the input's first. Nothing
/// happens when `input` wants no gradient or `output` got none.
void pass_gradient(const Tensor& output, const Tensor& input);

/// Puts an op on the current tape; does nothing when no output wants a gradient. `backward` reads
/// the outputs' gradients and writes the inputs'. `name` must be a literal: errors and profiles
/// show it.
void record(std::string_view name, std::vector<Tensor> outputs, std::function<void()> backward);

}  // namespace rlhf
