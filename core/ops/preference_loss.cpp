#include "kernels/preference_loss.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor preference_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& ref_chosen,
                       const Tensor& ref_rejected, const PreferenceLossForm& form) {
  const int64_t count = chosen.count();
  check(
      rejected.count() == count && ref_chosen.defined() == ref_rejected.defined() &&
          (!ref_chosen.defined() || (ref_chosen.count() == count && ref_rejected.count() == count)),
      "preference_loss",
      "expected {} rejected completions and as many of a reference, or none, "
      "got {} rejected",
      count, rejected.count());
  Tensor loss = result({count}, {chosen, rejected});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(),
        PreferenceLossForward<T>{loss.data<T>(), chosen.data<T>(), rejected.data<T>(),
                                 ref_chosen.data<T>(), ref_rejected.data<T>(), count, form});
  });

  record("preference_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          PreferenceLossBackward<T>{chosen.grad_out<T>(), rejected.grad_out<T>(),
                                    loss.grad_data<T>(), chosen.data<T>(), rejected.data<T>(),
                                    ref_chosen.data<T>(), ref_rejected.data<T>(), count, form});
    });
  });
  return loss;
}

Tensor odds_ratio_loss(const Tensor& chosen, const Tensor& rejected) {
  const int64_t count = chosen.count();
  check(rejected.count() == count, "odds_ratio_loss", "expected {} rejected completions, got {}",
        count, rejected.count());
  Tensor loss = result({count}, {chosen, rejected});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(),
        OddsRatioLossForward<T>{loss.data<T>(), chosen.data<T>(), rejected.data<T>(), count});
  });

  record("odds_ratio_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(), OddsRatioLossBackward<T>{chosen.grad_out<T>(), rejected.grad_out<T>(),
                                                  loss.grad_data<T>(), chosen.data<T>(),
                                                  rejected.data<T>(), count});
    });
  });
  return loss;
}

Tensor prospect_loss(const Tensor& log_prob, const Tensor& ref, const Tensor& label,
                     const Tensor& kl, float beta, float desirable_weight,
                     float undesirable_weight) {
  const int64_t count = log_prob.count();
  check(ref.count() == count && label.count() == count && kl.count() == 1, "prospect_loss",
        "expected {} completions of the reference, as many labels and one KL, got {}, {} and {}",
        count, ref.count(), label.count(), kl.count());
  Tensor loss = result({count}, {log_prob});

  dispatch_accumulator(loss.dtype(), [&](auto t) {
    using T = decltype(t);
    run(loss.device(),
        ProspectLossForward<T>{loss.data<T>(), log_prob.data<T>(), ref.data<T>(), label.data<T>(),
                               kl.data<T>(), count, beta, desirable_weight, undesirable_weight});
  });

  record("prospect_loss", {loss}, [=] {
    dispatch_accumulator(loss.dtype(), [&](auto t) {
      using T = decltype(t);
      run(loss.device(),
          ProspectLossBackward<T>{log_prob.grad_out<T>(), loss.grad_data<T>(), log_prob.data<T>(),
                                  ref.data<T>(), label.data<T>(), kl.data<T>(), count, beta,
                                  desirable_weight, undesirable_weight});
    });
  });
  return loss;
}

}  // namespace rlhf
