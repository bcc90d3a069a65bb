#include "data/prompt_rows.h"

namespace rlhf {

std::vector<PromptRow> read_prompt_rows(const std::filesystem::path& file) {
  std::vector<PromptRow> prompts;
  for (const Row& row : read_rows(file)) {
    const bool text = row.has("text") && !row.has("prompt");
    prompts.push_back({row.non_empty_text(text ? "text" : "prompt"), row});
  }
  return prompts;
}

std::vector<std::string> prompts_of(const std::vector<PromptRow>& rows) {
  std::vector<std::string> prompts;
  for (const PromptRow& row : rows) prompts.push_back(row.prompt);
  return prompts;
}

}  // namespace rlhf
