#include "core/narrow_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/narrow_gemm.h"

namespace rlhf {
namespace {

/// Some float matrix (K, N) on the host, stored one way or the other.
struct Source {
  const float* data;
  bool transposed;
  int64_t K, N;
};

/// Calls f(k, column, n, value) for every element of a panel that exists, in the order in which
/// they lie in the source.
void for_each_of_panel(const Source& source, int64_t panel, auto&& f) {
  const int64_t begin = panel * narrow_panel, end = std::min(source.N, begin + narrow_panel);
  if (source.transposed) {
    for (int64_t n = begin; n < end; n++) {
      for (int64_t k = 0; k < source.K; k++) f(k, n - begin, n, source.data[n * source.K + k]);
    }
  } else {
    for (int64_t k = 0; k < source.K; k++) {
      for (int64_t n = begin; n < end; n++) f(k, n - begin, n, source.data[k * source.N + n]);
    }
  }
}

void check_finite(float value, std::string_view what) {
  if (!std::isfinite(value)) input_error(what, "expected finite weights, got {}", value);
}

void narrow_panel_of(const Source& source, int64_t panel, bf16* values, float*,
                     std::string_view what) {
  for_each_of_panel(source, panel, [&](int64_t k, int64_t, int64_t n, float value) {
    check_finite(value, what);
    values[narrow_place<bf16>(source.K, k, n)] = bf16(value);
  });
}

void narrow_panel_of(const Source& source, int64_t panel, int8_t* values, float* scale,
                     std::string_view what) {
  constexpr float most = 127;
  std::array<float, size_t(narrow_panel)> largest{};
  for_each_of_panel(source, panel, [&](int64_t, int64_t column, int64_t, float value) {
    check_finite(value, what);
    largest[size_t(column)] = std::max(largest[size_t(column)], std::abs(value));
  });
  for_each_of_panel(source, panel, [&](int64_t k, int64_t column, int64_t n, float value) {
    // The scale of weights too small to have one is 0, and so are they.
    scale[n] = largest[size_t(column)] / most;
    const float code = scale[n] > 0 ? std::nearbyint(value / scale[n]) : 0;
    const int64_t place = narrow_place<int8_t>(source.K, k, n);
    uint32_t word;
    std::memcpy(&word, values + place / 4 * 4, sizeof word);
    word += uint32_t(int32_t(std::clamp(code, -most, most))) << 8 * (place % 4);
    std::memcpy(values + place / 4 * 4, &word, sizeof word);
  });
}

}  // namespace

NarrowMatrix::NarrowMatrix(const Tensor& matrix, bool transposed, DType dtype,
                           std::string_view what) {
  const int64_t inputs = matrix.shape()[transposed ? 1 : 0];
  outputs_ = matrix.shape()[transposed ? 0 : 1];
  const Tensor host = matrix.to(Device::cpu);
  const Source source{host.data<float>(), transposed, inputs, outputs_};
  const int64_t panels = narrow_panels(outputs_);
  const Tensor values = Tensor::zeros({panels, inputs, narrow_panel}, dtype);
  const Tensor scale = dtype == DType::i8 ? Tensor::zeros({outputs_}, DType::f32) : Tensor{};
  dispatch_narrow(dtype, [&](auto w) {
    auto* const to = values.data<decltype(w)>();
    for (int64_t p = 0; p < panels; p++) {
      narrow_panel_of(source, p, to, scale.data<float>(), what);
    }
  });
  values_ = values.to(matrix.device());
  scale_ = scale.to(matrix.device());
}

int64_t NarrowMatrix::bytes() const {
  return values_.count() * int64_t(size_of(dtype())) +
         (scale_.defined() ? scale_.count() * int64_t(sizeof(float)) : 0);
}

Tensor NarrowMatrix::widened() const {
  const int64_t K = inputs(), N = outputs();
  const Tensor values = values_.to(Device::cpu), scale = scale_.to(Device::cpu);
  const Tensor out = Tensor::empty({K, N}, DType::f32);
  dispatch_narrow(dtype(), [&](auto w) {
    using W = decltype(w);
    for (int64_t k = 0; k < K; k++) {
      for (int64_t n = 0; n < N; n++) {
        const float factor = scale.defined() ? scale.data<float>()[n] : 1;
        out.data<float>()[k * N + n] = narrow_value(values.data<W>(), K, k, n) * factor;
      }
    }
  });
  return out;
}

}  // namespace rlhf
