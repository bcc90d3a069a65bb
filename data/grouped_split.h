// A held-out set that shares nothing with the training set: rows that have a prompt or a text in
// common go to the same side together.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/items.h"
#include "data/shuffle.h"

namespace rlhf {

/// Groups are the connected components of "shares a prompt, or a text as a whole (prompt and answer
/// joined)", compared without case. Groups are drawn at random and taken for evaluation while they
/// fit the share of their stratum; where nothing fits, the smallest group of all is taken, if there
/// is another one.
/// `strata` (one an item, or none): what both sides shall hold in equal shares, e.g. the label.
/// @returns ascending indices. @throws InputError unless fraction is within [0, 1).
Split grouped_split(std::span<const Item> items, std::span<const std::string> strata,
                    double fraction, uint64_t seed);

/// The number of groups.
int64_t count_groups(std::span<const Item> items);

}  // namespace rlhf
