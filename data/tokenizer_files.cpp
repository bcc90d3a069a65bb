#include "data/tokenizer_files.h"

#include <utility>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

constexpr std::string_view char_class_name = "CharTokenizer";
constexpr std::string_view bpe_class_name = "GPT2Tokenizer";

/// A special token's name: a string, or an object with a "content" as some writers emit it.
std::string token_name(const nlohmann::json& config, const std::string& source, const char* key,
                       std::string_view otherwise) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return std::string(otherwise);
  const nlohmann::json name =
      found->is_object() ? found->value("content", nlohmann::json()) : *found;
  if (!name.is_string()) {
    input_error(source, "expected the name of a token as \"{}\", got {}", key, json_kind(*found));
  }
  return name.get<std::string>();
}

TokenizerKind kind_of_class(const nlohmann::json& config, const std::string& source) {
  const auto found = config.find("tokenizer_class");
  const std::string name =
      found != config.end() && found->is_string() ? found->get<std::string>() : "";
  if (name == char_class_name) return TokenizerKind::characters;
  if (name == bpe_class_name || name == "GPT2TokenizerFast") return TokenizerKind::byte_pairs;
  input_error(source, "expected \"tokenizer_class\" to be {} or {}, got {}", bpe_class_name,
              char_class_name, found == config.end() ? "none" : quote(name));
}

}  // namespace

TokenizerConfig read_tokenizer_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer_config.json";
  TokenizerConfig config;
  if (!std::filesystem::exists(file)) {
    if (!std::filesystem::exists(folder / "merges.txt")) {
      input_error(folder.string(),
                  "expected a tokenizer (tokenizer_config.json, or vocab.json and merges.txt), "
                  "found none");
    }
    return config;
  }
  const std::string source = file.string();
  const nlohmann::json json = parse_json(read_text(file), source);
  if (!json.is_object()) input_error(source, "expected an object, got {}", json_kind(json));
  config.kind = kind_of_class(json, source);
  config.eos_name = token_name(json, source, "eos_token", default_eos_name);
  config.pad_name = token_name(json, source, "pad_token", default_pad_name);
  if (config.pad_name == config.eos_name) config.pad_name = default_pad_name;
  if (config.pad_name == config.eos_name) {
    input_error(source, "expected different end and pad tokens, got {} twice",
                quote(config.eos_name));
  }
  if (const auto prefix = json.find("add_prefix_space"); prefix != json.end() && *prefix == true) {
    input_error(source, "expected \"add_prefix_space\" to be false, got true");
  }
  return config;
}

void write_tokenizer_config(const std::filesystem::path& folder, const TokenizerConfig& config) {
  const bool characters = config.kind == TokenizerKind::characters;
  const nlohmann::json json = {
      {"tokenizer_class", characters ? char_class_name : bpe_class_name},
      {"add_prefix_space", false},
      {"bos_token", config.eos_name},
      {"eos_token", config.eos_name},
      {"pad_token", config.pad_name},
      {"unk_token", config.eos_name},
  };
  atomic_write(folder / "tokenizer_config.json", json.dump(2) + "\n");
}

Vocabulary read_vocabulary(const std::filesystem::path& file, const TokenizerConfig& config) {
  const std::string source = file.string();
  const nlohmann::json json = parse_json(read_text(file), source);
  if (!json.is_object() || json.empty()) {
    input_error(source, "expected an object of tokens and ids, got {}",
                json.is_object() ? "an empty one" : json_kind(json));
  }
  const size_t size = json.size();
  Vocabulary vocabulary{
      std::vector<std::string>(size), {config.eos_name, -1}, {config.pad_name, -1}};
  std::vector<bool> taken(size);
  for (const auto& [spelling, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= size || taken[id.get<size_t>()]) {
      input_error(source, "expected the ids 0 to {}, each once, got {} for the token {}", size - 1,
                  id.is_number_integer() ? id.dump() : json_kind(id), quote(spelling));
    }
    const auto index = id.get<size_t>();
    taken[index] = true;
    vocabulary.spellings[index] = spelling;
    if (spelling == config.eos_name) vocabulary.eos.id = static_cast<int32_t>(index);
    if (spelling == config.pad_name) vocabulary.pad.id = static_cast<int32_t>(index);
  }
  if (vocabulary.eos.id < 0) {
    input_error(source, "expected the end token {} among the tokens, found none",
                quote(config.eos_name));
  }
  if (vocabulary.pad.id < 0) {
    vocabulary.pad.id = static_cast<int32_t>(size);
    vocabulary.spellings.push_back(config.pad_name);
  }
  return vocabulary;
}

void write_vocabulary(const std::filesystem::path& file,
                      const std::vector<std::string>& spellings) {
  std::string text = "{";
  for (size_t id = 0; id < spellings.size(); id++) {
    const std::string key = nlohmann::json(spellings[id]).dump(-1, ' ', /*ensure_ascii=*/true);
    text += fmt::format("{}{}: {}", id == 0 ? "" : ", ", key, id);
  }
  atomic_write(file, text + "}\n");
}

}  // namespace rlhf
