#include "apps/demo_data.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/atomic_file.h"
#include "data/demo_corpus.h"

namespace rlhf {
namespace {

template <class Row, class ToJson>
void write_rows(const std::filesystem::path& file, const std::vector<Row>& rows, ToJson to_json) {
  std::string text;
  for (const Row& row : rows) text += nlohmann::ordered_json(to_json(row)).dump() + "\n";
  atomic_write(file, text);
}

// Prompts that training does not hold.
std::vector<std::string> unseen_prompts(uint64_t seed, int64_t count,
                                        const std::vector<std::string>& seen) {
  const std::set<std::string> known(seen.begin(), seen.end());
  std::vector<std::string> prompts = demo_prompts(seed, 4 * count);
  std::erase_if(prompts, [&](const std::string& prompt) { return known.contains(prompt); });
  check(int64_t(prompts.size()) >= count, "demo", "expected {} unseen prompts, got {}", count,
        prompts.size());
  prompts.resize(size_t(count));
  return prompts;
}

}  // namespace

DemoData make_demo_data(const DemoSizes& sizes, uint64_t seed) {
  const uint64_t base = seed * 16;  // room for a seed of its own for each part
  const std::vector<std::string> prompts = demo_prompts(base + 5, sizes.prompts);
  return {.documents = demo_documents(base, sizes.documents),
          .sft_train = demo_reviews(base + 1, sizes.sft_examples),
          .sft_val = demo_reviews(base + 2, sizes.held_out),
          .pairs_train = demo_preferences(base + 3, sizes.pairs, sizes.label_noise),
          .pairs_val = demo_preferences(base + 4, sizes.held_out, sizes.label_noise),
          .prompts = prompts,
          .eval_prompts = unseen_prompts(base + 6, sizes.held_out, prompts)};
}

void DemoData::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  const auto text = [](const std::string& t) { return nlohmann::ordered_json{{"text", t}}; };
  const auto prompt = [](const std::string& t) { return nlohmann::ordered_json{{"prompt", t}}; };
  const auto completion = [](const PromptCompletion& row) {
    return nlohmann::ordered_json{{"prompt", row.prompt}, {"completion", row.completion}};
  };
  const auto pair = [](const Preference& row) {
    return nlohmann::ordered_json{
        {"prompt", row.prompt}, {"chosen", row.chosen}, {"rejected", row.rejected}};
  };
  write_rows(folder / "documents.jsonl", documents, text);
  write_rows(folder / "sft.jsonl", sft_train, completion);
  write_rows(folder / "sft_val.jsonl", sft_val, completion);
  write_rows(folder / "pairs.jsonl", pairs_train, pair);
  write_rows(folder / "pairs_val.jsonl", pairs_val, pair);
  write_rows(folder / "prompts.jsonl", prompts, prompt);
  write_rows(folder / "eval_prompts.jsonl", eval_prompts, prompt);
}

}  // namespace rlhf
