// Where an axis has its marks, and how they are written.
#pragma once

#include <string>
#include <vector>

namespace rlhf {

struct Tick {
  double value;
  std::string label;
};

/// At most `most` round values (1, 2 or 5 times a power of ten apart) inside [low, high], written
/// with just the digits that tell them apart.
/// REQUIRES: low < high, both finite; most >= 2.
std::vector<Tick> linear_ticks(double low, double high, int most);

/// The same for a logarithmic axis: powers of ten, with 2 and 5 times them where there are few.
/// REQUIRES: 0 < low < high.
std::vector<Tick> log_ticks(double low, double high, int most);

}  // namespace rlhf
