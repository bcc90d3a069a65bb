#include "core/tape.h"

#include <algorithm>

namespace rlhf {

namespace {
thread_local Tape* current_tape = nullptr;
}

Tape::Tape() : outer_(current_tape) { current_tape = this; }
Tape::~Tape() { current_tape = outer_; }
Tape* Tape::current() { return current_tape; }

void Tape::backward(const Tensor& loss) {
  check(loss.count() == 1, "backward", "expected a loss of one element, got shape {}",
        loss.shape().text());
  check(loss.requires_grad(), "backward",
        "expected a loss that depends on a tensor with requires_grad, got one that does not");
  dispatch(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    loss.grad_out<T>();
    loss.grad().copy_from(Tensor::from(std::vector<T>{T{1}}, loss.shape(), loss.device()));
  });
  const auto has_grad = [](const Tensor& output) { return output.has_grad(); };
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    if (std::any_of(node.outputs.begin(), node.outputs.end(), has_grad)) node.backward();
  }
}

Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs) {
  const Tensor& first = *inputs.begin();
  Tensor tensor = Tensor::empty(shape, first.dtype(), first.device());
  const auto wanted = [](const Tensor& input) { return input.requires_grad(); };
  tensor.set_requires_grad(current_tape && std::any_of(inputs.begin(), inputs.end(), wanted));
  return tensor;
}

void record(std::string_view name, std::vector<Tensor> outputs, std::function<void()> backward) {
  const auto wanted = [](const Tensor& output) { return output.requires_grad(); };
  if (!current_tape || std::none_of(outputs.begin(), outputs.end(), wanted)) return;
  current_tape->nodes_.push_back({name, std::move(outputs), std::move(backward)});
}

}  // namespace rlhf
