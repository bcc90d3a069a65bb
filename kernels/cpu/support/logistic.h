// What losses over choices are made of, in forms that neither overflow nor cancel.
#pragma once

#include <algorithm>
#include <cmath>

namespace rlhf::cpu {

/// log(1 + exp(x)) = -log sigmoid(-x).
template <class T>
T softplus(T x) {
  return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
}

/// 1 / (1 + exp(-x)), exact to the last digits on both sides of 0.
template <class T>
T sigmoid(T x) {
  const T e = std::exp(-std::abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// log(1 - exp(x)) of x < 0 (Maechler 2012, "Accurately computing log(1 - exp(-|a|))").
template <class T>
T log1mexp(T x) {
  constexpr T ln2 = T(0.693147180559945309417);
  return x > -ln2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}

}  // namespace rlhf::cpu
