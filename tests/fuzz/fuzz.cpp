#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace rlhf::fuzz {
namespace {

/// Removed when the process ends as it should.
class ProcessFolder {
 public:
  ProcessFolder()
      : path_(std::filesystem::temp_directory_path() / ("rlhf-fuzz-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~ProcessFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<Target>& targets() {
  static std::vector<Target> targets;
  return targets;
}

void expect(bool holds, std::string_view law) {
  if (!holds) throw std::logic_error("the law does not hold: " + std::string(law));
}

void expect_message(std::string_view message) {
  expect(message.starts_with("[") && message.find("expected ") != message.npos,
         fmt::format("an InputError says \"[what] expected ...\": {}", message));
  expect(message.size() <= 2000, fmt::format("a message is short: {}", message));
}

int64_t& acceptances() {
  static int64_t count = 0;
  return count;
}

std::filesystem::path file_with(const std::string& name, std::string_view bytes) {
  static const ProcessFolder folder;
  const std::filesystem::path path = folder.path() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  return path;
}

std::vector<std::optional<std::string_view>> files_in(std::string_view bytes, size_t count) {
  constexpr std::string_view mark = "\n====\n";
  std::vector<std::optional<std::string_view>> files(count);
  for (auto& file : files) {
    const size_t end = bytes.find(mark);
    file = bytes.substr(0, end);
    if (end == bytes.npos) break;
    bytes.remove_prefix(end + mark.size());
  }
  return files;
}

size_t choose(std::string_view& bytes, size_t count) {
  if (bytes.empty()) return 0;
  const auto choice = static_cast<uint8_t>(bytes[0]) % count;
  bytes.remove_prefix(1);
  return choice;
}

}  // namespace rlhf::fuzz
