// What deserves a look in files of rows: copies, contradictions, and texts that are odd.
#pragma once

#include <string>
#include <vector>

#include "apps/data_files.h"
#include "rl/report/report.h"

namespace rlhf {

/// Rows by what is odd about them, with the place of the first.
struct Findings {
  Table table;
  std::vector<std::string> sentences;  ///< one for each that occurs
};

/// `near_threshold`: Jaccard similarity of near duplicates; 0: they are not looked for.
Findings find_oddities(const DataRows& data, double near_threshold);

/// Code points of all texts of an item.
int64_t characters_of(const Item& item);

}  // namespace rlhf
