#include "data/token_shard.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/mapped_file.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "files are mapped as they are");

constexpr int64_t header_words = 256, header_bytes = 4 * header_words;

struct Kind {
  int32_t magic, version;
  int token_bytes;
};
constexpr Kind kinds[] = {{20240520, 1, 2}, {20240801, 7, 4}};

int32_t word(std::string_view file, int64_t index) {
  int32_t value;
  std::memcpy(&value, file.data() + 4 * index, 4);
  return value;
}

std::optional<Kind> kind_of(uint32_t magic) {
  for (const Kind& kind : kinds) {
    if (magic == uint32_t(kind.magic)) return kind;
  }
  return std::nullopt;
}

/// The header of something else: no corpus begins with 500 times token 0.
bool looks_like_header(std::string_view file) {
  return file.size() >= size_t(header_bytes) && word(file, 0) != 0 &&
         file.substr(512, header_bytes - 512).find_first_not_of('\0') == std::string_view::npos;
}

TokenShardLayout headed(const Kind& kind, std::string_view file, std::string_view source) {
  if (file.size() < size_t(header_bytes)) {
    input_error(source, "expected a header of {} bytes, got a file of {}", header_bytes,
                file.size());
  }
  if (word(file, 1) != kind.version) {
    input_error(source, "expected version {} of a shard {}, got {}", kind.version, kind.magic,
                word(file, 1));
  }
  const int64_t tokens = word(file, 2);
  if (tokens < 1) {
    input_error(source, "expected a header with a count from 1 to {}, got {}",
                std::numeric_limits<int32_t>::max(), tokens);
  }
  const int64_t bytes = header_bytes + tokens * kind.token_bytes;
  if (int64_t(file.size()) != bytes) {
    input_error(source, "expected {} bytes for the {} tokens of its header, got {}", bytes, tokens,
                file.size());
  }
  return {header_bytes, kind.token_bytes, tokens};
}

/// Adds the ids at `data`, all of which must be below `vocab_size`.
template <class Id>
void append_checked(TokenStream& stream, std::shared_ptr<const MappedFile> owner, const char* data,
                    int64_t count, int64_t vocab_size, std::string_view source) {
  const std::span<const Id> ids(reinterpret_cast<const Id*>(data), size_t(count));
  Id largest = 0;
  for (const Id id : ids) largest = std::max(largest, id);
  if (int64_t(largest) >= vocab_size) {
    const auto bad =
        std::find_if(ids.begin(), ids.end(), [&](Id id) { return int64_t(id) >= vocab_size; });
    input_error(source, "expected ids below {}, the tokenizer's size, got {} as token {}",
                vocab_size, *bad, bad - ids.begin());
  }
  stream.append(std::move(owner), ids);
}

/// Whether a file's name has the word "val": letters on neither side.
bool is_for_validation(const fs::path& file) {
  const std::string name = file.stem().string();
  const auto letter = [&](size_t i) { return i < name.size() && std::isalpha(uint8_t(name[i])); };
  for (size_t at = name.find("val"); at != std::string::npos; at = name.find("val", at + 1)) {
    if (!(at > 0 && letter(at - 1)) && !letter(at + 3)) return true;
  }
  return false;
}

std::vector<fs::path> in_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".bin") files.push_back(it->path());
  }
  if (error) input_error(folder.string(), "expected a readable folder, got: {}", error.message());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> matching(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<fs::path> files(found.gl_pathv, found.gl_pathv + (result == 0 ? found.gl_pathc : 0));
  ::globfree(&found);
  if (result != 0 && result != GLOB_NOMATCH) {
    input_error(pattern, "expected folders that can be read, got others");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TokenShardLayout parse_token_shard(std::string_view file, std::string_view source) {
  if (file.empty()) input_error(source, "expected token ids, got an empty file");
  if (file.size() >= 4) {
    const auto magic = uint32_t(word(file, 0));
    if (const auto kind = kind_of(magic)) return headed(*kind, file, source);
    if (kind_of(__builtin_bswap32(magic))) {
      input_error(source, "expected a little-endian shard, got a big-endian one");
    }
    if (looks_like_header(file)) {
      input_error(source, "expected a shard {} or {}, or ids alone; got a header that begins {}",
                  kinds[0].magic, kinds[1].magic, magic);
    }
  }
  if (file.size() % 2 != 0) {
    input_error(source, "expected ids of two bytes each, got a file of {} bytes", file.size());
  }
  return {0, 2, int64_t(file.size() / 2)};
}

TokenStream read_token_shard(const fs::path& file, int64_t vocab_size) {
  const std::string source = file.string();
  if (file.extension() != ".bin") {
    input_error(source, "expected token shards named .bin, got {}",
                file.has_extension() ? quote(file.extension().string()) : "no suffix");
  }
  const auto mapped = std::make_shared<const MappedFile>(file);
  const TokenShardLayout layout = parse_token_shard(mapped->bytes(), source);
  const char* data = mapped->bytes().data() + layout.header_bytes;
  TokenStream stream;
  if (layout.token_bytes == 2) {
    append_checked<uint16_t>(stream, mapped, data, layout.tokens, vocab_size, source);
  } else {
    append_checked<uint32_t>(stream, mapped, data, layout.tokens, vocab_size, source);
  }
  return stream;
}

bool names_token_shards(const std::string& name) {
  std::error_code error;
  return name.ends_with(".bin") || fs::is_directory(name, error);
}

TokenShardFiles find_token_shards(const std::string& name) {
  std::error_code error;
  const fs::file_status status = fs::status(name, error);
  if (fs::exists(status) && !fs::is_directory(status)) return {{name}, {}};
  const bool folder = fs::is_directory(status);
  const bool pattern = name.find_first_of("*?") != std::string::npos;
  if (!folder && !pattern) input_error(name, "expected a file, found none");
  TokenShardFiles files;
  for (const fs::path& file : folder ? in_folder(name) : matching(name)) {
    (is_for_validation(file) ? files.val : files.train).push_back(file);
  }
  if (files.train.empty() && files.val.empty()) {
    input_error(name, "expected token shards (.bin), found none");
  }
  return files;
}

TokenStream read_token_shards(std::span<const fs::path> files, int64_t vocab_size) {
  TokenStream stream;
  for (const fs::path& file : files) stream.append(read_token_shard(file, vocab_size));
  return stream;
}

void write_token_shard(const fs::path& file, std::span<const int32_t> ids, int64_t vocab_size) {
  const std::string source = file.string();
  check(!ids.empty() && ids.size() <= size_t(std::numeric_limits<int32_t>::max()), source,
        "expected 1 to 2^31 - 1 tokens, got {}", ids.size());
  const Kind& kind = kinds[vocab_size <= 1 << 16 ? 0 : 1];
  std::array<int32_t, header_words> header{kind.magic, kind.version, int32_t(ids.size())};
  std::string bytes(reinterpret_cast<const char*>(header.data()), sizeof header);
  bytes.reserve(bytes.size() + ids.size() * size_t(kind.token_bytes));
  for (const int32_t id : ids) {
    check(id >= 0 && id < vocab_size, source, "expected ids below {}, got {}", vocab_size, id);
    bytes.append(reinterpret_cast<const char*>(&id), size_t(kind.token_bytes));
  }
  atomic_write(file, bytes);
}

}  // namespace rlhf
