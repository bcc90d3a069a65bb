#include "data/completion_rows.h"

#include "core/check.h"
#include "data/messages.h"

namespace rlhf {

std::vector<CompletionRow> read_completion_rows(const std::filesystem::path& file) {
  std::vector<CompletionRow> rows;
  for (const Row& row : read_rows(file)) {
    const bool messages = holds_messages(row, "completion");
    CompletionRow& now = rows.emplace_back(
        CompletionRow{.prompt = {prompt_text_of(row), row},
                      .completion = messages ? dialogue_of(row).messages.back().content
                                             : row.non_empty_text("completion"),
                      .reward = row.optional_number("reward")});
    if (now.reward.has_value() != rows.front().reward.has_value()) {
      input_error(row.where(), "expected a reward in every row of the file or in none, got {}",
                  now.reward ? "one here and none before" : "none here and some before");
    }
  }
  return rows;
}

}  // namespace rlhf
