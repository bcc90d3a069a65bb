#include "apps/demo_dialogue.h"

#include <fmt/core.h>

#include "apps/print.h"
#include "core/atomic_file.h"
#include "core/check.h"
#include "data/demo_dialogue.h"
#include "data/demo_dialogue_judge.h"

namespace rlhf {
namespace {

using nlohmann::ordered_json;

template <class Rows, class ToJson>
void write_rows(const std::filesystem::path& file, const Rows& rows, ToJson to_json) {
  std::string text;
  for (const auto& row : rows) text += ordered_json(to_json(row)).dump() + "\n";
  atomic_write(file, text);
}

ordered_json answer_json(const std::string& text) {
  return messages_json(std::vector<Message>{{Role::assistant, text}});
}

}  // namespace

int write_demo_dialogues(const std::filesystem::path& folder, uint64_t seed) {
  constexpr int64_t documents = 6000, dialogues = 3000, pairs = 8000, prompts = 1000,
                    held_out = 256;
  constexpr double label_noise = 0.05;
  const uint64_t base = seed * 16;  // room for a seed of its own for each part
  const std::filesystem::path data = folder / "data";
  require_writable_folder(data, "--output_dir");
  const auto text = [](const Conversation& c) {
    std::string joined;
    for (const Message& m : c) joined += (joined.empty() ? "" : " ") + m.content;
    return ordered_json{{"text", joined}};
  };
  const auto messages = [](const Conversation& c) {
    return ordered_json{{"messages", messages_json(c)}};
  };
  const auto pair = [](const DialoguePreference& p) {
    return ordered_json{{"prompt", messages_json(p.prompt)},
                        {"chosen", answer_json(p.chosen)},
                        {"rejected", answer_json(p.rejected)}};
  };
  const auto prompt = [](const Conversation& c) {
    return ordered_json{{"prompt", messages_json(c)}};
  };
  write_rows(data / "documents.jsonl", demo_dialogues(base, documents), text);
  write_rows(data / "sft.jsonl", demo_dialogues(base + 1, dialogues), messages);
  write_rows(data / "sft_val.jsonl", demo_dialogues(base + 2, held_out), messages);
  write_rows(data / "pairs.jsonl", demo_dialogue_preferences(base + 3, pairs, label_noise), pair);
  write_rows(data / "pairs_val.jsonl", demo_dialogue_preferences(base + 4, held_out, 0), pair);
  write_rows(data / "prompts.jsonl", demo_dialogue_prompts(base + 5, prompts), prompt);
  write_rows(data / "eval_prompts.jsonl", demo_dialogue_prompts(base + 6, held_out), prompt);
  say("7 files in {}\n", data.string());
  return 0;
}

int judge_demo_dialogues(const std::filesystem::path& file) {
  double score = 0, good = 0;
  const Rows rows = read_rows(file);
  for (const Row& row : rows) {
    const Conversation prompt = dialogue_prompt_of(row);
    // An answer without text is no message, and yet an answer to judge.
    const auto found = row.columns().find("completion");
    if (found == row.columns().end() || !found->is_array() || found->size() != 1 ||
        !found->front().is_object() ||
        !found->front().value("content", nlohmann::json()).is_string()) {
      input_error(row.where(), "expected a \"completion\" of one message, found {}",
                  row.column_names());
    }
    const auto answer = found->front()["content"].get<std::string>();
    score += gold_answer(prompt, answer) / double(rows.size());
    good += gold_good(prompt, answer) / double(rows.size());
  }
  say("answers {}  gold {:.3f}  right and not rude {:.3f}\n", rows.size(), score, good);
  return 0;
}

}  // namespace rlhf
