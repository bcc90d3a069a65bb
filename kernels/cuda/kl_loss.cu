// The KL penalty as a loss, token by token.
#include "kernels/kl_loss.h"

#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

struct Estimate {
  float value, slope;  ///< and its derivative by the log-ratio
};

/// Schulman's estimators, with their bounds.
struct Estimator {
  KlLossKind kind;
  float log_ratio_clamp, clamp;

  __device__ Estimate unbounded(float d) const {
    switch (kind) {
      case KlLossKind::k1:
        return {d, 1};
      case KlLossKind::k2:
        return {d * d / 2, d};
      case KlLossKind::k3:
        return {expm1f(-d) + d, -expm1f(-d)};
      case KlLossKind::straight_through_k3:
        break;
    }
    return {expm1f(-d) + d, d};
  }

  __device__ Estimate operator()(float log_prob, float ref_log_prob) const {
    float d = log_prob - ref_log_prob;
    const bool cut = log_ratio_clamp > 0 && fabsf(d) > log_ratio_clamp;
    if (cut) d = copysignf(log_ratio_clamp, d);
    Estimate e = unbounded(d);
    const bool held = clamp > 0 && fabsf(e.value) > clamp;
    if (cut || held) e.slope = 0;
    if (held) e.value = copysignf(clamp, e.value);
    return e;
  }
};

struct Loss {
  Estimator estimate;
  __device__ float operator()(float log_prob, float ref_log_prob) const {
    return estimate(log_prob, ref_log_prob).value;
  }
};

struct Gradient {
  Estimator estimate;
  __device__ float operator()(float d_loss, float log_prob, float ref_log_prob) const {
    return d_loss * estimate(log_prob, ref_log_prob).slope;
  }
};

}  // namespace

template <class T>
void run(Cuda, const KlLossForward<T>& c, Stream stream) {
  gpu::pointwise("kl_loss", stream, GradientOut<T>{c.loss}, c.count,
                 Loss{{c.kind, c.log_ratio_clamp, c.clamp}}, c.log_prob, c.ref_log_prob);
}

template <class T>
void run(Cuda, const KlLossBackward<T>& c, Stream stream) {
  gpu::pointwise("kl_loss_backward", stream, c.d_log_prob, c.count,
                 Gradient{{c.kind, c.log_ratio_clamp, c.clamp}}, c.d_loss, c.log_prob,
                 c.ref_log_prob);
}

template void run(Cuda, const KlLossForward<float>&, Stream);
template void run(Cuda, const KlLossBackward<float>&, Stream);

}  // namespace rlhf
