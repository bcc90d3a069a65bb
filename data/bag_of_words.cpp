#include "data/bag_of_words.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/check.h"
#include "core/math.h"

namespace rlhf {
namespace {

using Vector = std::vector<double>;

struct Feature {
  int32_t index;
  double value;
};
using Row = std::vector<Feature>;  ///< sparse, ascending, the constant 1 of the bias last

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); i++) sum += a[i] * b[i];
  return sum;
}

double dot(const Row& row, const Vector& w) {
  double sum = 0;
  for (const auto& [index, value] : row) sum += value * w[size_t(index)];
  return sum;
}

void add_scaled(Vector& out, double scale, const Vector& a) {
  for (size_t i = 0; i < a.size(); i++) out[i] += scale * a[i];
}

std::vector<std::string> words_of(std::string_view text, Tokenise unit) {
  std::vector<std::string> words;
  for (const std::string_view view : tokenise(text, unit)) {
    std::string& word = words.emplace_back(view);
    for (char& c : word) {
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    }
  }
  return words;
}

Row row_of(std::string_view text, const std::unordered_map<std::string, int32_t>& vocabulary,
           const BagOfWordsOptions& options) {
  std::map<int32_t, double> values;
  for (const auto& word : words_of(text, options.unit)) {
    if (const auto found = vocabulary.find(word); found != vocabulary.end()) {
      double& value = values[found->second];
      value = options.binary ? 1 : value + 1;
    }
  }
  Row row;
  for (const auto& [index, value] : values) row.push_back({index, value});
  row.push_back({int32_t(vocabulary.size()), 1});
  return row;
}

/// The penalised loss as a function of the weights; the last weight is the bias.
struct Objective {
  const std::vector<Row>& rows;
  std::span<const int> labels;
  double l2;

  double value(const Vector& w) const {
    double sum = 0.5 * l2 * (dot(w, w) - w.back() * w.back());
    for (size_t i = 0; i < rows.size(); i++) {
      const double z = dot(rows[i], w);
      sum += softplus(labels[i] ? -z : z);
    }
    return sum;
  }

  /// Returns the gradient; `curvature` (rows) receives the second derivative of each row's loss.
  Vector gradient(const Vector& w, Vector& curvature) const {
    Vector out = penalty(w);
    curvature.resize(rows.size());
    for (size_t i = 0; i < rows.size(); i++) {
      const double p = sigmoid(dot(rows[i], w));
      curvature[i] = p * (1 - p);
      for (const auto& [index, value] : rows[i]) out[size_t(index)] += (p - labels[i]) * value;
    }
    return out;
  }

  Vector hessian_times(const Vector& v, const Vector& curvature) const {
    Vector out = penalty(v);
    for (size_t i = 0; i < rows.size(); i++) {
      const double along = curvature[i] * dot(rows[i], v);
      for (const auto& [index, value] : rows[i]) out[size_t(index)] += along * value;
    }
    return out;
  }

 private:
  Vector penalty(const Vector& v) const {
    Vector out(v.size());
    for (size_t i = 0; i + 1 < v.size(); i++) out[i] = l2 * v[i];
    return out;
  }
};

/// Solves H step = -gradient to a tenth of the residual by conjugate gradients (Nocedal and Wright
/// 2006, algorithm 7.1; H is positive definite).
Vector newton_step(const Objective& objective, const Vector& gradient, const Vector& curvature) {
  Vector step(gradient.size()), residual(gradient.size());
  add_scaled(residual, -1, gradient);
  Vector direction = residual;
  double norm = dot(residual, residual);
  const double goal = 0.01 * norm;
  for (size_t k = 0; k < gradient.size() && norm > goal; k++) {
    const Vector h = objective.hessian_times(direction, curvature);
    const double alpha = norm / dot(direction, h);
    add_scaled(step, alpha, direction);
    add_scaled(residual, -alpha, h);
    const double next = dot(residual, residual);
    for (size_t i = 0; i < direction.size(); i++) {
      direction[i] = residual[i] + next / norm * direction[i];
    }
    norm = next;
  }
  return step;
}

Vector minimise(const Objective& objective, size_t size) {
  constexpr int max_steps = 100;
  Vector w(size), curvature;
  double start_norm = 0;
  for (int step = 0; step < max_steps; step++) {
    const Vector gradient = objective.gradient(w, curvature);
    const double norm = std::sqrt(dot(gradient, gradient));
    if (step == 0) start_norm = norm;
    if (norm <= 1e-6 * start_norm) break;
    const Vector direction = newton_step(objective, gradient, curvature);
    const double before = objective.value(w), slope = dot(gradient, direction);
    // Halve until Armijo's condition holds; the floor ends a search that rounding has made idle.
    double rate = 1;
    Vector trial;
    do {
      trial = w;
      add_scaled(trial, rate, direction);
      if (objective.value(trial) <= before + 1e-4 * rate * slope) break;
      rate /= 2;
    } while (rate > 1e-6);
    w = std::move(trial);
  }
  return w;
}

}  // namespace

BagOfWords BagOfWords::fit(std::span<const std::string> texts, std::span<const int> labels,
                           const BagOfWordsOptions& options) {
  check(texts.size() == labels.size(), "bag of words", "expected one label a text, got {} for {}",
        labels.size(), texts.size());
  check(options.l2 > 0, "bag of words", "expected l2 > 0, got {}", options.l2);
  for (const int label : labels) {
    if (label != 0 && label != 1) input_error("label", "expected 0 or 1, got {}", label);
  }
  if (std::count(labels.begin(), labels.end(), 1) == 0 ||
      std::count(labels.begin(), labels.end(), 0) == 0) {
    input_error("label", "expected examples of both classes, got only one in {} texts",
                labels.size());
  }

  std::map<std::string, int64_t> counts;  // sorted, so that indices depend on the words alone
  for (const auto& text : texts) {
    for (auto& word : words_of(text, options.unit)) counts[std::move(word)]++;
  }
  BagOfWords model;
  model.options_ = options;
  for (const auto& [word, count] : counts) {
    if (count >= options.min_count) {
      model.vocabulary_.emplace(word, int32_t(model.vocabulary_.size()));
    }
  }
  std::vector<Row> rows;
  rows.reserve(texts.size());
  for (const auto& text : texts) rows.push_back(row_of(text, model.vocabulary_, options));
  model.weight_ = minimise({rows, labels, options.l2}, model.vocabulary_.size() + 1);
  return model;
}

double BagOfWords::predict(std::string_view text) const {
  return sigmoid(dot(row_of(text, vocabulary_, options_), weight_));
}

}  // namespace rlhf
