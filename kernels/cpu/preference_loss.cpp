// Losses over completions, one pair or one completion at a time.
#include "kernels/preference_loss.h"

#include "kernels/cpu/support/logistic.h"
#include "kernels/cpu/support/pointwise.h"

namespace rlhf {
namespace {

using cpu::log1mexp;
using cpu::sigmoid;
using cpu::softplus;

template <class T>
T lead(const auto& c, int64_t i) {
  const T policy = c.chosen[i] - c.rejected[i];
  return c.ref_chosen ? policy - (c.ref_chosen[i] - c.ref_rejected[i]) : policy;
}

template <class T>
T loss_of(const PreferenceLossForm& form, T lead) {
  const T beta = T(form.beta), e = T(form.label_smoothing);
  const T u = beta * lead - T(form.gamma), error = lead - 1 / (2 * beta);
  switch (form.kind) {
    case PreferenceLossKind::sigmoid:
      return (1 - e) * softplus(-u) + e * softplus(u);
    case PreferenceLossKind::hinge:
      return u >= 1 ? T(0) : 1 - u;  // not a number stays what it is
    case PreferenceLossKind::ipo:
      return error * error;
    case PreferenceLossKind::robust:
      return ((1 - e) * softplus(-u) - e * softplus(u)) / (1 - 2 * e);
  }
  return 0;
}

/// d loss / d lead.
template <class T>
T slope_of(const PreferenceLossForm& form, T lead) {
  const T beta = T(form.beta), e = T(form.label_smoothing);
  const T u = beta * lead - T(form.gamma);
  switch (form.kind) {
    case PreferenceLossKind::sigmoid:
      return beta * (e * sigmoid(u) - (1 - e) * sigmoid(-u));
    case PreferenceLossKind::hinge:
      return u >= 1 ? T(0) : -beta;
    case PreferenceLossKind::ipo:
      return 2 * (lead - 1 / (2 * beta));
    case PreferenceLossKind::robust:
      return -beta * (e * sigmoid(u) + (1 - e) * sigmoid(-u)) / (1 - 2 * e);
  }
  return 0;
}

template <class T>
T with_odds(T log_prob) {
  return std::min(log_prob, T(most_log_prob_with_odds));
}

template <class T>
T log_odds(T log_prob) {
  return with_odds(log_prob) - log1mexp(with_odds(log_prob));
}

/// d log odds / d log p.
template <class T>
T slope_of_log_odds(T log_prob) {
  return -1 / std::expm1(with_odds(log_prob));
}

/// How well a completion does, in the direction that its label asks for.
template <class T>
T value(const auto& c, int64_t i) {
  const T side = c.label[i] > T(0.5) ? T(1) : T(-1);
  return side * T(c.beta) * (c.log_prob[i] - c.ref[i] - *c.kl);
}

}  // namespace

template <class T>
void run(Cpu, const PreferenceLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) { c.loss[i] = loss_of<T>(c.form, lead<T>(c, i)); });
}

template <class T>
void run(Cpu, const PreferenceLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T d_lead = c.d_loss[i] * slope_of<T>(c.form, lead<T>(c, i));
    cpu::put(c.d_chosen, i, d_lead);
    cpu::put(c.d_rejected, i, -d_lead);
  });
}

template <class T>
void run(Cpu, const OddsRatioLossForward<T>& c, Stream) {
  cpu::for_each_element(
      c, [&](int64_t i) { c.loss[i] = softplus(log_odds(c.rejected[i]) - log_odds(c.chosen[i])); });
}

template <class T>
void run(Cpu, const OddsRatioLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T push = c.d_loss[i] * sigmoid(log_odds(c.rejected[i]) - log_odds(c.chosen[i]));
    cpu::put(c.d_chosen, i, -push * slope_of_log_odds(c.chosen[i]));
    cpu::put(c.d_rejected, i, push * slope_of_log_odds(c.rejected[i]));
  });
}

template <class T>
void run(Cpu, const ProspectLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T weight = T(c.label[i] > T(0.5) ? c.desirable_weight : c.undesirable_weight);
    c.loss[i] = weight * sigmoid(-value<T>(c, i));
  });
}

template <class T>
void run(Cpu, const ProspectLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const bool desirable = c.label[i] > T(0.5);
    const T weight = desirable ? T(c.desirable_weight) : -T(c.undesirable_weight);
    const T v = value<T>(c, i);
    cpu::put(c.d_log_prob, i, -c.d_loss[i] * weight * T(c.beta) * sigmoid(v) * sigmoid(-v));
  });
}

template void run(Cpu, const PreferenceLossForward<float>&, Stream);
template void run(Cpu, const PreferenceLossForward<double>&, Stream);
template void run(Cpu, const PreferenceLossBackward<float>&, Stream);
template void run(Cpu, const PreferenceLossBackward<double>&, Stream);
template void run(Cpu, const OddsRatioLossForward<float>&, Stream);
template void run(Cpu, const OddsRatioLossForward<double>&, Stream);
template void run(Cpu, const OddsRatioLossBackward<float>&, Stream);
template void run(Cpu, const OddsRatioLossBackward<double>&, Stream);
template void run(Cpu, const ProspectLossForward<float>&, Stream);
template void run(Cpu, const ProspectLossForward<double>&, Stream);
template void run(Cpu, const ProspectLossBackward<float>&, Stream);
template void run(Cpu, const ProspectLossBackward<double>&, Stream);

}  // namespace rlhf
