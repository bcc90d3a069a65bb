// Malformed tokenizer files, one a row: which file of a good folder is replaced by what, and the
// one line that must come of it. The good folders hold the tokenizer learnt from "abab": 256 bytes,
// the merge of "a" (64) and "b" (65), <|endoftext|> (257) and <|pad|> (258).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/check.h"
#include "data/bpe_trainer.h"
#include "data/text_file.h"
#include "data/tokenizer.h"
#include "tests/message_of.h"

namespace rlhf {

using nlohmann::json;

using Change = std::function<std::string(const std::string& good)>;

inline Change text(std::string content) {
  return [=](const std::string&) { return content; };
}
inline Change appended(std::string more) {
  return [=](const std::string& good) { return good + more; };
}
inline Change first(size_t bytes) {
  return [=](const std::string& good) { return good.substr(0, bytes); };
}
inline Change edited(std::function<void(json&)> edit) {
  return [=](const std::string& good) {
    json value = json::parse(good);
    edit(value);
    return value.dump();
  };
}
/// Sets the value at a JSON pointer.
inline Change with(std::string pointer, json value) {
  return edited([=](json& root) { root[json::json_pointer(pointer)] = value; });
}
inline Change without(std::string key) {
  return edited([=](json& root) { root.erase(key); });
}

struct Case {
  const char* name;
  const char* file;
  Change change;
  std::string expected;  // "@" stands for the folder

  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.file; }
};

/// A folder with some of the good files, in which one has been changed.
class HostileFile : public testing::TestWithParam<Case> {
 protected:
  void expect_one_clear_line(const std::vector<std::string>& good_files) {
    const auto& [name, file, change, expected] = GetParam();
    const auto folder =
        std::filesystem::path(testing::TempDir()) / (std::string("hostile_") + name);
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    for (const std::string& good : good_files) write(folder / good, good_text(good));
    EXPECT_NO_THROW(load_tokenizer(folder));
    write(folder / file, change(good_text(file)));
    std::string wanted = expected;
    for (size_t at; (at = wanted.find('@')) != wanted.npos;) wanted.replace(at, 1, folder.string());
    EXPECT_EQ(message_of<InputError>([&] { load_tokenizer(folder); }), wanted);
    EXPECT_EQ(wanted.find('\n'), wanted.npos);
    std::filesystem::remove_all(folder);
  }

 private:
  static void write(const std::filesystem::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
  }

  /// Of a file that the good folder lacks: nothing.
  static std::string good_text(const std::string& file) {
    static const auto texts = [] {
      const auto folder = std::filesystem::path(testing::TempDir()) / "hostile_good";
      train_bpe(std::vector<std::string>{"abab"}, 300).save(folder);
      std::map<std::string, std::string> read;
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        read[entry.path().filename().string()] = read_text(entry.path());
      }
      return read;
    }();
    const auto found = texts.find(file);
    return found == texts.end() ? "" : found->second;
  }
};

inline std::string case_name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

}  // namespace rlhf
