#include "core/tape.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/add.h"
#include "kernels/run.h"

namespace rlhf {

namespace {
thread_local Tape* current_tape = nullptr;

// 1, made once a thread: a step that is recorded may not copy from the host.
Tensor one(DType dtype, Device device) {
  static thread_local std::map<std::pair<DType, Device>, Tensor> made;
  Tensor& tensor = made[{dtype, device}];
  if (!tensor.defined()) {
    dispatch_accumulator(dtype, [&](auto t) {
      using T = decltype(t);
      tensor = Tensor::from(std::vector<T>{T{1}}, {1}, device);
    });
  }
  return tensor;
}

}  // namespace

Tape::Tape() : outer_(current_tape) { current_tape = this; }
Tape::~Tape() { current_tape = outer_; }
Tape* Tape::current() { return current_tape; }

void Tape::backward(const Tensor& loss) {
  check(loss.count() == 1, "backward", "expected a loss of one element, got shape {}",
        loss.shape().text());
  check(loss.requires_grad(), "backward",
        "expected a loss that depends on a tensor with requires_grad, got one that does not");
  backward(loss, one(loss.dtype(), loss.device()).reshape(loss.shape()));
}

void Tape::backward(const Tensor& output, const Tensor& gradient) {
  dispatch(output.dtype(), [&](auto t) { output.grad_out<decltype(t)>(); });
  output.grad().copy_from(gradient);
  const auto has_grad = [](const Tensor& output) { return output.has_grad(); };
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    if (std::any_of(node.outputs.begin(), node.outputs.end(), has_grad)) node.backward();
  }
}

NoTape::NoTape() : paused_(current_tape) { current_tape = nullptr; }
NoTape::~NoTape() { current_tape = paused_; }

Tensor recompute(const std::function<Tensor(const Tensor& x)>& f, const Tensor& x) {
  if (!current_tape || !x.requires_grad()) return f(x);
  Tensor y;
  {
    NoTape nothing_is_kept;
    y = f(x);
  }
  y.set_requires_grad(true);
  record("recompute", {y}, [f, x, y] {
    // x keeps its place for a gradient, and so do the parameters that f reads: the inner tape's
    // closures write where those of this one would have written, in the same order.
    Tape tape;
    tape.backward(f(x), y.grad());
  });
  return y;
}

Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs) {
  return result(shape, inputs, inputs.begin()->dtype());
}

Tensor result(const Shape& shape, std::initializer_list<Tensor> inputs, DType dtype) {
  Tensor tensor = Tensor::empty(shape, dtype, inputs.begin()->device());
  const auto wanted = [](const Tensor& input) { return input.requires_grad(); };
  tensor.set_requires_grad(current_tape && std::any_of(inputs.begin(), inputs.end(), wanted));
  return tensor;
}

void pass_gradient(const Tensor& output, const Tensor& input) {
  if (!input.requires_grad() || !output.has_grad() || input.share_grad(output)) return;
  dispatch(input.dtype(), [&](auto t) {
    using T = decltype(t);
    run(input.device(), ScaleInto<T>{input.grad_out<T>(), output.grad_data<T>(), 1, input.count()});
  });
}

void record(std::string_view name, std::vector<Tensor> outputs, std::function<void()> backward) {
  const auto wanted = [](const Tensor& output) { return output.requires_grad(); };
  if (!current_tape || std::none_of(outputs.begin(), outputs.end(), wanted)) return;
  current_tape->nodes_.push_back({name, std::move(outputs), std::move(backward)});
}

}  // namespace rlhf
