#include "data/cleaning.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/check.h"
#include "core/unicode.h"
#include "data/duplicates.h"
#include "data/near_duplicates.h"
#include "data/normalise.h"

namespace rlhf {
namespace {

bool is_blank(std::string_view text) { return normalised(text).empty(); }

/// The texts that a row of its kind cannot do without.
bool lacks_text(const Item& item) {
  if (item.kind == ItemKind::prompt) return is_blank(item.prompt);
  return is_blank(item.first) || (item.kind == ItemKind::pair && is_blank(item.second));
}

std::string rule_broken(const Item& item, const CleaningRules& rules) {
  if (rules.empty && lacks_text(item)) return "empty";
  const std::string& main = item.kind == ItemKind::prompt ? item.prompt : item.first;
  const int64_t longest = std::max(count_characters(main), count_characters(item.second));
  if (longest < rules.min_chars) return "too short";
  int64_t all = 0;
  for (const std::string_view text : texts_of(item)) all += count_characters(text);
  if (rules.max_chars > 0 && all > rules.max_chars) return "too long";
  for (const std::string_view text : texts_of(item)) {
    if (rules.control_characters && has_control_characters(text)) return "control characters";
    if (rules.special_tokens && spells_special_token(text)) return "special token";
  }
  return "";
}

}  // namespace

int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (uint8_t(c) & 0xC0) != 0x80; });
}

bool has_control_characters(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const int32_t c = point.value;
    if (c == 0xFFFD || (steers_display(c) && c != '\n' && c != '\r' && c != '\t')) return true;
    at += size_t(point.length);
  }
  return false;
}

bool spells_special_token(std::string_view text) {
  if (const size_t open = text.find("<|"); open != std::string_view::npos) {
    const size_t close = text.find("|>", open + 2);
    if (close != std::string_view::npos && close - open <= 40) return true;
  }
  constexpr std::array<std::string_view, 12> spellings = {
      "<s>",   "</s>",  "<pad>",  "<unk>",   "<bos>",           "<eos>",
      "[CLS]", "[SEP]", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>"};
  return std::any_of(spellings.begin(), spellings.end(), [&](std::string_view spelling) {
    return text.find(spelling) != std::string_view::npos;
  });
}

std::vector<int64_t> near_duplicates_of(std::span<const Item> items, double threshold) {
  std::map<std::string, std::vector<int64_t>> classes;
  for (size_t i = 0; i < items.size(); i++) {
    const Item& item = items[i];
    const std::string judgement =
        item.kind == ItemKind::pair ? (vote_of(item) ? "1" : "0") : item.judgement;
    classes[std::string(plural_of(item.kind)) + '\n' + judgement + '\n' + item.annotator].push_back(
        int64_t(i));
  }
  std::vector<int64_t> out(items.size(), -1);
  for (const auto& [name, members] : classes) {
    std::vector<std::string> texts;
    for (const int64_t i : members) {
      const Item& item = items[size_t(i)];
      texts.push_back(item.prompt + '\n' + item.first + '\n' + item.second);
    }
    for (const NearDuplicate& near : find_near_duplicates(texts, {.threshold = threshold})) {
      out[size_t(members[size_t(near.text)])] = members[size_t(near.of)];
    }
  }
  return out;
}

std::vector<std::string> reasons_to_drop(std::span<const Item> items,
                                         std::span<const std::string> where,
                                         const CleaningRules& rules) {
  std::vector<std::string> reasons;
  for (const Item& item : items) reasons.push_back(rule_broken(item, rules));
  // Each rule looks at what the ones before it have left, so that no row goes as the copy of one
  // that is gone.
  std::vector<Item> left;
  std::vector<size_t> index;
  const auto keep_left = [&] {
    left.clear();
    index.clear();
    for (size_t i = 0; i < items.size(); i++) {
      if (!reasons[i].empty()) continue;
      left.push_back(items[i]);
      index.push_back(i);
    }
  };
  keep_left();
  const Duplicates found = find_duplicates(left, rules.ignore_case);
  for (size_t k = 0; k < left.size(); k++) {
    const size_t first = size_t(found.first[k]);
    if (rules.contradictions && found.contradicts[k]) {
      reasons[index[k]] = "contradiction";
    } else if (rules.duplicates && first != k) {
      reasons[index[k]] = "duplicate of " + where[index[first]];
    }
  }
  if (rules.near_threshold <= 0) return reasons;
  keep_left();
  const auto near = near_duplicates_of(left, rules.near_threshold);
  for (size_t k = 0; k < left.size(); k++) {
    if (near[k] < 0) continue;
    reasons[index[k]] = "near duplicate of " + where[index[size_t(near[k])]];
  }
  return reasons;
}

}  // namespace rlhf
