#include "data/tokenizer_json.h"

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

using nlohmann::json;

/// The parts of the file, with the checks that all of them share.
class Reader {
 public:
  Reader(std::string_view text, std::string_view source)
      : source_(source), root_(parse_json(text, source)) {
    require_object(root_, "the file");
  }

  TokenizerJson read() const {
    check_pipeline();
    const json& model = part(root_, "model");
    require_object(model, "\"model\"");
    check_model(model);
    TokenizerJson out{.vocabulary = token_ids(part(model, "vocab"), source_), .added = added()};
    const json& merges = part(model, "merges");
    require_list(merges, "\"merges\"");
    out.merges.reserve(merges.size());
    for (const json& merge : merges) out.merges.push_back(pair_of(merge, out.merges.size()));
    return out;
  }

 private:
  static const json& part(const json& parent, const char* key) {
    static const json null;
    const auto found = parent.find(key);
    return found == parent.end() ? null : *found;
  }

  void require_object(const json& value, std::string_view what) const {
    if (value.is_object()) return;
    input_error(source_, "expected an object as {}, got {}", what, json_kind(value));
  }

  void require_list(const json& value, std::string_view what) const {
    if (value.is_array()) return;
    input_error(source_, "expected a list as {}, got {}", what, json_kind(value));
  }

  /// @throws InputError unless a setting has the only value that is implemented, or is absent and
  /// absence means that value.
  void require_value(const json& parent, const char* key, const json& wanted,
                     bool may_be_absent = true) const {
    const json& value = part(parent, key);
    if (value == wanted || (value.is_null() && may_be_absent)) return;
    input_error(source_, "expected \"{}\" to be {}, got {}", key, wanted.dump(),
                escaped(value.dump()));
  }

  void require_type(const json& value, const char* key, std::string_view wanted) const {
    const json type = value.is_object() ? part(value, "type") : json();
    if (type == wanted) return;
    input_error(source_, "expected \"{}\" of type {}, got {}", key, wanted,
                type.is_string() ? quote(type.get<std::string>()) : json_kind(value));
  }

  // Truncation and padding are settings of a call, not of the vocabulary: nobody asks for them
  // here.
  void check_pipeline() const {
    if (const json& normalizer = part(root_, "normalizer"); !normalizer.is_null()) {
      input_error(source_, "expected no \"normalizer\", got {}", escaped(normalizer.dump()));
    }
    const json& cut = part(root_, "pre_tokenizer");
    require_type(cut, "pre_tokenizer", "ByteLevel");
    require_value(cut, "add_prefix_space", false, /*may_be_absent=*/false);
    require_value(cut, "use_regex", true);
    require_type(part(root_, "decoder"), "decoder", "ByteLevel");
    check_post_processor(part(root_, "post_processor"));
  }

  /// Only such as change no ids: special tokens are appended by code.
  void check_post_processor(const json& value) const {
    if (value.is_null()) return;
    const json type = value.is_object() ? part(value, "type") : json();
    if (type == "ByteLevel") return;
    bool bare = type == "TemplateProcessing" && part(value, "single").is_array();
    if (bare) {
      for (const json& piece : part(value, "single")) {
        bare = bare && piece.is_object() && piece.contains("Sequence");
      }
    }
    if (!bare) {
      input_error(source_, "expected a \"post_processor\" that adds no tokens, got {}",
                  escaped(value.dump()));
    }
  }

  void check_model(const json& model) const {
    require_type(model, "model", "BPE");
    if (part(model, "dropout") != 0) require_value(model, "dropout", nullptr);
    require_value(model, "byte_fallback", false);
    require_value(model, "ignore_merges", false);
    require_value(model, "continuing_subword_prefix", "");
    require_value(model, "end_of_word_suffix", "");
  }

  TokenIds added() const {
    TokenIds ids{source_, {}};
    const json& list = part(root_, "added_tokens");
    if (list.is_null()) return ids;
    require_list(list, "\"added_tokens\"");
    for (const json& token : list) {
      require_object(token, "each of \"added_tokens\"");
      const json& content = part(token, "content");
      if (!content.is_string()) {
        input_error(source_, "expected a string as \"content\" of an added token, got {}",
                    json_kind(content));
      }
      const auto name = content.get<std::string>();
      require_special(token, name, source_);
      ids.tokens.emplace_back(name, token_id(part(token, "id"), name, source_));
    }
    return ids;
  }

  /// "a b", or ["a", "b"].
  std::pair<std::string, std::string> pair_of(const json& merge, size_t index) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    }
    if (merge.is_string()) {
      const auto text = merge.get<std::string>();
      const size_t space = text.find(' ');
      if (space != text.npos && text.find(' ', space + 1) == text.npos) {
        return {text.substr(0, space), text.substr(space + 1)};
      }
    }
    input_error(source_, "expected merge {} to be two tokens, got {}", index,
                escaped(merge.dump()));
  }

  std::string source_;
  json root_;
};

std::string ascii(const std::string& text) {
  return json(text).dump(-1, ' ', /*ensure_ascii=*/true);
}

std::string vocabulary_json(const std::vector<std::string>& spellings) {
  std::string text = "{";
  for (size_t id = 0; id < spellings.size(); id++) {
    text += fmt::format("{}{}: {}", id == 0 ? "" : ", ", ascii(spellings[id]), id);
  }
  return text + "}";
}

std::string added_tokens_json(const std::vector<SpecialToken>& specials) {
  std::string text;
  for (const auto& [name, id] : specials) {
    text += fmt::format(
        "{}\n    {{\"id\": {}, \"content\": {}, \"single_word\": false, \"lstrip\": false, "
        "\"rstrip\": false, \"normalized\": false, \"special\": true}}",
        text.empty() ? "" : ",", id, ascii(name));
  }
  return text;
}

std::string merges_json(const std::vector<std::string>& spellings,
                        const std::vector<Merge>& merges) {
  std::string text;
  for (const auto& [left, right, result] : merges) {
    text += fmt::format("{}[{}, {}]", text.empty() ? "" : ", ", ascii(spellings[left]),
                        ascii(spellings[right]));
  }
  return text;
}

std::string tokenizer_json(const std::vector<SpecialToken>& specials, const std::string& vocabulary,
                           const std::string& merges, TokenizerKind kind) {
  const bool characters = kind == TokenizerKind::characters;
  const char* byte_level =
      R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, )"
      R"("use_regex": true})";
  return fmt::format(
      R"({{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [{}
  ],
  "normalizer": null,
  "pre_tokenizer": {},
  "post_processor": {},
  "decoder": {},
  "model": {{
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": "",
    "end_of_word_suffix": "",
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": false,
    "vocab": {},
    "merges": [{}]
  }}
}}
)",
      added_tokens_json(specials), characters ? "null" : byte_level,
      characters ? "null" : byte_level, characters ? R"({"type": "Fuse"})" : byte_level, vocabulary,
      merges);
}

}  // namespace

TokenizerJson parse_tokenizer_json(std::string_view text, std::string_view source) {
  return Reader(text, source).read();
}

void write_tokenizer_files(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                           const std::vector<std::string>& spellings,
                           const std::vector<Merge>& merges, TokenizerKind kind) {
  const std::string vocabulary = vocabulary_json(spellings);
  atomic_write(folder / "vocab.json", vocabulary + "\n");
  atomic_write(folder / "tokenizer.json", tokenizer_json(tokenizer.special_tokens(), vocabulary,
                                                         merges_json(spellings, merges), kind));
  write_tokenizer_config(folder, tokenizer, kind);
}

}  // namespace rlhf
