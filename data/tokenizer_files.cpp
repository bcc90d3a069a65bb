#include "data/tokenizer_files.h"

#include <limits>
#include <unordered_map>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"

namespace rlhf {

using nlohmann::json;

int32_t token_id(const json& id, std::string_view token, std::string_view source) {
  constexpr int32_t most = std::numeric_limits<int32_t>::max();
  if (!id.is_number_unsigned() || id.get<uint64_t>() > most) {
    input_error(source, "expected ids from 0 to {}, got {} for the token {}", most,
                id.is_number() ? id.dump() : json_kind(id), quote(token));
  }
  return id.get<int32_t>();
}

TokenIds token_ids(const json& object, std::string_view source) {
  if (!object.is_object()) {
    input_error(source, "expected an object of tokens and ids, got {}", json_kind(object));
  }
  TokenIds ids{std::string(source), {}};
  ids.tokens.reserve(object.size());
  for (const auto& [token, id] : object.items()) {
    ids.tokens.emplace_back(token, token_id(id, token, source));
  }
  return ids;
}

TokenIds parse_token_ids(std::string_view text, std::string_view source) {
  return token_ids(parse_json(text, source), source);
}

namespace {

/// The union of several lists, each token once.
class TokenUnion {
 public:
  void add(const TokenIds& list) {
    for (const auto& [token, id] : list.tokens) {
      const auto [found, is_new] = ids_.try_emplace(token, id);
      if (is_new) entries_.push_back({token, id, list.source});
      if (found->second != id) {
        input_error(list.source, "expected the token {} to have one id, got {} and {}",
                    quote(token), found->second, id);
      }
    }
  }

  /// The spellings by id. @throws InputError unless the ids are 0..n-1, each once.
  std::vector<std::string> by_id() const {
    std::vector<std::string> spellings(entries_.size());
    std::vector<bool> taken(entries_.size());
    for (const auto& [token, id, source] : entries_) {
      const auto index = static_cast<size_t>(id);
      if (index >= taken.size() || taken[index]) {
        input_error(source, "expected the ids 0 to {}, each once, got {} for the token {}",
                    taken.size() - 1, id, quote(token));
      }
      taken[index] = true;
      spellings[index] = token;
    }
    return spellings;
  }

  std::optional<int32_t> find(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  struct Entry {
    std::string_view token;
    int32_t id;
    std::string_view source;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, int32_t> ids_;
};

}  // namespace

Vocabulary assemble_vocabulary(const TokenIds& vocabulary, std::span<const TokenIds> added,
                               const TokenizerConfig& config) {
  if (vocabulary.tokens.empty()) {
    input_error(vocabulary.source, "expected tokens and their ids, got none");
  }
  TokenUnion all;
  all.add(vocabulary);
  for (const TokenIds& list : added) all.add(list);
  Vocabulary result{all.by_id(), {}};

  std::vector<bool> is_special(result.tokens.size());
  const auto mark = [&](const std::string& name) {
    const std::optional<int32_t> id = all.find(name);
    if (id && !is_special[*id]) {
      check_special_name(name, vocabulary.source);
      is_special[*id] = true;
      result.specials.push_back({name, *id});
    }
    return id;
  };
  const auto require = [&](const std::string& name, const char* what) {
    const std::optional<int32_t> id = mark(name);
    if (!id) {
      input_error(vocabulary.source, "expected the {} token {} among the tokens, found none", what,
                  quote(name));
    }
    return *id;
  };
  result.eos = require(config.eos_name, "end");
  for (const std::string& name : config.required_specials) require(name, "special");
  for (const std::string& name : config.optional_specials) mark(name);
  for (const TokenIds& list : added) {
    for (const auto& [name, id] : list.tokens) mark(name);
  }
  if (const std::optional<int32_t> pad = mark(config.pad_name)) {
    result.pad = *pad;
  } else {
    check_special_name(config.pad_name, vocabulary.source);
    result.pad = static_cast<int32_t>(result.tokens.size());
    result.specials.push_back({config.pad_name, result.pad});
    result.tokens.push_back(config.pad_name);
  }
  for (size_t id = 0; id < result.tokens.size(); id++) {
    if (result.tokens[id].empty()) {
      input_error(vocabulary.source, "expected tokens of at least one byte, got \"\"");
    }
  }
  return result;
}

void check_special_name(std::string_view name, std::string_view source) {
  constexpr size_t longest = 256;
  bool good = !name.empty() && name.size() <= longest;
  for (size_t at = 0; good && at < name.size();) {
    const CodePoint point = code_point_at(name, at);
    good = point.value != CodePoint::invalid && !steers_display(point.value);
    at += static_cast<size_t>(point.length);
  }
  if (!good) {
    input_error(source,
                "expected names of special tokens of 1 to {} bytes without control characters, "
                "got {}",
                longest, quote(name));
  }
}

void append_default_specials(Vocabulary& vocabulary) {
  vocabulary.eos = static_cast<int32_t>(vocabulary.tokens.size());
  vocabulary.pad = vocabulary.eos + 1;
  vocabulary.tokens.resize(vocabulary.tokens.size() + 2);
  vocabulary.specials = {{std::string(default_eos_name), vocabulary.eos},
                         {std::string(default_pad_name), vocabulary.pad}};
}

}  // namespace rlhf
