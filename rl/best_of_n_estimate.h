// What picking the best of n is worth, for every n at once: N responses to a prompt are sampled and
// judged, and the mean over all their subsets of n is taken in closed form. Here is the arithmetic
// on scores, apart from texts and models. docs/algorithms/best-of-n.md has the derivation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rlhf {

/// The expected value of the response that `scores` rank highest among n drawn without replacement
/// (Nakano et al. 2021, appendix I; of 0/1 scores with themselves: pass@k of Chen et al. 2021): an
/// unbiased estimate for n fresh responses. Equals are picked with equal chances.
/// REQUIRES: as many values as scores, 1 <= n <= their number; finite scores.
double best_of_n_estimate(std::span<const double> scores, std::span<const double> values,
                          int64_t n);

/// log n - (n - 1) / n, in nats a response: the KL of the best of n to the policy that they come
/// from where no two are equal (Stiennon et al. 2020, appendix G.3), else an upper bound of it
/// (Beirami et al. 2024, theorem 3.1).
double best_of_n_kl(int64_t n);

/// 1, 2, 4, ... and N itself.
std::vector<int64_t> best_of_n_sizes(int64_t most);

/// A mean over prompts and its standard error, 0 for a single one.
struct Estimate {
  double mean = 0, error = 0;
};

/// A list a prompt.
using ByPrompt = std::vector<std::vector<double>>;

/// best_of_n_estimate, the mean over prompts.
Estimate best_of_n_estimate(const ByPrompt& scores, const ByPrompt& values, int64_t n);

}  // namespace rlhf
