#include "data/prompt_rows.h"

#include "data/messages.h"

namespace rlhf {

std::vector<PromptRow> read_prompt_rows(const std::filesystem::path& file) {
  std::vector<PromptRow> prompts;
  for (const Row& row : read_rows(file)) {
    prompts.push_back({prompt_text_of(row), row});
  }
  return prompts;
}

std::vector<std::string> prompts_of(const std::vector<PromptRow>& rows) {
  std::vector<std::string> prompts;
  for (const PromptRow& row : rows) prompts.push_back(row.prompt);
  return prompts;
}

}  // namespace rlhf
