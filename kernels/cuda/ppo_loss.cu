// PPO's two losses, token by token.
#include "kernels/ppo_loss.h"

#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

/// `x` held within [low, high]; a NaN stays one.
__device__ inline float held(float x, float low, float high) {
  return x < low ? low : x > high ? high : x;
}

/// -advantage * ratio, the same with the ratio clipped, and what bounds both.
struct Surrogate {
  float plain, clipped, most;
  bool cut;  ///< whether the log-ratio was: it has no gradient then

  __device__ float loss() const {
    const float larger = plain < clipped ? clipped : plain;
    return most < larger ? most : larger;
  }
  __device__ bool moves() const { return plain >= clipped && plain <= most && !cut; }
};

struct PolicyTerms {
  float clip, dual_clip, log_ratio_clamp, clip_high;

  __device__ Surrogate operator()(float log_prob, float old_log_prob, float advantage) const {
    float log_ratio = log_prob - old_log_prob;
    const bool cut = log_ratio_clamp > 0 && fabsf(log_ratio) > log_ratio_clamp;
    if (cut) log_ratio = copysignf(log_ratio_clamp, log_ratio);
    const float ratio = expf(log_ratio);
    const bool bounded = dual_clip > 0 && advantage < 0;
    return {-advantage * ratio,
            -advantage * held(ratio, 1 - clip, 1 + (clip_high > 0 ? clip_high : clip)),
            bounded ? -advantage * dual_clip : HUGE_VALF, cut};
  }
};

struct PolicyLoss {
  PolicyTerms terms;
  __device__ float operator()(float log_prob, float old_log_prob, float advantage) const {
    return terms(log_prob, old_log_prob, advantage).loss();
  }
};

struct PolicyGradient {
  PolicyTerms terms;
  __device__ float operator()(float d_loss, float log_prob, float old_log_prob,
                              float advantage) const {
    const Surrogate s = terms(log_prob, old_log_prob, advantage);
    return s.moves() ? d_loss * s.plain : 0;
  }
};

/// The error of the value, and of the value held near the old one.
struct ValueErrors {
  float plain, clipped;
  bool held_back;  ///< whether clipping changed the value: its error has no gradient then

  __device__ ValueErrors(float value, float old_value, float target, float clip) {
    const float near = clip > 0 ? held(value, old_value - clip, old_value + clip) : value;
    plain = value - target;
    clipped = near - target;
    held_back = near != value;
  }
};

struct ValueLoss {
  float clip;
  __device__ float operator()(float value, float old_value, float target) const {
    const ValueErrors e(value, old_value, target, clip);
    const float plain = e.plain * e.plain, clipped = e.clipped * e.clipped;
    return (plain < clipped ? clipped : plain) / 2;
  }
};

struct ValueGradient {
  float clip;
  __device__ float operator()(float d_loss, float value, float old_value, float target) const {
    const ValueErrors e(value, old_value, target, clip);
    const bool moves = !e.held_back || e.plain * e.plain >= e.clipped * e.clipped;
    return moves ? d_loss * e.plain : 0;
  }
};

}  // namespace

template <class T>
void run(Cuda, const PpoPolicyLossForward<T>& c, Stream stream) {
  gpu::pointwise("ppo_policy_loss", stream, GradientOut<T>{c.loss}, c.count,
                 PolicyLoss{{c.clip, c.dual_clip, c.log_ratio_clamp, c.clip_high}}, c.log_prob,
                 c.old_log_prob, c.advantage);
}

template <class T>
void run(Cuda, const PpoPolicyLossBackward<T>& c, Stream stream) {
  gpu::pointwise("ppo_policy_loss_backward", stream, c.d_log_prob, c.count,
                 PolicyGradient{{c.clip, c.dual_clip, c.log_ratio_clamp, c.clip_high}}, c.d_loss,
                 c.log_prob, c.old_log_prob, c.advantage);
}

template <class T>
void run(Cuda, const PpoValueLossForward<T>& c, Stream stream) {
  gpu::pointwise("ppo_value_loss", stream, GradientOut<T>{c.loss}, c.count, ValueLoss{c.clip},
                 c.value, c.old_value, c.target);
}

template <class T>
void run(Cuda, const PpoValueLossBackward<T>& c, Stream stream) {
  gpu::pointwise("ppo_value_loss_backward", stream, c.d_value, c.count, ValueGradient{c.clip},
                 c.d_loss, c.value, c.old_value, c.target);
}

template void run(Cuda, const PpoPolicyLossForward<float>&, Stream);
template void run(Cuda, const PpoPolicyLossBackward<float>&, Stream);
template void run(Cuda, const PpoValueLossForward<float>&, Stream);
template void run(Cuda, const PpoValueLossBackward<float>&, Stream);

}  // namespace rlhf
