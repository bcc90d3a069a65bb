#include "apps/text_table.h"

#include <algorithm>

#include "apps/terminal.h"

namespace rlhf {

std::string table_text(const Table& table) {
  std::vector<std::vector<std::string>> lines{table.columns};
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());
  std::vector<int> widths(table.columns.size());
  for (auto& line : lines) {
    for (size_t c = 0; c < line.size() && c < widths.size(); c++) {
      line[c] = escape_line(line[c]);
      widths[c] = std::max(widths[c], columns_of(line[c]));
    }
  }
  std::string out = table.caption.empty() ? "" : escape_line(table.caption) + "\n";
  for (const auto& line : lines) {
    std::string text;
    for (size_t c = 0; c < line.size() && c < widths.size(); c++) {
      const std::string room(size_t(widths[c] - columns_of(line[c])), ' ');
      text += "  " + (c == 0 ? line[c] + room : room + line[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

}  // namespace rlhf
