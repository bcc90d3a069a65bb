// Whether all elements of a tensor are numbers: a model that holds others is lost.
#pragma once

#include <cmath>

#include "core/tensor.h"

namespace rlhf {

inline bool is_finite(const Tensor& tensor) {
  return dispatch(tensor.dtype(), [&](auto t) {
    for (const auto value : tensor.to_vector<decltype(t)>()) {
      if (!std::isfinite(double(value))) return false;
    }
    return true;
  });
}

}  // namespace rlhf
