// rlhf tokenizer: learns a vocabulary from text, or shows what one makes of a text.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/commands.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "apps/tokenizer_flag.h"
#include "apps/tokenizer_report.h"
#include "core/atomic_file.h"
#include "core/check.h"
#include "data/datasets.h"
#include "data/token_shard.h"
#include "data/tokenizer_files.h"
#include "rl/model/chat_encoding.h"

namespace rlhf {
namespace {

struct Options {
  std::string action = "train", dataset_name, text_column = "text", kind = "bpe", output_dir;
  std::string special_tokens, tokenizer, text, output_file;
  int64_t vocab_size = 1024;
};

void require(const std::string& value, const char* flag) {
  if (value.empty()) input_error(flag, "expected a value for this action, got none");
}

/// The names between the commas.
std::vector<std::string> listed(const std::string& names) {
  std::vector<std::string> list;
  for (size_t at = 0; at < names.size();) {
    const size_t comma = std::min(names.find(',', at), names.size());
    list.push_back(names.substr(at, comma - at));
    check_special_name(list.back(), "--special_tokens");
    at = comma + 1;
  }
  return list;
}

int train(const Options& o, const Invocation& invocation) {
  require(o.dataset_name, "--dataset_name");
  require(o.output_dir, "--output_dir");
  check_output_dir(o.output_dir, {});
  const std::vector<std::string> specials = listed(o.special_tokens);
  const auto documents = read_language_modelling(o.dataset_name, o.text_column);
  const int64_t learnt = o.vocab_size - static_cast<int64_t>(specials.size());
  if (o.kind == "bpe" && learnt < 258) {
    input_error("--vocab_size", "expected at least {} with {} special tokens more, got {}",
                258 + specials.size(), specials.size(), o.vocab_size);
  }
  const auto tokenizer = make_tokenizer(o.kind, documents, learnt)->with_special_tokens(specials);
  Session session(invocation, o.output_dir, 0);
  tokenizer->save(o.output_dir);
  size_t bytes = 0;
  for (const std::string& document : documents) bytes += document.size();
  const Tokens ids = encode_stream(*tokenizer, documents, o.dataset_name);
  VocabularyUse use = describe_vocabulary(*tokenizer, ids, bytes);
  say("{} tokens, {:.2f} bytes a token on its own corpus\n", tokenizer->vocab_size(),
      use.figures["bytes_per_token"].get<double>());
  session.finish(use.figures, std::move(use.page));
  return 0;
}

void print_tokens(const Tokenizer& tokenizer, const std::string& text) {
  for (const int32_t id : tokenizer.encode(text)) {
    say("{:6d}  {}\n", id, escape_line(tokenizer.token_bytes(id)));
  }
}

/// A dialogue is what a model learns from, a prompt of messages what it answers to.
void print_dialogues(const Tokenizer& tokenizer, const Rows& rows) {
  for (const Row& row : rows) {
    const bool prompt = holds_messages(row, "prompt") && !row.has("completion");
    const Tokens tokens = prompt
                              ? encode_prompt(tokenizer, row)
                              : encode_dialogue(tokenizer, dialogue_of(row), INT64_MAX, {}).tokens;
    say("[{}]\n", fmt::join(tokens, ", "));
  }
}

void print_documents(const Tokenizer& tokenizer, const Options& o) {
  if (!o.dataset_name.ends_with(".txt")) {
    const Rows rows = read_rows(o.dataset_name, {.header = !is_column_index(o.text_column)});
    if (is_dialogue(rows[0])) return print_dialogues(tokenizer, rows);
  }
  for (const std::string& document : read_language_modelling(o.dataset_name, o.text_column)) {
    say("[{}]\n", fmt::join(tokenizer.encode(document), ", "));
  }
}

// What pretrain reads with --dataset_name shard.bin; documents but for .txt end with the end token.
void write_shard(const Tokenizer& tokenizer, const Options& o) {
  require(o.dataset_name, "--dataset_name");
  if (!o.output_file.ends_with(".bin")) {
    input_error("--output_file", "expected a name that ends in .bin, got \"{}\"", o.output_file);
  }
  const auto documents = read_language_modelling(o.dataset_name, o.text_column);
  const std::vector<int32_t> ids = encode_stream(tokenizer, documents, o.dataset_name);
  write_token_shard(o.output_file, ids, tokenizer.vocab_size());
  say("{} tokens; wrote {}\n", ids.size(), escape_line(o.output_file));
}

int encode(const Options& o) {
  require(o.tokenizer, "--tokenizer");
  if (!o.text.empty() && !o.dataset_name.empty()) {
    input_error("--text", "expected a text or a --dataset_name, got both");
  }
  const auto tokenizer = load_tokenizer(o.tokenizer);
  if (!o.output_file.empty()) {
    write_shard(*tokenizer, o);
  } else if (o.dataset_name.empty()) {
    print_tokens(*tokenizer, o.text);
  } else {
    print_documents(*tokenizer, o);
  }
  return 0;
}

}  // namespace

Command tokenizer_command() {
  auto o = std::make_shared<Options>();
  return {.name = "tokenizer",
          .summary = "learn a vocabulary from text, or see what one makes of a text",
          .example =
              "rlhf tokenizer train --dataset_name corpus.txt --vocab_size 1024 "
              "--output_dir runs/bpe",
          .declare =
              [o](Flags& flags) {
                flags.choice("action", o->action, {"train", "encode"}, "what to do").positional();
                flags
                    .add("dataset_name", o->dataset_name,
                         "text to learn from, or to encode, messages too: a list of ids a document")
                    .shown_as("FILE");
                flags.add("text_column", o->text_column, "column of a .jsonl, .csv or .tsv file");
                flags.choice("kind", o->kind, {"bpe", "char"}, "byte pairs, or one a character");
                flags.add("vocab_size", o->vocab_size, between(258, 1 << 20),
                          "tokens, special ones included");
                flags.add("special_tokens", o->special_tokens,
                          "further special tokens, separated by commas: \"<|user|>,<|bot|>\"");
                flags.add("output_dir", o->output_dir, "where to write it").shown_as("DIR");
                flags.add("tokenizer", o->tokenizer, "encode: the folder to read").shown_as("DIR");
                flags.add("text", o->text, "encode: the text");
                flags.add("output_file", o->output_file, "encode: a token shard for pretrain")
                    .shown_as("FILE.bin");
              },
          .run =
              [o](const Invocation& invocation) {
                return o->action == "train" ? train(*o, invocation) : encode(*o);
              }};
}

}  // namespace rlhf
