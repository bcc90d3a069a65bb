// Any bytes as text: Unicode, words, byte pairs, characters, and what is shown of them.
#include "apps/terminal.h"
#include "core/unicode.h"
#include "data/bpe_trainer.h"
#include "data/char_tokenizer.h"
#include "data/pre_tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

const BpeTokenizer& tokenizer() {
  static const std::vector<std::string> documents = {
      "the cat's hat is on the mat, the cat isn't. 1234 12 1234\n\n  the   mat "
      "\xe5\xa5\xbd\xe5\xa5\xbd"};
  static const BpeTokenizer tokenizer = train_bpe(documents, 300);
  return tokenizer;
}

bool is_utf8(std::string_view text) { return !find_invalid_utf8(text); }

void check_unicode(std::string_view text) {
  std::optional<size_t> invalid;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    fuzz::expect(point.length >= 1 && at + size_t(point.length) <= text.size(),
                 "code points lie within the text");
    if (point.value == CodePoint::invalid) {
      if (!invalid) invalid = at;
    } else {
      std::string spelled;
      append_utf8(spelled, point.value);
      fuzz::expect(spelled == text.substr(at, size_t(point.length)),
                   "code points have one spelling");
      char_class(point.value);
    }
    at += size_t(point.length);
  }
  fuzz::expect(invalid == find_invalid_utf8(text), "the first invalid byte is found");
  fuzz::expect(incomplete_utf8_tail(text) <= std::min<size_t>(3, text.size()), "a tail is short");
}

void check_shown(std::string_view text) {
  for (const std::string& shown : {escaped(text), quote(text), escape_line(text)}) {
    fuzz::expect(is_utf8(shown), "what is shown is UTF-8");
    for (size_t at = 0; at < shown.size();) {
      const CodePoint point = code_point_at(shown, at);
      fuzz::expect(!steers_display(point.value), "what is shown does not steer the display");
      at += size_t(point.length);
    }
  }
}

void check_byte_pairs(std::string_view text) {
  std::vector<int32_t> by_words;
  std::string words;
  for_each_word(text, [&](std::string_view word) {
    fuzz::expect(!word.empty(), "words are not empty");
    words += word;
    const auto ids = tokenizer().encode(word);
    by_words.insert(by_words.end(), ids.begin(), ids.end());
  });
  fuzz::expect(words == text, "the words are the text");
  const std::vector<int32_t> ids = tokenizer().encode(text);
  fuzz::expect(tokenizer().decode(ids) == text, "decoding undoes encoding");
  StreamDecoder decoder(tokenizer());
  std::string streamed;
  for (const int32_t id : ids) {
    fuzz::expect(!tokenizer().is_special(id), "text becomes ordinary ids");
    streamed += decoder.push(id);
    fuzz::expect(is_utf8(streamed), "what is streamed is UTF-8 at any time");
  }
  streamed += decoder.finish();
  fuzz::expect(is_utf8(text) ? streamed == text : is_utf8(streamed), "streaming shows the text");
}

void check_characters(const std::string& text) {
  const auto characters = fuzz::accepted([&] { return CharTokenizer::train({&text, 1}); });
  fuzz::expect(characters.has_value() == (!text.empty() && is_utf8(text)),
               "characters are learnt from UTF-8");
  if (!characters) return;
  fuzz::expect(characters->decode(characters->encode(text)) == text,
               "decoding undoes encoding of characters");
}

}  // namespace

FUZZ_TARGET(text) {
  check_unicode(bytes);
  check_shown(bytes);
  check_byte_pairs(bytes);
  check_characters(std::string(bytes));
}
