// Files as tests see them: what is in one, and folders that go when a test does.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paths.h"

namespace rlhf {

inline std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream text(path, std::ios::binary);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// @throws nlohmann::json::parse_error, also when there is no such file.
inline nlohmann::json json_at(const std::filesystem::path& path) {
  return nlohmann::json::parse(content_of(path));
}

/// Writes a JSON file anew after `edit`.
inline void edit_json(const std::filesystem::path& path,
                      const std::function<void(nlohmann::json&)>& edit) {
  nlohmann::json value = json_at(path);
  edit(value);
  std::ofstream(path) << value;
}

/// tests/data/<name>.json: figures that a program of somebody else has made.
inline nlohmann::json test_data(const std::string& name) {
  return json_at(in_source("tests/data") / (name + ".json"));
}

/// An empty folder that nobody else has.
inline std::filesystem::path new_folder(
    const std::filesystem::path& place = std::filesystem::temp_directory_path()) {
  std::string name = place / "rlhf_XXXXXX";
  return std::filesystem::canonical(mkdtemp(name.data()));
}

/// The same, removed at the end with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(new_folder()) {}
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  operator const std::filesystem::path&() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace rlhf
