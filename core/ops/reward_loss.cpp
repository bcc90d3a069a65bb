#include "kernels/reward_loss.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor pairwise_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& margin,
                     float centering) {
  const int64_t count = chosen.count();
  check(rejected.count() == count && (!margin.defined() || margin.count() == count),
        "pairwise_loss", "expected {} rejected rewards and margins, got {} rejected", count,
        rejected.count());
  Tensor loss = result({count}, {chosen, rejected});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(), PairwiseLossForward<T>{loss.data<T>(), chosen.data<T>(), rejected.data<T>(),
                                              margin.data<T>(), count, centering});
  });

  record("pairwise_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          PairwiseLossBackward<T>{chosen.grad_out<T>(), rejected.grad_out<T>(), loss.grad_data<T>(),
                                  chosen.data<T>(), rejected.data<T>(), margin.data<T>(), count,
                                  centering});
    });
  });
  return loss;
}

Tensor pointwise_loss(const Tensor& reward, const Tensor& label, PointwiseKind kind) {
  const int64_t count = reward.count();
  check(label.count() == count, "pointwise_loss", "expected {} labels, got {}", count,
        label.count());
  Tensor loss = result({count}, {reward});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(),
        PointwiseLossForward<T>{loss.data<T>(), reward.data<T>(), label.data<T>(), count, kind});
  });

  record("pointwise_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(), PointwiseLossBackward<T>{reward.grad_out<T>(), loss.grad_data<T>(),
                                                  reward.data<T>(), label.data<T>(), count, kind});
    });
  });
  return loss;
}

}  // namespace rlhf
