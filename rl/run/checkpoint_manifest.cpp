// manifest.json: what a checkpoint's folder must hold, read as if a stranger had written it.
#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/json.h"
#include "rl/run/checkpoint_folder.h"

namespace rlhf {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "rlhf.cpp checkpoint";
constexpr int64_t kFormatVersion = 1;

class ManifestReader {
 public:
  explicit ManifestReader(std::string_view source) : source_(source) {}

  CheckpointManifest read(const json& root) const {
    if (!root.is_object()) fail("a JSON object", json_kind(root));
    if (text(root, "format") != kFormat) {
      fail(fmt::format("\"{}\" as format", kFormat), "\"" + text(root, "format") + "\"");
    }
    const uint64_t format_version = count(root, "format_version");
    if (format_version != kFormatVersion) {
      fail(fmt::format("format_version {}", kFormatVersion), fmt::to_string(format_version));
    }
    CheckpointManifest manifest;
    const uint64_t step = count(root, "step");
    if (step > uint64_t(INT64_MAX)) fail("a step", fmt::to_string(step));
    manifest.step = int64_t(step);
    manifest.command = text(root, "command");
    manifest.version = text(root, "version");
    for (const auto& [name, digest] : object(root, "inputs").items()) {
      manifest.inputs[name] = sha256(digest, name);
    }
    for (const auto& [name, file] : object(root, "files").items()) {
      if (!is_plain_path(name)) fail("names of files within the folder", "\"" + name + "\"");
      if (!file.is_object()) fail("an object for \"" + name + "\"", json_kind(file));
      manifest.files[name] = {count(file, "bytes"), sha256(member(file, "sha256"), name)};
    }
    if (manifest.files.empty()) fail("files", "none");
    return manifest;
  }

 private:
  template <class Got>
  [[noreturn]] void fail(const std::string& expected, const Got& got) const {
    input_error(source_, "expected {}, got {}", expected, got);
  }

  const json& member(const json& object, const char* name) const {
    const auto found = object.find(name);
    if (found == object.end()) fail(fmt::format("\"{}\"", name), "none");
    return *found;
  }
  std::string text(const json& object, const char* name) const {
    const json& value = member(object, name);
    if (!value.is_string()) fail(fmt::format("a string as \"{}\"", name), json_kind(value));
    return value.get<std::string>();
  }
  uint64_t count(const json& object, const char* name) const {
    const json& value = member(object, name);
    if (!value.is_number_unsigned()) {
      fail(fmt::format("a whole number from 0 as \"{}\"", name), value.dump());
    }
    return value.get<uint64_t>();
  }
  const json& object(const json& parent, const char* name) const {
    const json& value = member(parent, name);
    if (!value.is_object()) fail(fmt::format("an object as \"{}\"", name), json_kind(value));
    return value;
  }
  std::string sha256(const json& value, const std::string& name) const {
    const bool good = value.is_string() && value.get_ref<const std::string&>().size() == 64 &&
                      value.get_ref<const std::string&>().find_first_not_of("0123456789abcdef") ==
                          std::string::npos;
    if (!good) fail("64 hexadecimal digits as sha256 of \"" + name + "\"", value.dump());
    return value.get<std::string>();
  }

  // Parts of letters, digits, '.', '_', '-' with single slashes between: nothing that leads out.
  static bool is_plain_path(std::string_view path) {
    while (true) {
      const std::string_view part = path.substr(0, path.find('/'));
      const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
      });
      if (!plain || part.empty() || part == "." || part == "..") return false;
      if (part.size() == path.size()) return true;
      path.remove_prefix(part.size() + 1);
    }
  }

  std::string source_;
};

}  // namespace

CheckpointManifest parse_manifest(std::string_view text, std::string_view source) {
  return ManifestReader(source).read(parse_json(text, source));
}

std::string manifest_text(const CheckpointManifest& manifest) {
  nlohmann::ordered_json files = nlohmann::ordered_json::object();
  for (const auto& [name, file] : manifest.files) {
    files[name] = {{"bytes", file.bytes}, {"sha256", file.sha256}};
  }
  const nlohmann::ordered_json root{
      {"format", kFormat},           {"format_version", kFormatVersion},
      {"step", manifest.step},       {"command", manifest.command},
      {"version", manifest.version}, {"inputs", manifest.inputs},
      {"files", std::move(files)}};
  return root.dump(2) + "\n";
}

}  // namespace rlhf
