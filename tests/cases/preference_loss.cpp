// Losses over completions against their formulas as the papers write them.
#include "kernels/preference_loss.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

struct PreferenceLossCase {
  struct Shape {
    std::string label;
    int64_t count;
    PreferenceLossForm form;
    bool reference = true;
    double size = 2;  ///< of log-ratios
  };
  static constexpr const char* name = "preference_loss";
  static std::vector<Shape> shapes() {
    using enum PreferenceLossKind;
    return {{"one", 1, {sigmoid, 0.1f}},
            {"conservative", 33, {sigmoid, 0.5f, 0.1f}},
            {"certain", 40, {sigmoid, 1}, true, 60},
            {"hinge", 33, {hinge, 0.3f}},
            {"ipo", 33, {ipo, 0.1f}},
            {"robust", 33, {robust, 0.2f, 0.2f}},
            {"simpo", 35, {sigmoid, 2, 0, 0.5f}, false},
            {"parallel", 8000, {sigmoid, 0.1f}}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"4096", 4096, {PreferenceLossKind::sigmoid, 0.1f}}};
  }

  template <class T>
  static PreferenceLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .chosen = b.normal<T>(s.count, s.size, -20),
            .rejected = b.normal<T>(s.count, s.size, -20),
            .ref_chosen = s.reference ? b.normal<T>(s.count, s.size, -20) : nullptr,
            .ref_rejected = s.reference ? b.normal<T>(s.count, s.size, -20) : nullptr,
            .count = s.count,
            .form = s.form};
  }

  static void reference(const PreferenceLossForward<double>& c) {
    const double beta = c.form.beta, e = c.form.label_smoothing;
    for (int64_t i = 0; i < c.count; i++) {
      const double h =
          c.chosen[i] - c.rejected[i] - (c.ref_chosen ? c.ref_chosen[i] - c.ref_rejected[i] : 0);
      const double u = beta * h - c.form.gamma;
      switch (c.form.kind) {
        case PreferenceLossKind::sigmoid:
          c.loss[i] = -(1 - e) * log_sigmoid(u) - e * log_sigmoid(-u);
          break;
        case PreferenceLossKind::hinge:
          c.loss[i] = 1 - u > 0 ? 1 - u : 0;
          break;
        case PreferenceLossKind::ipo:
          c.loss[i] = std::pow(h - 1 / (2 * beta), 2);
          break;
        case PreferenceLossKind::robust:
          c.loss[i] = (-(1 - e) * log_sigmoid(u) + e * log_sigmoid(-u)) / (1 - 2 * e);
          break;
      }
    }
  }

  template <class T>
  static PreferenceLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_chosen = b.gradient<T>(s.count),
            .d_rejected = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .chosen = b.normal<T>(s.count),
            .rejected = b.normal<T>(s.count),
            .ref_chosen = s.reference ? b.normal<T>(s.count) : nullptr,
            .ref_rejected = s.reference ? b.normal<T>(s.count) : nullptr,
            .count = s.count,
            .form = s.form};
  }

  // Differences of log-probabilities near -20 have lost five bits.
  static constexpr Tolerance tolerance = {.f32 = 2e-5, .gradient = 1e-5};
};
const Register<PreferenceLossCase> registered_preference;

struct OddsRatioLossCase {
  struct Shape {
    std::string label;
    int64_t count;
    double low, high;  ///< of mean log-probabilities
  };
  static constexpr const char* name = "odds_ratio_loss";
  static std::vector<Shape> shapes() {
    return {{"one", 1, -2, -1},
            {"usual", 33, -6, -0.1},
            {"likely", 33, -0.2, -0.01},
            {"unlikely", 20, -80, -30},
            {"parallel", 8000, -5, -0.5}};
  }
  static std::vector<Shape> bench_shapes() { return {{"4096", 4096, -5, -0.5}}; }

  template <class T>
  static OddsRatioLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .chosen = b.uniform<T>(s.count, s.low, s.high),
            .rejected = b.uniform<T>(s.count, s.low, s.high),
            .count = s.count};
  }

  static void reference(const OddsRatioLossForward<double>& c) {
    const auto log_odds = [](double x) { return x - std::log1p(-std::exp(x)); };
    for (int64_t i = 0; i < c.count; i++) {
      c.loss[i] = -log_sigmoid(log_odds(c.chosen[i]) - log_odds(c.rejected[i]));
    }
  }

  template <class T>
  static OddsRatioLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_chosen = b.gradient<T>(s.count),
            .d_rejected = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .chosen = b.normal<T>(s.count),
            .rejected = b.normal<T>(s.count),
            .count = s.count};
  }

  static constexpr Tolerance tolerance = {.f32 = 2e-5, .gradient = 2e-5};
};
const Register<OddsRatioLossCase> registered_odds_ratio;

struct ProspectLossCase {
  struct Shape {
    std::string label;
    int64_t count;
    float kl, beta, desirable, undesirable;
  };
  static constexpr const char* name = "prospect_loss";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 0, 0.1f, 1, 1},
            {"weights", 33, 0.7f, 0.5f, 1.5f, 0.8f},
            {"certain", 40, 3, 30, 1, 1},
            {"parallel", 8000, 0.4f, 0.1f, 1, 1.2f}};
  }
  static std::vector<Shape> bench_shapes() { return {{"4096", 4096, 0.5f, 0.1f, 1, 1}}; }

  /// Every third completion is undesirable.
  template <class T>
  static T* labels(Buffers& b, int64_t count) {
    std::vector<T> out;
    for (int64_t i = 0; i < count; i++) out.push_back(T(i % 3 == 1 ? 0 : 1));
    return b.hold(out);
  }

  template <class T>
  static ProspectLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .log_prob = b.normal<T>(s.count, 2, -20),
            .ref = b.normal<T>(s.count, 2, -20),
            .label = labels<T>(b, s.count),
            .kl = b.hold(std::vector<T>{T(s.kl)}),
            .count = s.count,
            .beta = s.beta,
            .desirable_weight = s.desirable,
            .undesirable_weight = s.undesirable};
  }

  static void reference(const ProspectLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double ratio = c.log_prob[i] - c.ref[i];
      const bool desirable = c.label[i] == 1;
      const double z = double(c.beta) * (desirable ? ratio - *c.kl : *c.kl - ratio);
      c.loss[i] = double(desirable ? c.desirable_weight : c.undesirable_weight) *
                  (1 - 1 / (1 + std::exp(-z)));
    }
  }

  template <class T>
  static ProspectLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_log_prob = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .log_prob = b.normal<T>(s.count),
            .ref = b.normal<T>(s.count),
            .label = labels<T>(b, s.count),
            .kl = b.hold(std::vector<T>{T(s.kl)}),
            .count = s.count,
            .beta = s.beta,
            .desirable_weight = s.desirable,
            .undesirable_weight = s.undesirable};
  }

  static constexpr Tolerance tolerance = {.f32 = 1e-4, .gradient = 1e-5};
};
const Register<ProspectLossCase> registered_prospect;

}  // namespace
}  // namespace rlhf
