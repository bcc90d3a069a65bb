#include "apps/pretrain_data.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "apps/tokenizer_flag.h"
#include "core/check.h"
#include "data/datasets.h"

namespace rlhf {
namespace {

using Documents = std::vector<std::string>;

// The last part is for validation: of the text when there is one document, of the documents when
// there are several.
std::pair<Documents, Documents> split_off_tail(Documents documents, double fraction) {
  if (fraction == 0) return {std::move(documents), {}};
  if (documents.size() == 1) {
    const std::string& text = documents[0];
    size_t cut = size_t(double(text.size()) * (1 - fraction));
    while (cut < text.size() && (uint8_t(text[cut]) & 0xc0) == 0x80) cut++;  // whole characters
    return {{text.substr(0, cut)}, {text.substr(cut)}};
  }
  const auto held_out = std::ptrdiff_t(std::max(1.0, double(documents.size()) * fraction));
  return {{documents.begin(), documents.end() - held_out},
          {documents.end() - held_out, documents.end()}};
}

}  // namespace

PretrainData::PretrainData(PretrainSource source) : source_(std::move(source)) {
  if (names_token_shards(source_.dataset_name)) {
    shards_ = find_token_shards(source_.dataset_name);
    if (shards_.train.empty()) {
      input_error(source_.dataset_name, "expected token shards to train on, found {}",
                  "only such for validation");
    }
  } else {
    train_ = read_language_modelling(source_.dataset_name, source_.text_column);
  }
  if (source_.eval_dataset_name.empty()) {
    if (!has_shards()) {
      std::tie(train_, val_) = split_off_tail(std::move(train_), source_.eval_fraction);
    }
  } else if (names_token_shards(source_.eval_dataset_name)) {
    // Whatever the files are called: who names them for validation means them.
    const TokenShardFiles named = find_token_shards(source_.eval_dataset_name);
    shards_.val = named.val.empty() ? named.train : named.val;
  } else {
    shards_.val.clear();
    val_ = read_language_modelling(source_.eval_dataset_name, source_.text_column);
  }
}

bool PretrainData::validates() const {
  return !val_.empty() || !shards_.val.empty() ||
         (!shards_.train.empty() && source_.eval_fraction > 0);
}

Documents PretrainData::tokenizer_text(bool with_tail) const {
  Documents text = train_;
  if (with_tail && source_.eval_dataset_name.empty())
    text.insert(text.end(), val_.begin(), val_.end());
  return text;
}

PretrainData::Streams PretrainData::streams(const Tokenizer& tokenizer, int64_t vocab_size) const {
  const std::string& val_name =
      source_.eval_dataset_name.empty() ? source_.dataset_name : source_.eval_dataset_name;
  Streams out{encode_stream(tokenizer, train_, source_.dataset_name),
              encode_stream(tokenizer, val_, val_name)};
  if (!shards_.train.empty()) out.train = read_token_shards(shards_.train, vocab_size);
  if (!shards_.val.empty()) out.val = read_token_shards(shards_.val, vocab_size);
  if (!shards_.train.empty() && shards_.val.empty() && val_.empty()) {
    const auto cut = int64_t(double(out.train.size()) * (1 - source_.eval_fraction));
    out.val = out.train.part(cut, out.train.size() - cut);
    out.train = out.train.part(0, cut);
  }
  return out;
}

}  // namespace rlhf
