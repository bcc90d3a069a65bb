#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rlhf {
namespace {

// FNV-1a, cut to the 28 bits of a random site.
uint32_t site_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ uint8_t(c)) * 16777619u;
  return hash & 0x0fffffffu;
}

void fill_constant(const Tensor& tensor, double value) {
  dispatch(tensor.dtype(), [&](auto t) {
    using T = decltype(t);
    const std::vector<T> values(size_t(tensor.count()), T(value));
    tensor.copy_from(Tensor::from(values, tensor.shape(), tensor.device()));
  });
}

}  // namespace

void fill_normal(const Tensor& tensor, double deviation, uint64_t seed, std::string_view name) {
  dispatch(tensor.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> values(size_t(tensor.count()));
    for (size_t i = 0; i < values.size(); i++) {
      const PhiloxWords words = random_words(seed, RandomStream::init, site_of(name), 0, i);
      // Rounded to float for double models too: a model's two precisions start from equal values.
      values[i] = T(float(deviation * unit_normal(words[0], words[1])));
    }
    tensor.copy_from(Tensor::from(values, tensor.shape(), tensor.device()));
  });
}

// Gram and Schmidt's process on vectors of independent normals, which no direction is special to.
void fill_orthogonal(const Tensor& matrix, double gain, uint64_t seed, std::string_view name) {
  check(matrix.shape().rank() == 2, name, "expected a matrix, got {}", matrix.shape().text());
  const int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  const int64_t vectors = std::min(rows, columns), length = std::max(rows, columns);
  std::vector<std::vector<double>> basis;
  for (int64_t i = 0; i < vectors; i++) {
    std::vector<double> x(static_cast<size_t>(length));
    for (int64_t j = 0; j < length; j++) {
      const PhiloxWords words =
          random_words(seed, RandomStream::init, site_of(name), 0, uint64_t(i * length + j));
      x[size_t(j)] = unit_normal(words[0], words[1]);
    }
    for (int pass = 0; pass < 2; pass++) {  // the second removes what the first left by rounding
      for (const std::vector<double>& other : basis) {
        const double along = std::inner_product(x.begin(), x.end(), other.begin(), 0.0);
        for (size_t j = 0; j < x.size(); j++) x[j] -= along * other[j];
      }
    }
    const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    for (double& value : x) value /= norm;
    basis.push_back(std::move(x));
  }
  dispatch(matrix.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> values;
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < columns; c++) {
        const double x = rows < columns ? basis[size_t(r)][size_t(c)] : basis[size_t(c)][size_t(r)];
        values.push_back(T(float(gain * x)));  // as fill_normal rounds
      }
    }
    matrix.copy_from(Tensor::from(values, matrix.shape(), matrix.device()));
  });
}

void initialize(Gpt2& model, uint64_t seed) {
  const double range = model.config.initializer_range;
  const double residual = range / std::sqrt(2.0 * double(model.config.n_layer));
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    if (name.ends_with(".bias")) {
      fill_constant(tensor, 0);
    } else if (name.find("ln_") != std::string::npos) {
      fill_constant(tensor, 1);
    } else {
      fill_normal(tensor, name.ends_with("c_proj.weight") ? residual : range, seed, name);
    }
  });
}

}  // namespace rlhf
