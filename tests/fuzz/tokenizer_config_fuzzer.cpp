// tokenizer_config.json alone: names that cannot be told apart are not believed.
#include "data/tokenizer_files.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(tokenizer_config) {
  using namespace rlhf;
  const auto folder = fuzz::file_with("config/tokenizer_config.json", bytes).parent_path();
  const auto config = fuzz::accepted([&] { return read_tokenizer_config(folder); });
  if (!config) return;
  fuzz::expect(config->eos_name != config->pad_name, "the end is not padding");
  write_tokenizer_config(folder, *config);
  const TokenizerConfig again = read_tokenizer_config(folder);
  fuzz::expect(again.kind == config->kind && again.eos_name == config->eos_name &&
                   again.pad_name == config->pad_name,
               "a config survives being written");
}
