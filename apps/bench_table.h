// The table of `rlhf bench` as text: for people, for programs, for spreadsheets.
#pragma once

#include <string>
#include <vector>

#include "apps/bench_tests.h"

namespace rlhf {

/// Markdown that also reads well as it stands: a column for each figure, mean and deviation.
std::string bench_markdown(const std::vector<BenchRow>& rows);

/// An array of flat objects, one a row: all figures, and the seconds of each repetition.
std::string bench_json(const std::vector<BenchRow>& rows);

/// The same without the seconds of each, names in the first line. What is not known is empty.
std::string bench_csv(const std::vector<BenchRow>& rows);

}  // namespace rlhf
