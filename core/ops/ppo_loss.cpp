#include "kernels/ppo_loss.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor ppo_policy_loss(const Tensor& log_prob, const Tensor& old_log_prob, const Tensor& advantage,
                       float clip, float dual_clip, float log_ratio_clamp, float clip_high) {
  const int64_t count = log_prob.count();
  check(old_log_prob.count() == count && advantage.count() == count, "ppo_policy_loss",
        "expected {} old log-probabilities and advantages, got {} and {}", count,
        old_log_prob.count(), advantage.count());
  Tensor loss = result(log_prob.shape(), {log_prob});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(), PpoPolicyLossForward<T>{loss.data<T>(), log_prob.data<T>(),
                                               old_log_prob.data<T>(), advantage.data<T>(), count,
                                               clip, dual_clip, log_ratio_clamp, clip_high});
  });

  record("ppo_policy_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          PpoPolicyLossBackward<T>{log_prob.grad_out<T>(), loss.grad_data<T>(), log_prob.data<T>(),
                                   old_log_prob.data<T>(), advantage.data<T>(), count, clip,
                                   dual_clip, log_ratio_clamp, clip_high});
    });
  });
  return loss;
}

Tensor ppo_value_loss(const Tensor& value, const Tensor& old_value, const Tensor& target,
                      float clip) {
  const int64_t count = value.count();
  check(old_value.count() == count && target.count() == count, "ppo_value_loss",
        "expected {} old values and returns, got {} and {}", count, old_value.count(),
        target.count());
  Tensor loss = result(value.shape(), {value});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(), PpoValueLossForward<T>{loss.data<T>(), value.data<T>(), old_value.data<T>(),
                                              target.data<T>(), count, clip});
  });

  record("ppo_value_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          PpoValueLossBackward<T>{value.grad_out<T>(), loss.grad_data<T>(), value.data<T>(),
                                  old_value.data<T>(), target.data<T>(), count, clip});
    });
  });
  return loss;
}

}  // namespace rlhf
