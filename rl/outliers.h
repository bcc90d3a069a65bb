// Steps that stand out from the last ones, by z-score, as llm.c finds them: a spike of the loss or
// of the gradient norm usually comes from a bad batch, and skipping the update saves the run
// (Chowdhery et al. 2022, PaLM, section 5.1, skip such batches as well).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "rl/run/state_archive.h"

namespace rlhf {

class OutlierDetector {
 public:
  static constexpr size_t kWindow = 128;

  /// Standard deviations by which `value` lies above the mean of the last kWindow values; 0 as long
  /// as there are fewer. Takes the value into the window afterwards.
  double add(double value) {
    double z = 0;
    if (values_.size() == kWindow) {
      double mean = 0, variance = 0;
      for (const double v : values_) mean += v / double(kWindow);
      for (const double v : values_) variance += (v - mean) * (v - mean) / double(kWindow);
      z = variance > 0 ? (value - mean) / std::sqrt(variance) : 0;
      values_.erase(values_.begin());
    }
    values_.push_back(value);
    return z;
  }

  void archive(StateArchive& a, const std::string& name) { a.numbers(name, values_); }

 private:
  std::vector<double> values_;  // oldest first
};

}  // namespace rlhf
