// A tokenizer's folder: vocab.json ==== merges.txt ==== tokenizer_config.json. What loads encodes
// and decodes, and loads again from what it saves.
#include "data/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

constexpr std::string_view samples[] = {"the cat's  mat\n 12", "\xc3\xa9\xe5\xa5\xbd",
                                        "a\xff<|endoftext|>"};

void check_encoding(const Tokenizer& tokenizer, std::string_view text) {
  const auto ids = fuzz::accepted([&] { return tokenizer.encode(text); });
  if (!ids) return;  // characters outside of the vocabulary
  for (const int32_t id : *ids) {
    fuzz::expect(id >= 0 && id < tokenizer.vocab_size() && !tokenizer.is_special(id),
                 "text becomes ordinary ids");
  }
  fuzz::expect(tokenizer.decode(*ids) == text, "decoding undoes encoding");
}

void check_saving(const Tokenizer& tokenizer) {
  const auto folder = fuzz::file_with("saved/mark", "").parent_path();
  tokenizer.save(folder);
  const auto again = load_tokenizer(folder);
  fuzz::expect(again->vocab_size() == tokenizer.vocab_size() && again->eos() == tokenizer.eos() &&
                   again->pad() == tokenizer.pad(),
               "a saved tokenizer has the same ids");
  for (int32_t id = 0; id < tokenizer.vocab_size(); id++) {
    fuzz::expect(again->token_bytes(id) == tokenizer.token_bytes(id),
                 "a saved tokenizer has the same tokens");
  }
  for (const std::string_view text : samples) {
    const auto ids = fuzz::accepted([&] { return tokenizer.encode(text); });
    if (ids) fuzz::expect(again->encode(text) == *ids, "a saved tokenizer encodes alike");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

FUZZ_TARGET(tokenizer_folder) {
  constexpr const char* names[] = {"vocab.json", "merges.txt", "tokenizer_config.json"};
  const auto files = fuzz::files_in(bytes, std::size(names));
  std::filesystem::path folder;
  for (size_t i = 0; i < files.size(); i++) {
    const auto path = fuzz::file_with(std::string("tokenizer/") + names[i], files[i].value_or(""));
    if (!files[i]) std::filesystem::remove(path);
    folder = path.parent_path();
  }
  const auto tokenizer = fuzz::accepted([&] { return load_tokenizer(folder); });
  if (!tokenizer) return;
  for (const std::string_view text : samples) check_encoding(**tokenizer, text);
  check_saving(**tokenizer);
}
