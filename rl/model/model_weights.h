// The tensors of a model folder, whether in one model.safetensors or in shards that
// model.safetensors.index.json lists; or those of an adapter_model.safetensors. Headers are read
// and checked at once, bytes when asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/safetensors.h"

namespace rlhf {

/// The content of a model.safetensors.index.json: the file that holds each tensor.
/// @throws InputError "[source] ..."; file names that could lead out of the folder are refused.
std::map<std::string, std::string> parse_weight_index(std::string_view text,
                                                      std::string_view source);

/// What Hugging Face's files call a parameter of LanguageModel or ScalarModel: a language model's
/// own head stands beside the trunk there, within it here.
inline std::string name_in_files(const std::string& name) {
  return name == "transformer.lm_head.weight" ? "lm_head.weight" : name;
}

class ModelWeights {
 public:
  /// `stem`: of the file's name, "model" or "adapter_model".
  /// @throws InputError naming the file, and the tensor that is missing from a shard, in two of
  /// them or not in the index; also when there are only weights of another format.
  explicit ModelWeights(const std::filesystem::path& folder, std::string_view stem = "model");

  /// The file, or the index, by which messages call them.
  const std::string& source() const { return source_; }
  /// Null when there is none of that name.
  const TensorEntry* find(const std::string& name) const;
  std::vector<std::string> names() const;
  /// @throws InputError unless there is a floating-point tensor of that name and shape, which
  /// `config` (a file's name) asks for.
  void require(const std::string& name, const Shape& shape, std::string_view config) const;

  /// The tensor in float32, on the host. REQUIRES: find(name) with is_floating().
  /// @throws InputError for a double beyond the range of a float.
  Tensor read(const std::string& name);

 private:
  struct Place {
    size_t file, entry;
  };
  void add(const std::filesystem::path& file);
  void check_against(const std::map<std::string, std::string>& index) const;

  std::string source_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place> places_;
};

}  // namespace rlhf
