#include "apps/tokenizer_flag.h"

#include "apps/progress.h"
#include "data/bpe_trainer.h"
#include "data/char_tokenizer.h"

namespace rlhf {

std::unique_ptr<Tokenizer> make_tokenizer(const std::string& flag,
                                          std::span<const std::string> documents,
                                          int64_t vocab_size) {
  if (flag == "char") return std::make_unique<CharTokenizer>(CharTokenizer::train(documents));
  if (flag != "bpe") return load_tokenizer(flag);
  Progress progress("tokenizer");
  const auto on_merge = [&](int done, int total) { progress.update(done, total); };
  return std::make_unique<BpeTokenizer>(train_bpe(documents, int(vocab_size), on_merge));
}

std::vector<int32_t> encode_stream(const Tokenizer& tokenizer,
                                   std::span<const std::string> documents,
                                   const std::string& file) {
  std::vector<int32_t> stream;
  for (const std::string& document : documents) {
    const std::vector<int32_t> tokens = tokenizer.encode(document);
    stream.insert(stream.end(), tokens.begin(), tokens.end());
    if (!file.ends_with(".txt")) stream.push_back(tokenizer.eos());
  }
  return stream;
}

}  // namespace rlhf
