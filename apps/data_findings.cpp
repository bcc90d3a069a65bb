#include "apps/data_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/cleaning.h"
#include "data/duplicates.h"

namespace rlhf {
namespace {

void add(Findings& findings, const DataRows& data, const std::string& name, auto&& is_so) {
  int64_t count = 0;
  std::string first;
  for (size_t i = 0; i < data.items.size(); i++) {
    if (!is_so(i)) continue;
    if (count++ == 0) first = data.where[i];
  }
  findings.table.rows.push_back({name, fmt::to_string(count), first});
  if (count == 0) return;
  findings.sentences.push_back(fmt::format("{} rows: {} (first: {})", count, name, first));
}

/// Ten times the 95th percentile: what a person would call extremely long.
int64_t extreme_length(std::span<const Item> items) {
  std::vector<int64_t> lengths;
  for (const Item& item : items) lengths.push_back(characters_of(item));
  if (lengths.empty()) return 0;
  std::sort(lengths.begin(), lengths.end());
  return 10 * lengths[size_t(0.95 * double(lengths.size() - 1))];
}

bool any_text(const Item& item, bool (*is_so)(std::string_view)) {
  const auto texts = texts_of(item);
  return std::any_of(texts.begin(), texts.end(), is_so);
}

}  // namespace

int64_t characters_of(const Item& item) {
  int64_t sum = 0;
  for (const std::string_view text : texts_of(item)) sum += count_characters(text);
  return sum;
}

Findings find_oddities(const DataRows& data, double near_threshold) {
  const std::vector<Item>& items = data.items;
  Findings out{.table = {.caption = "Findings", .columns = {"", "rows", "first"}}};
  const Duplicates found = find_duplicates(items);
  add(out, data, "exact duplicates", [&](size_t i) { return found.first[i] != int64_t(i); });
  if (near_threshold > 0) {
    const auto near = near_duplicates_of(items, near_threshold);
    add(out, data,
        fmt::format("near duplicates (Jaccard from {:g}), exact ones among them", near_threshold),
        [&](size_t i) { return near[i] >= 0; });
  }
  add(out, data, "contradictions", [&](size_t i) { return bool(found.contradicts[i]); });
  const auto empty = reasons_to_drop(items, data.where,
                                     {.empty = true, .contradictions = false, .duplicates = false});
  add(out, data, "empty texts", [&](size_t i) { return !empty[i].empty(); });
  add(out, data, "control characters or U+FFFD",
      [&](size_t i) { return any_text(items[i], has_control_characters); });
  add(out, data, "spellings of special tokens",
      [&](size_t i) { return any_text(items[i], spells_special_token); });
  const int64_t extreme = extreme_length(items);
  add(out, data, "ten times as long as 95 % of rows",
      [&](size_t i) { return extreme > 0 && characters_of(items[i]) > extreme; });
  if (found.disagreements > 0) {
    out.table.rows.push_back(
        {"judged differently by several annotators", fmt::to_string(found.disagreements), ""});
  }
  return out;
}

}  // namespace rlhf
