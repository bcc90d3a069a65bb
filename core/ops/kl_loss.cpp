#include "kernels/kl_loss.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor kl_loss(const Tensor& log_prob, const Tensor& ref_log_prob, KlLossKind kind,
               float log_ratio_clamp, float clamp) {
  const int64_t count = log_prob.count();
  check(ref_log_prob.count() == count, "kl_loss",
        "expected {} log-probabilities of the reference, got {}", count, ref_log_prob.count());
  Tensor loss = result(log_prob.shape(), {log_prob});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(), KlLossForward<T>{loss.data<T>(), log_prob.data<T>(), ref_log_prob.data<T>(),
                                        count, kind, log_ratio_clamp, clamp});
  });

  record("kl_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          KlLossBackward<T>{log_prob.grad_out<T>(), loss.grad_data<T>(), log_prob.data<T>(),
                            ref_log_prob.data<T>(), count, kind, log_ratio_clamp, clamp});
    });
  });
  return loss;
}

}  // namespace rlhf
