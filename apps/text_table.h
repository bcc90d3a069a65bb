// A report's table on the terminal.
#pragma once

#include <string>

#include "rl/report/report.h"

namespace rlhf {

/// Columns aligned by their width on a terminal, the first to the left and the others to the right;
/// cells are shown on one line, whatever they hold.
std::string table_text(const Table& table);

}  // namespace rlhf
