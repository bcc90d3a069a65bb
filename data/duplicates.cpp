#include "data/duplicates.h"

#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace rlhf {
namespace {

bool is_judged(const Item& item) {
  return item.kind == ItemKind::pair || item.kind == ItemKind::label;
}

std::string judgement_of(const Item& item) {
  return item.kind == ItemKind::pair ? (vote_of(item) ? "1" : "0") : item.judgement;
}

/// What is said about one subject.
struct Subject {
  std::vector<int64_t> items;
  std::map<std::string, std::set<std::string>> judgements;  ///< by annotator; "" for nobody
  std::set<std::string> all;

  bool is_disputed() const { return all.size() > 1; }
  bool is_only_between_people() const {
    if (judgements.contains("")) return false;
    for (const auto& [annotator, own] : judgements) {
      if (own.size() > 1) return false;
    }
    return true;
  }
};

}  // namespace

Duplicates find_duplicates(std::span<const Item> items, bool ignore_case) {
  Duplicates out;
  out.first.resize(items.size());
  out.contradicts.resize(items.size());
  std::unordered_map<std::string, int64_t> seen;
  std::unordered_map<std::string, Subject> subjects;
  for (size_t i = 0; i < items.size(); i++) {
    const Item& item = items[i];
    const std::string subject = std::string(plural_of(item.kind)) + subject_of(item, ignore_case);
    const std::string judgement = judgement_of(item);
    const std::string whole = subject + '\n' + judgement + '\n' + item.annotator;
    out.first[i] = seen.emplace(whole, int64_t(i)).first->second;
    out.duplicates += out.first[i] != int64_t(i);
    if (!is_judged(item)) continue;
    if (item.kind == ItemKind::pair && subject_of({.first = item.first}, ignore_case) ==
                                           subject_of({.first = item.second}, ignore_case)) {
      out.contradicts[i] = 1;
      continue;
    }
    Subject& entry = subjects[subject];
    entry.items.push_back(int64_t(i));
    entry.judgements[item.annotator].insert(judgement);
    entry.all.insert(judgement);
  }
  for (const auto& [name, subject] : subjects) {
    if (!subject.is_disputed()) continue;
    if (subject.is_only_between_people()) {
      out.disagreements += int64_t(subject.items.size());
    } else {
      for (const int64_t i : subject.items) out.contradicts[size_t(i)] = 1;
    }
  }
  for (const uint8_t contradicts : out.contradicts) out.contradictions += contradicts;
  return out;
}

}  // namespace rlhf
