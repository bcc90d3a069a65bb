#include "core/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "core/json.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

using nlohmann::json;

constexpr uint64_t header_limit = 100'000'000;  // the format's own
constexpr size_t max_name_bytes = 512;

/// Bytes an element of a dtype takes; 0 for one that we do not know.
uint64_t bytes_of(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

class HeaderReader {
 public:
  HeaderReader(std::string_view source, uint64_t data_bytes)
      : source_(source), data_bytes_(data_bytes) {}

  std::vector<TensorEntry> read(std::string_view text) const {
    if (text.empty() || text[0] != '{') fail("a header that begins with {", "something else");
    const json header = parse_json(text, source_);
    std::vector<TensorEntry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        check_metadata(value);
      } else {
        entries.push_back(entry(name, value));
      }
    }
    check_places(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(std::string_view expected, std::string_view got) const {
    input_error(source_, "expected {}, got {}", expected, escaped(got, 160));
  }

  /// Sorts by place: from 0 on without a gap, an overlap or a rest, so that no byte of the file has
  /// two meanings, or none.
  void check_places(std::vector<TensorEntry>& entries) const {
    // By the end as well: an empty tensor stands before the one that begins where it does.
    std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t at = 0;
    for (const TensorEntry& e : entries) {
      if (e.begin != at) {
        fail(fmt::format("tensor \"{}\" to begin at byte {}", e.name, at), fmt::to_string(e.begin));
      }
      at = e.end;
    }
    if (at != data_bytes_) {
      fail(fmt::format("{} bytes of tensors", at), fmt::format("{} in the file", data_bytes_));
    }
  }

  void check_metadata(const json& value) const {
    if (!value.is_object()) fail("__metadata__ to be an object", json_kind(value));
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail(fmt::format("__metadata__ {} to be a string", quote(key)), json_kind(text));
      }
    }
  }

  void check_name(const std::string& name) const {
    if (name.empty() || name.size() > max_name_bytes) {
      fail(fmt::format("tensor names of 1 to {} bytes", max_name_bytes),
           fmt::to_string(name.size()));
    }
    for (const char c : name) {
      if (uint8_t(c) < 0x20 || c == 0x7f) fail("tensor names without control characters", "one");
    }
  }

  TensorEntry entry(const std::string& name, const json& value) const {
    check_name(name);
    if (!value.is_object()) {
      fail(fmt::format("tensor \"{}\" to be an object", name), json_kind(value));
    }
    for (const auto& [key, field] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail(fmt::format("dtype, shape and data_offsets of tensor \"{}\"", name), quote(key));
      }
    }
    TensorEntry e{.name = name};
    const json& dtype = field(name, value, "dtype");
    if (!dtype.is_string()) fail(fmt::format("a dtype of tensor \"{}\"", name), json_kind(dtype));
    e.dtype = dtype.get<std::string>();
    const uint64_t bytes = read_shape(e, field(name, value, "shape"));
    read_offsets(e, field(name, value, "data_offsets"), bytes);
    return e;
  }

  /// The bytes that dtype and shape ask for.
  uint64_t read_shape(TensorEntry& e, const json& shape) const {
    uint64_t bytes = bytes_of(e.dtype);
    if (bytes == 0) {
      fail(fmt::format("tensor \"{}\" of F64, F32, F16, BF16 or an integer type", e.name), e.dtype);
    }
    if (!shape.is_array() || shape.size() > Shape::kMaxRank) {
      fail(fmt::format("a shape of at most {} extents for tensor \"{}\"", Shape::kMaxRank, e.name),
           shape.is_array() ? fmt::to_string(shape.size()) : json_kind(shape));
    }
    std::vector<int64_t> extents;
    for (const json& extent : shape) {
      extents.push_back(int64_t(whole(e.name, extent)));
      if (__builtin_mul_overflow(bytes, uint64_t(extents.back()), &bytes)) {
        fail(fmt::format("tensor \"{}\" of less than 2^64 bytes", e.name), "more");
      }
    }
    e.shape = Shape(std::span<const int64_t>(extents));
    return bytes;
  }

  void read_offsets(TensorEntry& e, const json& offsets, uint64_t bytes) const {
    if (!offsets.is_array() || offsets.size() != 2) {
      fail(fmt::format("two data_offsets of tensor \"{}\"", e.name),
           offsets.is_array() ? fmt::to_string(offsets.size()) : json_kind(offsets));
    }
    e.begin = whole(e.name, offsets[0]);
    e.end = whole(e.name, offsets[1]);
    if (e.end < e.begin || e.bytes() != bytes) {
      fail(fmt::format("{} bytes for tensor \"{}\"", bytes, e.name),
           fmt::format("data_offsets [{}, {}]", e.begin, e.end));
    }
    if (e.end > data_bytes_) {
      fail(fmt::format("tensor \"{}\" within the file's {} bytes of data", e.name, data_bytes_),
           fmt::format("an end at {}", e.end));
    }
  }

  const json& field(const std::string& name, const json& value, const char* key) const {
    const auto found = value.find(key);
    if (found == value.end()) fail(fmt::format("tensor \"{}\" to have a {}", name, key), "none");
    return *found;
  }

  uint64_t whole(const std::string& name, const json& value) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(INT64_MAX)) {
      fail(fmt::format("whole numbers >= 0 in tensor \"{}\"", name),
           value.is_structured() ? json_kind(value) : value.dump());
    }
    return value.get<uint64_t>();
  }

  std::string_view source_;
  uint64_t data_bytes_;
};

}  // namespace

uint64_t safetensors_header_length(std::string_view frame, uint64_t file_size,
                                   std::string_view source) {
  if (frame.size() < safetensors_frame_bytes || file_size < safetensors_frame_bytes) {
    input_error(source, "expected at least {} bytes, got {}", safetensors_frame_bytes, file_size);
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; i--) length = length << 8 | uint8_t(frame[size_t(i)]);
  if (length > header_limit) {
    input_error(source, "expected a header of at most {} bytes, got one of {}", header_limit,
                length);
  }
  if (length > file_size - safetensors_frame_bytes) {
    input_error(source, "expected a header within the file's {} bytes, got one of {}", file_size,
                length);
  }
  return length;
}

std::vector<TensorEntry> parse_safetensors_header(std::string_view header, uint64_t file_size,
                                                  std::string_view source) {
  const uint64_t before = safetensors_frame_bytes + header.size();
  if (file_size < before) {
    input_error(source, "expected a header within the file's {} bytes, got one of {}", file_size,
                header.size());
  }
  return HeaderReader(source, file_size - before).read(header);
}

}  // namespace rlhf
