// Prompts with the rows that they stand in: the other columns (a reference, an answer) are for
// whoever judges the response.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/rows.h"

namespace rlhf {

struct PromptRow {
  std::string prompt;
  Row row;
};

/// Rows of `prompt` (text, or messages, whose transcript then is the prompt) or `text`, none empty;
/// the lines of a .txt file. @throws InputError naming
/// the file and line of the first thing wrong.
std::vector<PromptRow> read_prompt_rows(const std::filesystem::path& file);

/// The prompts alone.
std::vector<std::string> prompts_of(const std::vector<PromptRow>& rows);

}  // namespace rlhf
