// Human feedback of every kind in one list: pairs, yes/no labels and scores, from several files,
// strictly checked, since a reward model learns from it.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/items.h"
#include "data/messages.h"

namespace rlhf {

struct Feedback {
  Item item;               ///< kind pair, label or score
  double value = 0;        ///< a pair's margin, a label within [0, 1], a score
  double weight = 1;       ///< column `weight`, >= 0
  std::string where = {};  ///< "file:line"
  /// The item's texts as dialogues, which they are when these are not empty.
  Dialogue first = {}, second = {};
};

struct FeedbackOptions {
  ItemColumns columns;
  /// What every row is; by its columns where not said. A score may then stand in the label column.
  std::optional<ItemKind> kind;
};

/// The rows of a file. Pairs have a `prompt` in all rows or in none.
/// @throws InputError naming file and line of the first row that is none of the three kinds, has an
/// empty text, a label outside of [0, 1] or a negative weight.
std::vector<Feedback> read_feedback(const std::filesystem::path& file,
                                    const FeedbackOptions& options = {});

/// "300 pairs, 20 labels": how many of each kind there are.
std::string kinds_text(std::span<const Feedback> rows);

}  // namespace rlhf
