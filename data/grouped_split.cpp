#include "data/grouped_split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "core/check.h"
#include "data/normalise.h"

namespace rlhf {
namespace {

std::vector<std::string> keys_of(const Item& item) {
  const Normalisation options{.ignore_case = true};
  std::vector<std::string> keys;
  if (!item.prompt.empty()) keys.push_back("prompt\n" + normalised(item.prompt, options));
  for (const std::string* text : {&item.first, &item.second}) {
    if (!text->empty()) keys.push_back("text\n" + normalised(item.prompt + *text, options));
  }
  return keys;
}

/// Groups in the order of their first items, each ascending.
std::vector<std::vector<int64_t>> groups_of(std::span<const Item> items) {
  std::vector<size_t> parent(items.size());
  std::iota(parent.begin(), parent.end(), size_t{0});
  const auto root = [&](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::unordered_map<std::string, size_t> owner;
  for (size_t i = 0; i < items.size(); i++) {
    for (std::string& key : keys_of(items[i])) {
      const size_t other = root(owner.emplace(std::move(key), i).first->second), own = root(i);
      parent[std::max(other, own)] = std::min(other, own);
    }
  }
  std::vector<std::vector<int64_t>> groups;
  std::unordered_map<size_t, size_t> index;
  for (size_t i = 0; i < items.size(); i++) {
    const auto [at, is_new] = index.emplace(root(i), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(int64_t(i));
  }
  return groups;
}

/// Whole rows for each stratum that add up to the rows of the whole: the largest remainders are
/// rounded up.
std::map<std::string, int64_t> shares(const std::map<std::string, int64_t>& sizes, int64_t rows,
                                      double fraction) {
  int64_t left = std::llround(double(rows) * fraction);
  if (fraction > 0 && rows > 1) left = std::clamp<int64_t>(left, 1, rows - 1);
  std::map<std::string, int64_t> share;
  std::vector<std::pair<double, std::string>> remainders;
  for (const auto& [stratum, size] : sizes) {
    const double exact = double(size) * fraction;
    share[stratum] = int64_t(exact);
    left -= share[stratum];
    remainders.emplace_back(-(exact - std::floor(exact)), stratum);
  }
  std::sort(remainders.begin(), remainders.end());
  for (size_t i = 0; i < remainders.size() && left > 0; i++, left--) share[remainders[i].second]++;
  return share;
}

}  // namespace

int64_t count_groups(std::span<const Item> items) { return int64_t(groups_of(items).size()); }

Split grouped_split(std::span<const Item> items, std::span<const std::string> strata,
                    double fraction, uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1)) {
    input_error("split", "expected a fraction in [0, 1), got {}", fraction);
  }
  const auto groups = groups_of(items);
  const auto stratum_of = [&](const std::vector<int64_t>& group) {
    return strata.empty() ? std::string() : strata[size_t(group.front())];
  };
  std::map<std::string, int64_t> sizes;
  for (const auto& group : groups) sizes[stratum_of(group)] += int64_t(group.size());
  std::map<std::string, int64_t> room = shares(sizes, int64_t(items.size()), fraction);

  std::vector<uint8_t> held_out(groups.size());
  bool any = false;
  for (const int64_t g : permutation(int64_t(groups.size()), seed, 0)) {
    const auto& group = groups[size_t(g)];
    int64_t& left = room[stratum_of(group)];
    if (int64_t(group.size()) > left) continue;
    left -= int64_t(group.size());
    held_out[size_t(g)] = any = true;
  }
  if (!any && fraction > 0 && groups.size() > 1) {
    const auto smallest = std::min_element(groups.begin(), groups.end(),
                                           [](auto& a, auto& b) { return a.size() < b.size(); });
    held_out[size_t(smallest - groups.begin())] = 1;
  }
  Split split;
  for (size_t g = 0; g < groups.size(); g++) {
    auto& side = held_out[g] ? split.eval : split.train;
    side.insert(side.end(), groups[g].begin(), groups[g].end());
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.eval.begin(), split.eval.end());
  return split;
}

}  // namespace rlhf
