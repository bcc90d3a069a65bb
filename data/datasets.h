// The kinds of examples that training takes, read from files with TRL's column names. Each reader
// checks the whole file before it returns, so that nothing fails later because of row 10,000: every
// function throws an InputError that names the file and the line of the first thing wrong.
// For file forms see rows.h. Columns of text must not be empty, but for a prompt that comes with
// what follows it: a completion, or two answers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/messages.h"

namespace rlhf {

struct PromptCompletion {
  std::string prompt, completion;  ///< of a dialogue: a transcript, and the last message
  Dialogue dialogue = {};          ///< empty: text
};

/// Two answers to a prompt, the better one first; `margin` is how much better, where it is known.
struct Preference {
  std::string prompt, chosen, rejected;
  double margin = 0;
  Dialogue first = {}, second = {};  ///< chosen and rejected as dialogues; empty: text
  bool prompted = true;              ///< false: without a column `prompt`, the two begin with it
  std::string where = {};            ///< "file:line"
};

/// A completion that somebody has judged by itself.
struct UnpairedPreference {
  std::string prompt, completion;
  Dialogue dialogue = {};  ///< empty: text
  bool desirable = true;
  std::string where = {};  ///< "file:line"
};

struct Labelled {
  std::string text;
  double label = 0;
  int64_t line = 0;  // of its file
};

/// Documents for language modelling: a .txt file is one document; rows give their `text_column`, or
/// without it `prompt` and `completion` joined.
std::vector<std::string> read_language_modelling(const std::filesystem::path& file,
                                                 const std::string& text_column = "text");

/// Rows of `prompt` and `completion`, or of `text`, which gives an empty prompt; or dialogues.
std::vector<PromptCompletion> read_prompt_completion(const std::filesystem::path& file);

/// Rows of `chosen` and `rejected`, with an optional `prompt` and number `margin`. Without a
/// `prompt` column the prompt is implicit: the two texts contain it and the prompt is empty. A file
/// has the column in all rows or in none. All three may be messages.
std::vector<Preference> read_preferences(const std::filesystem::path& file);

/// Rows of `prompt`, `completion` and a `label` that is true or false, 1 or 0; the first two may be
/// messages, also in one column `messages`, whose last one then is the completion.
std::vector<UnpairedPreference> read_unpaired_preferences(const std::filesystem::path& file);

/// Rows of a text and a numeric label. Columns that are numbers, such as "0" and "1", count the
/// columns of a .csv or .tsv file that has no header.
std::vector<Labelled> read_labelled(const std::filesystem::path& file,
                                    const std::string& text_column = "text",
                                    const std::string& label_column = "label");

/// @throws InputError unless all labels are probabilities, as binary cross-entropy needs them.
void check_probabilities(std::span<const Labelled> rows, const std::filesystem::path& file);

}  // namespace rlhf
