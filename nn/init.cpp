#include "nn/init.h"

#include <algorithm>
#include <cmath>

namespace rlhf {
namespace {

// FNV-1a, cut to the 28 bits of a random site.
uint32_t site_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ uint8_t(c)) * 16777619u;
  return hash & 0x0fffffffu;
}

/// draw(words) for each element from words of its own.
template <class Draw>
void fill(const Tensor& tensor, uint64_t seed, std::string_view name, Draw draw) {
  dispatch(tensor.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> values(size_t(tensor.count()));
    for (size_t i = 0; i < values.size(); i++) {
      // Rounded to float for double models too: a model's two precisions start from equal values.
      values[i] = T(float(draw(random_words(seed, RandomStream::init, site_of(name), 0, i))));
    }
    tensor.copy_from(Tensor::from(values, tensor.shape(), tensor.device()));
  });
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
  fill(tensor, seed, name,
       [=](const PhiloxWords& words) { return deviation * unit_normal(words[0], words[1]); });
}

void fill_uniform(const Tensor& tensor, double bound, uint64_t seed, std::string_view name) {
  fill(tensor, seed, name,
       [=](const PhiloxWords& words) { return bound * (2 * unit_double(words[0], words[1]) - 1); });
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
