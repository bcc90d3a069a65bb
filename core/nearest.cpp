#include "core/nearest.h"

#include <algorithm>

namespace rlhf {
namespace {

size_t slips(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const size_t changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest_word(std::string_view text, const std::vector<std::string>& known) {
  // A mistyped name is short; the table of slips of a pasted page is not worth its memory.
  if (text.empty() || text.size() > 100) return "";
  std::string best;
  size_t fewest = std::max<size_t>(2, text.size() / 3) + 1;
  for (const std::string& word : known) {
    const size_t count = slips(text, word);
    if (count < fewest && count < word.size()) best = word, fewest = count;
  }
  if (!best.empty() || text.size() < 3) return best;
  for (const std::string& word : known) {
    if (word.find(text) != std::string::npos || text.find(word) != std::string::npos) return word;
  }
  return "";
}

}  // namespace rlhf
