// A tokenizer's folder: vocab.json ==== merges.txt ==== tokenizer_config.json ====
// added_tokens.json, or tokenizer.json ==== tokenizer_config.json. What loads encodes and decodes,
// and loads again from what it saves.
#include "data/tokenizer_files.h"
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
  const auto files = fuzz::files_in(bytes, 4);
  const auto text = [&](size_t i) -> std::optional<std::string> {
    if (!files[i]) return std::nullopt;
    return std::string(*files[i]);
  };
  TokenizerTexts texts;
  if (bytes.substr(0, 400).find("\"model\"") != bytes.npos) {
    texts = {.config = text(1), .tokenizer_json = text(0)};
  } else {
    texts = {.config = text(2), .vocabulary = text(0), .merges = text(1), .added_tokens = text(3)};
  }
  const auto tokenizer = fuzz::accepted([&] { return parse_tokenizer(texts, "folder"); });
  if (!tokenizer) return;
  for (const std::string_view sample : samples) check_encoding(**tokenizer, sample);
  check_saving(**tokenizer);
}
