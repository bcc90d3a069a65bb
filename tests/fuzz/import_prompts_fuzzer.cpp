// Prompts as somebody uploads them: each line is a prompt or refused by its number, and what was
// taken is taken again as it was written.
#include "data/messages.h"
#include "serve/store/prompts.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;
using namespace rlhf::store;

/// The line that a prompt would be imported by.
std::string line_of(const NewPrompt& prompt) {
  nlohmann::ordered_json row;
  row["prompt"] = prompt.is_messages
                      ? messages_json(messages_of(Prompt{.text = prompt.text, .is_messages = true}))
                      : nlohmann::ordered_json(prompt.text);
  return row.dump() + "\n";
}

}  // namespace

FUZZ_TARGET(import_prompts) {
  const auto parsed = fuzz::accepted([&] { return parse_prompts(bytes); });
  if (!parsed) return;
  for (const RefusedLine& line : parsed->refused) {
    fuzz::expect(line.line >= 1, "a refused line has its number");
    fuzz::expect_message(line.message);
  }
  for (const NewPrompt& prompt : parsed->prompts) {
    fuzz::expect(!prompt.text.empty(), "a prompt says something");
    const auto again = parse_prompts(line_of(prompt));
    fuzz::expect(again.refused.empty() && again.prompts.size() == 1 &&
                     again.prompts[0].text == prompt.text &&
                     again.prompts[0].is_messages == prompt.is_messages,
                 "a prompt survives being written");
  }
}
