#include "data/shuffle.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "kernels/philox.h"

namespace rlhf {
namespace {

/// Fisher-Yates (Durstenfeld 1964): from the end, swap each element with one at or before it. A
/// place is the top half of 64 random bits times the number of places (Lemire 2019,
/// arXiv:1805.10941); the bias, below n / 2^64, is not removed.
std::vector<int64_t> shuffled(int64_t n, uint64_t seed, RandomStream stream, uint64_t draw) {
  check(n >= 0, "shuffle", "expected a size of at least 0, got {}", n);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; i--) {
    const PhiloxWords words = random_words(seed, stream, 0, draw, static_cast<uint64_t>(i));
    const uint64_t bits = uint64_t{words[0]} << 32 | words[1];
    const auto places = static_cast<unsigned __int128>(i + 1);
    std::swap(order[i], order[static_cast<int64_t>(bits * places >> 64)]);
  }
  return order;
}

}  // namespace

std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint64_t epoch) {
  return shuffled(n, seed, RandomStream::shuffle, epoch);
}

Split split(int64_t n, double fraction, uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1)) {
    input_error("split", "expected a fraction in [0, 1), got {}", fraction);
  }
  const std::vector<int64_t> order = shuffled(n, seed, RandomStream::split, 0);
  int64_t size = std::llround(static_cast<double>(n) * fraction);
  if (fraction > 0 && n > 1) size = std::clamp<int64_t>(size, 1, n - 1);
  Split result{{order.begin() + size, order.end()}, {order.begin(), order.begin() + size}};
  std::sort(result.train.begin(), result.train.end());
  std::sort(result.eval.begin(), result.eval.end());
  return result;
}

}  // namespace rlhf
