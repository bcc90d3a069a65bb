// Logistic regression on the words of a text: the baseline that a classifier or reward model built
// on a transformer has to beat, trained in a second and without a random number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text_metrics.h"

namespace rlhf {

struct BagOfWordsOptions {
  Tokenise unit = Tokenise::words;  ///< characters for text written without spaces
  bool binary = false;              ///< presence of a word instead of its count
  int64_t min_count = 1;            ///< words rarer than that in all texts are not features
  double l2 = 1;                    ///< 1 / C of scikit-learn; > 0
};

/// Immutable once fitted.
class BagOfWords {
 public:
  /// Minimises sum_i log(1 + exp(-y_i z_i)) + l2 / 2 |w|^2 with z = w . x + bias, y = +-1; the bias
  /// is not penalised. The optimum is unique and is found to high precision by Newton's method with
  /// conjugate gradients, so that the result depends on nothing but the data. Words are lower-cased
  /// (ASCII).
  /// labels: 0 or 1, both must occur.
  /// @throws InputError when the texts cannot be learned from; Error on bad options.
  static BagOfWords fit(std::span<const std::string> texts, std::span<const int> labels,
                        const BagOfWordsOptions& options = {});

  /// The probability that the label is 1; words never seen in training count nothing.
  double predict(std::string_view text) const;

 private:
  BagOfWordsOptions options_;
  std::unordered_map<std::string, int32_t> vocabulary_;
  std::vector<double> weight_;  ///< (features + 1), the bias last
};

}  // namespace rlhf
