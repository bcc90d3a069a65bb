// Losses over completions, one pair or one completion at a time.
#include "kernels/preference_loss.h"

#include "kernels/cuda/support/logistic.h"
#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

using gpu::log1mexp;
using gpu::sigmoid;
using gpu::softplus;

struct PreferenceLoss {
  PreferenceLossForm form;
  __device__ float operator()(float chosen, float rejected, float ref_chosen = 0,
                              float ref_rejected = 0) const {
    const float lead = (chosen - rejected) - (ref_chosen - ref_rejected);
    const float e = form.label_smoothing, u = form.beta * lead - form.gamma;
    const float error = lead - 1 / (2 * form.beta);
    switch (form.kind) {
      case PreferenceLossKind::sigmoid:
        return (1 - e) * softplus(-u) + e * softplus(u);
      case PreferenceLossKind::hinge:
        return u >= 1 ? 0 : 1 - u;  // not a number stays what it is
      case PreferenceLossKind::ipo:
        return error * error;
      case PreferenceLossKind::robust:
        return ((1 - e) * softplus(-u) - e * softplus(u)) / (1 - 2 * e);
    }
    return 0;
  }
};

struct PreferenceGradient {
  PreferenceLossForm form;
  float side;  ///< 1: by the chosen completion, -1: by the rejected one
  __device__ float operator()(float d_loss, float chosen, float rejected, float ref_chosen = 0,
                              float ref_rejected = 0) const {
    const float lead = (chosen - rejected) - (ref_chosen - ref_rejected);
    return side * d_loss * slope(lead);
  }
  __device__ float slope(float lead) const {
    const float beta = form.beta, e = form.label_smoothing, u = beta * lead - form.gamma;
    switch (form.kind) {
      case PreferenceLossKind::sigmoid:
        return beta * (e * sigmoid(u) - (1 - e) * sigmoid(-u));
      case PreferenceLossKind::hinge:
        return u >= 1 ? 0 : -beta;
      case PreferenceLossKind::ipo:
        return 2 * (lead - 1 / (2 * beta));
      case PreferenceLossKind::robust:
        return -beta * (e * sigmoid(u) + (1 - e) * sigmoid(-u)) / (1 - 2 * e);
    }
    return 0;
  }
};

__device__ inline float with_odds(float log_prob) {
  return log_prob > most_log_prob_with_odds ? most_log_prob_with_odds : log_prob;
}

__device__ inline float log_odds(float log_prob) {
  return with_odds(log_prob) - log1mexp(with_odds(log_prob));
}

struct OddsRatioLoss {
  __device__ float operator()(float chosen, float rejected) const {
    return softplus(log_odds(rejected) - log_odds(chosen));
  }
};

struct OddsRatioGradient {
  float side;  ///< 1: by the chosen completion, -1: by the rejected one
  __device__ float operator()(float d_loss, float chosen, float rejected) const {
    const float push = d_loss * sigmoid(log_odds(rejected) - log_odds(chosen));
    return side * push / expm1f(with_odds(side > 0 ? chosen : rejected));
  }
};

struct ProspectLoss {
  const float* kl;
  float beta, desirable_weight, undesirable_weight;
  __device__ float value(float log_prob, float ref, float label) const {
    const float gain = beta * (log_prob - ref - *kl);
    return label > 0.5f ? gain : -gain;
  }
  __device__ float operator()(float log_prob, float ref, float label) const {
    const float weight = label > 0.5f ? desirable_weight : undesirable_weight;
    return weight * sigmoid(-value(log_prob, ref, label));
  }
};

struct ProspectGradient {
  ProspectLoss of;
  __device__ float operator()(float d_loss, float log_prob, float ref, float label) const {
    const float weight = label > 0.5f ? of.desirable_weight : -of.undesirable_weight;
    const float v = of.value(log_prob, ref, label);
    return -d_loss * weight * of.beta * sigmoid(v) * sigmoid(-v);
  }
};

}  // namespace

template <class T>
void run(Cuda, const PreferenceLossForward<T>& c, Stream stream) {
  const auto go = [&](const auto*... ref) {
    gpu::pointwise("preference_loss", stream, GradientOut<T>{c.loss}, c.count,
                   PreferenceLoss{c.form}, c.chosen, c.rejected, ref...);
  };
  c.ref_chosen ? go(c.ref_chosen, c.ref_rejected) : go();
}

template <class T>
void run(Cuda, const PreferenceLossBackward<T>& c, Stream stream) {
  const auto go = [&](const GradientOut<T>& out, float side, const auto*... ref) {
    gpu::pointwise("preference_loss_backward", stream, out, c.count,
                   PreferenceGradient{c.form, side}, c.d_loss, c.chosen, c.rejected, ref...);
  };
  const auto both = [&](const auto*... ref) {
    go(c.d_chosen, 1, ref...);
    go(c.d_rejected, -1, ref...);
  };
  c.ref_chosen ? both(c.ref_chosen, c.ref_rejected) : both();
}

template <class T>
void run(Cuda, const OddsRatioLossForward<T>& c, Stream stream) {
  gpu::pointwise("odds_ratio_loss", stream, GradientOut<T>{c.loss}, c.count, OddsRatioLoss{},
                 c.chosen, c.rejected);
}

template <class T>
void run(Cuda, const OddsRatioLossBackward<T>& c, Stream stream) {
  const auto go = [&](const GradientOut<T>& out, float side) {
    gpu::pointwise("odds_ratio_loss_backward", stream, out, c.count, OddsRatioGradient{side},
                   c.d_loss, c.chosen, c.rejected);
  };
  go(c.d_chosen, 1);
  go(c.d_rejected, -1);
}

template <class T>
void run(Cuda, const ProspectLossForward<T>& c, Stream stream) {
  gpu::pointwise("prospect_loss", stream, GradientOut<T>{c.loss}, c.count,
                 ProspectLoss{c.kl, c.beta, c.desirable_weight, c.undesirable_weight}, c.log_prob,
                 c.ref, c.label);
}

template <class T>
void run(Cuda, const ProspectLossBackward<T>& c, Stream stream) {
  gpu::pointwise("prospect_loss_backward", stream, c.d_log_prob, c.count,
                 ProspectGradient{{c.kl, c.beta, c.desirable_weight, c.undesirable_weight}},
                 c.d_loss, c.log_prob, c.ref, c.label);
}

template void run(Cuda, const PreferenceLossForward<float>&, Stream);
template void run(Cuda, const PreferenceLossBackward<float>&, Stream);
template void run(Cuda, const OddsRatioLossForward<float>&, Stream);
template void run(Cuda, const OddsRatioLossBackward<float>&, Stream);
template void run(Cuda, const ProspectLossForward<float>&, Stream);
template void run(Cuda, const ProspectLossBackward<float>&, Stream);

}  // namespace rlhf
