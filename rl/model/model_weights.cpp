#include "rl/model/model_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view weights_suffix = ".safetensors";

/// A plain name of letters, digits, '.', '_' and '-': it cannot name a place outside of the folder.
bool is_plain_file_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
  };
  return name.size() > weights_suffix.size() && name.size() <= 255 && name[0] != '.' &&
         name.ends_with(weights_suffix) && std::all_of(name.begin(), name.end(), plain);
}

/// What stands in the folder instead, for the message; weights in Python's own formats are code.
std::string instead(const fs::path& folder, std::string_view stem) {
  if (stem == "adapter_model") {
    if (!fs::exists(folder / "adapter_model.bin")) return "none";
    return "only adapter_model.bin; save_pretrained of a newer PEFT writes the other";
  }
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5"}) {
    if (fs::exists(folder / name)) {
      return fmt::format(
          "only {}; to convert it: python -c \"from transformers import AutoModelForCausalLM as M; "
          "M.from_pretrained('{}').save_pretrained('{}')\"",
          name, folder.string(), folder.string());
    }
  }
  return "none";
}

/// In float32, whatever the file has.
Tensor as_float(const Tensor& tensor, const std::string& name, const std::string& source) {
  if (tensor.dtype() != DType::f64) return tensor.to(DType::f32);
  std::vector<float> values;
  values.reserve(size_t(tensor.count()));
  for (const double value : tensor.to_vector<double>()) {
    values.push_back(float(value));
    if (std::isfinite(value) && !std::isfinite(values.back())) {
      input_error(source, "expected numbers within the range of a float in \"{}\", got {}", name,
                  value);
    }
  }
  return Tensor::from(values, tensor.shape());
}

}  // namespace

std::map<std::string, std::string> parse_weight_index(std::string_view text,
                                                      std::string_view source) {
  const json index = parse_json(text, source);
  if (!index.is_object()) input_error(source, "expected an object, got {}", json_kind(index));
  const auto found = index.find("weight_map");
  if (found == index.end() || !found->is_object() || found->empty()) {
    input_error(source, "expected an object of tensors and files as \"weight_map\", got {}",
                found == index.end() ? "none"
                : found->is_object() ? "an empty one"
                                     : json_kind(*found));
  }
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : found->items()) {
    if (!file.is_string() || !is_plain_file_name(file.get<std::string>())) {
      input_error(source,
                  "expected a file name such as model-00001-of-00002.safetensors for {}, "
                  "got {}",
                  quote(tensor), escaped(file.dump()));
    }
    files[tensor] = file.get<std::string>();
  }
  return files;
}

ModelWeights::ModelWeights(const fs::path& folder, std::string_view stem) {
  const std::string weights_name = std::string(stem) + std::string(weights_suffix);
  const std::string index_name = weights_name + ".index.json";
  source_ = (folder / weights_name).string();
  if (fs::exists(folder / weights_name)) {
    add(folder / weights_name);
    return;
  }
  if (!fs::exists(folder / index_name)) {
    input_error(source_, "expected a file of weights, got {}", instead(folder, stem));
  }
  source_ = (folder / index_name).string();
  const auto index = parse_weight_index(read_text(source_), source_);
  std::set<std::string> files;
  for (const auto& [tensor, file] : index) files.insert(file);
  for (const std::string& file : files) add(folder / file);
  check_against(index);
}

void ModelWeights::add(const fs::path& file) {
  files_.emplace_back(file);
  const std::vector<TensorEntry>& entries = files_.back().entries();
  for (size_t i = 0; i < entries.size(); i++) {
    const auto [place, fresh] = places_.emplace(entries[i].name, Place{files_.size() - 1, i});
    if (!fresh) {
      input_error(source_, "expected tensor \"{}\" once, got it in {} and {}", entries[i].name,
                  files_[place->second.file].path().filename().string(), file.filename().string());
    }
  }
}

void ModelWeights::check_against(const std::map<std::string, std::string>& index) const {
  for (const auto& [name, file] : index) {
    const auto found = places_.find(name);
    const bool there = found != places_.end();
    if (there && files_[found->second.file].path().filename() == file) continue;
    input_error(source_, "expected tensor {} in {}, got {}", quote(name), file,
                there ? "it in " + files_[found->second.file].path().filename().string()
                      : "none of that name");
  }
  for (const auto& [name, place] : places_) {
    if (!index.contains(name)) {
      input_error(source_, "expected all tensors of the files in \"weight_map\", got \"{}\" in {}",
                  name, files_[place.file].path().filename().string());
    }
  }
}

const TensorEntry* ModelWeights::find(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) return nullptr;
  return &files_[found->second.file].entries()[found->second.entry];
}

std::vector<std::string> ModelWeights::names() const {
  std::vector<std::string> all;
  for (const auto& [name, place] : places_) all.push_back(name);
  return all;
}

void ModelWeights::require(const std::string& name, const Shape& shape,
                           std::string_view config) const {
  const TensorEntry* entry = find(name);
  if (!entry) {
    input_error(source(), "expected a tensor \"{}\", got none of that name", name);
  }
  if (entry->shape != shape) {
    input_error(source(), "expected \"{}\" as {}, as in {}, got {}", name, shape.text(), config,
                entry->shape.text());
  }
  if (!entry->is_floating()) {
    input_error(source(), "expected \"{}\" as F16, BF16, F32 or F64, got {}", name, entry->dtype);
  }
}

Tensor ModelWeights::read(const std::string& name) {
  const Place place = places_.at(name);
  SafetensorsFile& file = files_[place.file];
  return as_float(file.read(file.entries()[place.entry]), name, file.path().string());
}

}  // namespace rlhf
