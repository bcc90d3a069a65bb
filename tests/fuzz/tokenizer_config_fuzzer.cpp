// tokenizer_config.json alone: names that cannot be told apart are not believed.
#include "data/tokenizer_files.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(tokenizer_config) {
  using namespace rlhf;
  const auto config =
      fuzz::accepted([&] { return parse_tokenizer_config(bytes, "tokenizer_config.json"); });
  if (!config) return;
  fuzz::expect(config->eos_name != config->pad_name, "the end is not padding");
  fuzz::accepts([&] { check_vocabulary_class(*config, "tokenizer_config.json"); });
  if (!config->added) return;
  for (const auto& [name, id] : config->added->tokens) fuzz::expect(id >= 0, "ids count from 0");
}
