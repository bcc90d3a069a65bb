#include "kernels/reduce.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor weighted_sum(const Tensor& x, const Tensor& weight) {
  check(x.count() == weight.count(), "weighted_sum", "expected {} weights, got {}", x.count(),
        weight.count());
  Tensor out = result({1}, {x});

  dispatch_accumulator(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), WeightedSumForward<T>{out.data<T>(), x.data<T>(), weight.data<T>(), x.count()});
  });

  record("weighted_sum", {out}, [=] {
    dispatch_accumulator(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(),
          WeightedSumBackward<T>{x.grad_out<T>(), out.grad_data<T>(), weight.data<T>(), x.count()});
    });
  });
  return out;
}

}  // namespace rlhf
