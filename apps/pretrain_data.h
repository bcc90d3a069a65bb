// What `rlhf pretrain` reads: text that a tokenizer encodes, or token shards that somebody has
// encoded already, and the part of either that is held out.
#pragma once

#include <string>
#include <vector>

#include "data/token_shard.h"
#include "data/tokenizer.h"

namespace rlhf {

struct PretrainSource {
  std::string dataset_name, eval_dataset_name, text_column = "text";
  double eval_fraction = 0.1;  ///< of what is trained on, where nothing else is for validation
};

class PretrainData {
 public:
  /// Reads text, and only finds shards: their ids need a tokenizer.
  explicit PretrainData(PretrainSource source);

  bool validates() const;
  /// Whether some of it is ids of a tokenizer that must be given.
  bool has_shards() const { return !shards_.train.empty() || !shards_.val.empty(); }

  /// The text to learn a vocabulary from; with the tail that is held out of the same file, where
  /// each of its characters must have an id.
  std::vector<std::string> tokenizer_text(bool with_tail) const;

  struct Streams {
    TokenStream train, val;
  };
  /// @throws InputError for a shard that is wrong, or holds an id that is not below `vocab_size`.
  Streams streams(const Tokenizer& tokenizer, int64_t vocab_size) const;

 private:
  PretrainSource source_;
  std::vector<std::string> train_, val_;  // documents
  TokenShardFiles shards_;
};

}  // namespace rlhf
