// Completions that somebody may have judged by a number, with the rows that they stand in: the
// other columns are for whoever judges those that nobody has.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/prompt_rows.h"

namespace rlhf {

struct CompletionRow {
  PromptRow prompt;
  std::string completion;        ///< of messages the last one's content
  std::optional<double> reward;  ///< column `reward`; a file has it in all rows or in none
};

/// Rows of `prompt` and `completion`, text or messages, and maybe a number `reward`. @throws
/// InputError naming the file and line of the first thing wrong.
std::vector<CompletionRow> read_completion_rows(const std::filesystem::path& file);

}  // namespace rlhf
