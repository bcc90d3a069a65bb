// What is in files of rows, as the tables and charts that `rlhf data` prints and reports.
#pragma once

#include "apps/data_files.h"
#include "data/tokenizer.h"
#include "rl/report/report.h"

namespace rlhf {

struct DataStats {
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<std::string> findings;  ///< what deserves a look, a sentence each
};

/// `tokenizer`: also counts tokens; null: not. `near_threshold`: 0 leaves out near duplicates.
DataStats describe_data(const DataRows& data, const Tokenizer* tokenizer, double near_threshold);

/// Rows by label, of those that have one.
Table label_table(std::span<const Item> items);

/// Lengths in characters as a curve of counts.
Chart length_chart(std::span<const Item> items);

/// What could not be read, the first rows of it.
Table unreadable_table(std::span<const BadRow> bad);

}  // namespace rlhf
