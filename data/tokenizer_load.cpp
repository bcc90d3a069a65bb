// From the files of a folder to a tokenizer: which of them are read, and in what order.
#include "core/check.h"
#include "data/bpe_files.h"
#include "data/char_tokenizer.h"
#include "data/text_file.h"
#include "data/tokenizer_files.h"
#include "data/tokenizer_json.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> text_of(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(fs::status(file, error))) return std::nullopt;
  return read_text(file);
}

/// The special tokens of a folder with vocab.json. Those that the config lists count for more than
/// the older added_tokens.json, as in transformers.
std::vector<TokenIds> added_beside_vocabulary(const TokenizerTexts& texts,
                                              const TokenizerConfig& config,
                                              const fs::path& folder) {
  if (config.added) return {*config.added};
  if (!texts.added_tokens) return {};
  return {parse_token_ids(*texts.added_tokens, (folder / "added_tokens.json").string())};
}

BpeTokenizer bpe_of_two_files(const TokenizerTexts& texts, const TokenizerConfig& config,
                              const fs::path& folder) {
  check_vocabulary_class(config, (folder / "tokenizer_config.json").string());
  const std::string vocabulary = (folder / "vocab.json").string(),
                    merges = (folder / "merges.txt").string();
  if (!texts.vocabulary) input_error(vocabulary, "expected a file, found none");
  if (!texts.merges) input_error(merges, "expected a file, found none");
  Vocabulary spelled = assemble_vocabulary(parse_token_ids(*texts.vocabulary, vocabulary),
                                           added_beside_vocabulary(texts, config, folder), config);
  std::vector<Merge> learnt = parse_merges(*texts.merges, merges, spelled);
  return make_bpe(std::move(spelled), std::move(learnt), vocabulary);
}

BpeTokenizer bpe_of_one_file(const TokenizerTexts& texts, const TokenizerConfig& config,
                             const fs::path& folder) {
  const std::string source = (folder / "tokenizer.json").string();
  const TokenizerJson file = parse_tokenizer_json(*texts.tokenizer_json, source);
  std::vector<TokenIds> added{file.added};
  if (config.added) added.push_back(*config.added);
  Vocabulary spelled = assemble_vocabulary(file.vocabulary, added, config);
  MergeReader merges(spelled);
  for (size_t i = 0; i < file.merges.size(); i++) {
    merges.add(file.merges[i].first, file.merges[i].second, fmt::format("{}, merge {}", source, i));
  }
  return make_bpe(std::move(spelled), merges.take(), source);
}

CharTokenizer characters_of(const TokenizerTexts& texts, const TokenizerConfig& config,
                            const fs::path& folder) {
  const std::string source = (folder / "vocab.json").string();
  if (!texts.vocabulary) input_error(source, "expected a file, found none");
  return CharTokenizer::from_vocabulary(
      assemble_vocabulary(parse_token_ids(*texts.vocabulary, source),
                          added_beside_vocabulary(texts, config, folder), config),
      source);
}

}  // namespace

TokenizerTexts read_tokenizer_texts(const fs::path& folder) {
  TokenizerTexts texts{.config = text_of(folder / "tokenizer_config.json"),
                       .vocabulary = text_of(folder / "vocab.json"),
                       .merges = text_of(folder / "merges.txt"),
                       .added_tokens = text_of(folder / "added_tokens.json"),
                       .chat_template = text_of(folder / "chat_template.jinja")};
  // It repeats the two files, at several times their size.
  if (!texts.vocabulary || !texts.merges) texts.tokenizer_json = text_of(folder / "tokenizer.json");
  return texts;
}

std::unique_ptr<Tokenizer> parse_tokenizer(const TokenizerTexts& texts, const fs::path& folder) {
  if (!texts.config && !texts.merges && !texts.tokenizer_json) {
    input_error(folder.string(),
                "expected a tokenizer (vocab.json and merges.txt, or tokenizer.json), found none");
  }
  const TokenizerConfig config =
      texts.config
          ? parse_tokenizer_config(*texts.config, (folder / "tokenizer_config.json").string())
          : TokenizerConfig{};
  const bool one_file = texts.tokenizer_json && !(texts.vocabulary && texts.merges);
  std::unique_ptr<Tokenizer> tokenizer;
  if (config.kind() == TokenizerKind::characters) {
    tokenizer = std::make_unique<CharTokenizer>(characters_of(texts, config, folder));
  } else {
    tokenizer = std::make_unique<BpeTokenizer>(one_file ? bpe_of_one_file(texts, config, folder)
                                                        : bpe_of_two_files(texts, config, folder));
  }
  // transformers reads the file before the config.
  tokenizer->set_chat_template(texts.chat_template.value_or(config.chat_template));
  return tokenizer;
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& folder) {
  return parse_tokenizer(read_tokenizer_texts(folder), folder);
}

}  // namespace rlhf
