// rlhf tokenizer: learns a vocabulary from text, or shows what one makes of a text.
#include <fmt/core.h>

#include "apps/commands.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "apps/tokenizer_flag.h"
#include "core/atomic_file.h"
#include "core/check.h"
#include "data/datasets.h"

namespace rlhf {
namespace {

struct Options {
  std::string action = "train", dataset_name, text_column = "text", kind = "bpe", output_dir;
  std::string tokenizer, text;
  int64_t vocab_size = 1024;
};

void require(const std::string& value, const char* flag) {
  if (value.empty()) input_error(flag, "expected a value for this action, got none");
}

int train(const Options& o) {
  require(o.dataset_name, "--dataset_name");
  require(o.output_dir, "--output_dir");
  check_output_dir(o.output_dir, {});
  const auto documents = read_language_modelling(o.dataset_name, o.text_column);
  const auto tokenizer = make_tokenizer(o.kind, documents, o.vocab_size);
  require_writable_folder(o.output_dir, "--output_dir");
  tokenizer->save(o.output_dir);
  size_t bytes = 0;
  for (const std::string& document : documents) bytes += document.size();
  const size_t tokens = encode_stream(*tokenizer, documents, o.dataset_name).size();
  fmt::print("{} tokens, {:.2f} bytes a token on its own corpus; wrote {}\n",
             tokenizer->vocab_size(), double(bytes) / double(std::max<size_t>(1, tokens)),
             escape_line(o.output_dir));
  return 0;
}

int encode(const Options& o) {
  require(o.tokenizer, "--tokenizer");
  const auto tokenizer = load_tokenizer(o.tokenizer);
  for (const int32_t id : tokenizer->encode(o.text)) {
    fmt::print("{:6d}  {}\n", id, escape_line(tokenizer->token_bytes(id)));
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
                flags.add("dataset_name", o->dataset_name, "text to learn from").shown_as("FILE");
                flags.add("text_column", o->text_column, "column of a .jsonl, .csv or .tsv file");
                flags.choice("kind", o->kind, {"bpe", "char"}, "byte pairs, or one a character");
                flags.add("vocab_size", o->vocab_size, between(258, 1 << 20),
                          "tokens, special ones included");
                flags.add("output_dir", o->output_dir, "where to write it").shown_as("DIR");
                flags.add("tokenizer", o->tokenizer, "encode: the folder to read").shown_as("DIR");
                flags.add("text", o->text, "encode: the text");
              },
          .run = [o](const Invocation&) { return o->action == "train" ? train(*o) : encode(*o); }};
}

}  // namespace rlhf
