// tokenizer_config.json: which class a tokenizer is of, and which of its tokens are special.
#include <charconv>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/tokenizer_files.h"

namespace rlhf {
namespace {

using nlohmann::json;

constexpr std::string_view char_class_name = "CharTokenizer";
constexpr std::string_view bpe_class_name = "GPT2Tokenizer";

/// A special token's name: a string, or an object with a "content" as some writers emit it.
std::string token_name(const json& value, std::string_view key, std::string_view source) {
  const json name = value.is_object() ? value.value("content", json()) : value;
  if (!name.is_string()) {
    input_error(source, "expected the name of a token as \"{}\", got {}", key, json_kind(value));
  }
  return name.get<std::string>();
}

std::string named_token(const json& config, const char* key, std::string_view otherwise,
                        std::string_view source) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return std::string(otherwise);
  return token_name(*found, key, source);
}

/// A list of names, or an object of roles and names.
void append_names(const json& config, const char* key, std::string_view source,
                  std::vector<std::string>& names) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return;
  if (!found->is_structured()) {
    input_error(source, "expected a list of tokens as \"{}\", got {}", key, json_kind(*found));
  }
  for (const json& name : *found) names.push_back(token_name(name, key, source));
}

/// An object of ids, as text, and tokens.
TokenIds added_tokens(const json& decoder, std::string_view source) {
  constexpr const char* key = "added_tokens_decoder";
  if (!decoder.is_object()) {
    input_error(source, "expected an object as \"{}\", got {}", key, json_kind(decoder));
  }
  TokenIds added{std::string(source), {}};
  for (const auto& [digits, token] : decoder.items()) {
    int32_t id = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (error != std::errc() || end != digits.data() + digits.size() || id < 0) {
      input_error(source, "expected ids as keys of \"{}\", got {}", key, quote(digits));
    }
    std::string name = token_name(token, key, source);
    require_special(token, name, source);
    added.tokens.emplace_back(std::move(name), id);
  }
  return added;
}

json added_token(const SpecialToken& special) {
  return {{"content", special.name}, {"lstrip", false},      {"normalized", false},
          {"rstrip", false},         {"single_word", false}, {"special", true}};
}

}  // namespace

void require_special(const json& token, std::string_view name, std::string_view source) {
  const auto found = token.is_object() ? token.find("special") : token.end();
  if (found == token.end() || *found != true) {
    input_error(source, "expected added tokens to be special, got the ordinary {}", quote(name));
  }
}

TokenizerConfig parse_tokenizer_config(std::string_view text, std::string_view source) {
  // transformers writes "no limit" as the integer 10^30.
  const json root = parse_json(text, source, 1, HugeIntegers::as_double);
  if (!root.is_object()) input_error(source, "expected an object, got {}", json_kind(root));
  TokenizerConfig config;
  if (const auto found = root.find("tokenizer_class"); found != root.end() && !found->is_null()) {
    if (!found->is_string()) {
      input_error(source, "expected a string as \"tokenizer_class\", got {}", json_kind(*found));
    }
    config.tokenizer_class = found->get<std::string>();
  }
  config.eos_name = named_token(root, "eos_token", default_eos_name, source);
  config.pad_name = named_token(root, "pad_token", default_pad_name, source);
  if (config.pad_name == config.eos_name) config.pad_name = default_pad_name;
  if (config.pad_name == config.eos_name) {
    input_error(source, "expected different end and pad tokens, got {} twice",
                quote(config.eos_name));
  }
  for (const char* key : {"bos_token", "unk_token", "sep_token", "cls_token", "mask_token"}) {
    const std::string name = named_token(root, key, "", source);
    if (!name.empty()) config.optional_specials.push_back(name);
  }
  append_names(root, "additional_special_tokens", source, config.required_specials);
  append_names(root, "extra_special_tokens", source, config.required_specials);
  if (const auto found = root.find("added_tokens_decoder"); found != root.end()) {
    config.added = added_tokens(*found, source);
  }
  if (const auto found = root.find("chat_template"); found != root.end() && !found->is_null()) {
    config.chat_template = found->is_string() ? found->get<std::string>() : found->dump();
  }
  for (const char* key : {"add_prefix_space", "add_bos_token", "add_eos_token"}) {
    if (const auto found = root.find(key); found != root.end() && *found == true) {
      input_error(source, "expected \"{}\" to be false, got true", key);
    }
  }
  return config;
}

TokenizerKind TokenizerConfig::kind() const {
  return tokenizer_class == char_class_name ? TokenizerKind::characters : TokenizerKind::byte_pairs;
}

void check_vocabulary_class(const TokenizerConfig& config, std::string_view source) {
  for (const std::string_view name :
       {std::string_view(), char_class_name, bpe_class_name, std::string_view("GPT2TokenizerFast"),
        std::string_view("PreTrainedTokenizerFast"), std::string_view("TokenizersBackend")}) {
    if (config.tokenizer_class == name) return;
  }
  input_error(source, "expected \"tokenizer_class\" to be {} or {}, got {}", bpe_class_name,
              char_class_name, quote(config.tokenizer_class));
}

void write_tokenizer_config(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                            TokenizerKind kind) {
  json added = json::object(), additional = json::array();
  std::string eos, pad;
  for (const SpecialToken& special : tokenizer.special_tokens()) {
    added[std::to_string(special.id)] = added_token(special);
    if (special.id == tokenizer.eos()) {
      eos = special.name;
    } else if (special.id == tokenizer.pad()) {
      pad = special.name;
    } else {
      additional.push_back(special.name);
    }
  }
  const bool characters = kind == TokenizerKind::characters;
  json config = {
      {"tokenizer_class", characters ? char_class_name : bpe_class_name},
      {"add_prefix_space", false},
      {"bos_token", eos},
      {"eos_token", eos},
      {"pad_token", pad},
      {"unk_token", eos},
      {"additional_special_tokens", additional},
      {"added_tokens_decoder", added},
  };
  if (!tokenizer.chat_template().empty()) {
    config["chat_template"] = tokenizer.chat_template();
    atomic_write(folder / "chat_template.jinja", tokenizer.chat_template());
  }
  atomic_write(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace rlhf
