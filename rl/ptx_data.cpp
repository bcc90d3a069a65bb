#include "rl/ptx_data.h"

#include "core/check.h"
#include "data/datasets.h"
#include "data/rows.h"
#include "rl/sft.h"

namespace rlhf {

std::vector<Example> read_ptx_examples(const std::filesystem::path& file,
                                       const Tokenizer& tokenizer, int64_t n_positions) {
  std::vector<Example> examples;
  const bool pairs = file.extension() != ".txt" && read_rows(file).has_column("completion");
  if (pairs) {
    for (const PromptCompletion& row : read_prompt_completion(file)) {
      examples.push_back(
          encode_example(tokenizer, row, n_positions, /*completion_only_loss=*/true));
    }
  } else {
    for (const std::string& document : read_language_modelling(file)) {
      std::vector<int32_t> stream = tokenizer.encode(document);
      stream.push_back(tokenizer.eos());
      for (Example& window : windows(stream, n_positions)) examples.push_back(std::move(window));
    }
  }
  std::erase_if(examples, [](const Example& example) { return example.targets() == 0; });
  if (examples.empty()) input_error(file.string(), "expected some text to learn, got none");
  return examples;
}

}  // namespace rlhf
