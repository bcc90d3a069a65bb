// A row as what it says: which texts it holds and how somebody judged them. This is the view that
// duplicates, splits, cleaning and feedback share, whatever the columns were.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace rlhf {

/// By columns: `chosen`, `rejected` | `label` | `score` or `rating` | `completion` | `text` (or
/// `messages`) | `prompt`, the first that fits.
enum class ItemKind { pair, label, score, completion, text, prompt };

/// "pairs", "labels", ...: for messages and tables.
std::string_view plural_of(ItemKind kind);

struct Item {
  ItemKind kind = ItemKind::text;
  std::string prompt;     ///< empty where there is none
  std::string first;      ///< the text, completion or chosen answer; empty for a bare prompt
  std::string second;     ///< the rejected answer of a pair
  std::string judgement;  ///< label or score in one spelling: true, 1 and "1.0" are "1"
  std::string source;     ///< column `source`, otherwise the name of the file without its suffix
  std::string annotator;  ///< column `annotator`, where there is one
};

struct ItemColumns {
  std::string text = "text";
  std::string label = "label";
};

/// Columns that are numbers count the columns of a file without a header.
/// @throws InputError for a name beside a number.
bool columns_are_indices(const ItemColumns& columns);

/// A column that holds no string (a conversation, a number as an annotator) is taken as its JSON.
/// @throws InputError "[file:line] expected ..." when no kind fits, or when label and score both
/// do.
Item item_of(const Row& row, const ItemColumns& columns = {});

/// `score` or `rating`, whichever the row has; empty without one.
std::string_view score_column(const Row& row);

/// What was judged, in one spelling: two items are about the same thing if these are equal. The
/// two answers of a pair have no order here.
std::string subject_of(const Item& item, bool ignore_case = false);

/// Whether a pair's answers stand in the order of their subject (the lesser one is preferred); for
/// a label, whether it is above one half: the vote that annotators can agree on.
bool vote_of(const Item& item);

/// The texts of an item that are not empty, the prompt first.
std::vector<std::string_view> texts_of(const Item& item);

}  // namespace rlhf
