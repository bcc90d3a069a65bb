#include "core/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "core/atomic_file.h"
#include "core/json.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kHeaderLimit = 100'000'000;  // the format's own
constexpr size_t kMaxName = 512;

struct Entry {
  std::string name, dtype;
  Shape shape;
  uint64_t begin = 0, end = 0;
};

// Bytes an element of a dtype takes; 0 for one that we do not know.
uint64_t bytes_of(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

bool is_floating(std::string_view dtype) { return dtype.find('F') != std::string_view::npos; }

class HeaderReader {
 public:
  HeaderReader(std::string source, uint64_t data_bytes)
      : source_(std::move(source)), data_bytes_(data_bytes) {}

  std::vector<Entry> read(const std::string& text) const {
    const json header = parse_json(text, source_);
    if (!header.is_object()) fail("a JSON object as header", json_kind(header));
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        check_metadata(value);
      } else {
        entries.push_back(entry(name, value));
      }
    }
    // By the end as well: an empty tensor stands before the one that begins where it does.
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t at = 0;
    for (const Entry& e : entries) {
      if (e.begin != at) {
        fail(fmt::format("tensor \"{}\" to begin at byte {}", e.name, at), fmt::to_string(e.begin));
      }
      at = e.end;
    }
    if (at != data_bytes_) {
      fail(fmt::format("{} bytes of tensors", at), fmt::format("{} in the file", data_bytes_));
    }
    return entries;
  }

  [[noreturn]] void fail(std::string_view expected, std::string_view got) const {
    input_error(source_, "expected {}, got {}", expected, got);
  }

 private:
  void check_metadata(const json& value) const {
    if (!value.is_object()) fail("__metadata__ to be an object", json_kind(value));
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail(fmt::format("__metadata__ \"{}\" to be a string", key), json_kind(text));
      }
    }
  }

  Entry entry(const std::string& name, const json& value) const {
    if (name.empty() || name.size() > kMaxName) {
      fail(fmt::format("tensor names of 1 to {} bytes", kMaxName), fmt::to_string(name.size()));
    }
    for (const char c : name) {
      if (uint8_t(c) < 0x20 || c == 0x7f) fail("tensor names without control characters", "one");
    }
    if (!value.is_object())
      fail(fmt::format("tensor \"{}\" to be an object", name), json_kind(value));
    for (const auto& [key, field] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail(fmt::format("dtype, shape and data_offsets of tensor \"{}\"", name),
             fmt::format("\"{}\"", key));
      }
    }
    Entry e{.name = name};
    const json& dtype = field(name, value, "dtype");
    if (!dtype.is_string()) fail(fmt::format("a dtype of tensor \"{}\"", name), json_kind(dtype));
    e.dtype = dtype.get<std::string>();
    const uint64_t element = bytes_of(e.dtype);
    if (element == 0) {
      fail(fmt::format("tensor \"{}\" of F64, F32, F16, BF16 or an integer type", name), e.dtype);
    }
    uint64_t bytes = element;
    const json& shape = field(name, value, "shape");
    if (!shape.is_array() || shape.size() > Shape::kMaxRank) {
      fail(fmt::format("a shape of at most {} extents for tensor \"{}\"", Shape::kMaxRank, name),
           shape.is_array() ? fmt::to_string(shape.size()) : json_kind(shape));
    }
    std::vector<int64_t> extents;
    for (const json& extent : shape) {
      extents.push_back(int64_t(whole(name, extent)));
      if (__builtin_mul_overflow(bytes, uint64_t(extents.back()), &bytes)) {
        fail(fmt::format("tensor \"{}\" of less than 2^64 bytes", name), "more");
      }
    }
    e.shape = Shape(std::span<const int64_t>(extents));
    const json& offsets = field(name, value, "data_offsets");
    if (!offsets.is_array() || offsets.size() != 2) {
      fail(fmt::format("two data_offsets of tensor \"{}\"", name), offsets.dump());
    }
    e.begin = whole(name, offsets[0]);
    e.end = whole(name, offsets[1]);
    if (e.end < e.begin || e.end - e.begin != bytes) {
      fail(fmt::format("{} bytes for tensor \"{}\"", bytes, name),
           fmt::format("data_offsets [{}, {}]", e.begin, e.end));
    }
    if (e.end > data_bytes_) {
      fail(fmt::format("tensor \"{}\" within the file's {} bytes of data", name, data_bytes_),
           fmt::format("an end at {}", e.end));
    }
    return e;
  }

  const json& field(const std::string& name, const json& value, const char* key) const {
    if (!value.contains(key)) fail(fmt::format("tensor \"{}\" to have a {}", name, key), "none");
    return value[key];
  }

  uint64_t whole(const std::string& name, const json& value) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(INT64_MAX)) {
      fail(fmt::format("whole numbers >= 0 in tensor \"{}\"", name), value.dump());
    }
    return value.get<uint64_t>();
  }

  std::string source_;
  uint64_t data_bytes_;
};

float widen_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

float widen_f16(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return float(half);
}

Tensor convert(const Entry& e, const std::string& bytes) {
  if (e.dtype == "F64" || e.dtype == "F32") {
    const DType dtype = e.dtype == "F64" ? DType::f64 : DType::f32;
    return dispatch(dtype, [&](auto t) {
      std::vector<decltype(t)> values(size_t(e.shape.count()));
      std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(values.data()));
      return Tensor::from(values, e.shape);
    });
  }
  std::vector<float> values(size_t(e.shape.count()));
  for (size_t i = 0; i < values.size(); i++) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    values[i] = e.dtype == "BF16" ? widen_bf16(bits) : widen_f16(bits);
  }
  return Tensor::from(values, e.shape);
}

}  // namespace

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    dispatch(tensor.dtype(), [&](auto t) {
      const auto values = tensor.to_vector<decltype(t)>();
      data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(t));
    });
    std::vector<int64_t> extents;
    for (int axis = 0; axis < tensor.shape().rank(); axis++)
      extents.push_back(tensor.shape()[axis]);
    header[name] = {{"dtype", tensor.dtype() == DType::f64 ? "F64" : "F32"},
                    {"shape", extents},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the tensors that follow
  const uint64_t length = text.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  atomic_write(path, file + text + data);
}

std::map<std::string, Tensor> read_safetensors(const fs::path& path) {
  std::error_code code;
  const uint64_t size = fs::is_regular_file(path, code) ? fs::file_size(path, code) : 0;
  std::ifstream file(path, std::ios::binary);
  if (!file || code || !fs::is_regular_file(path)) {
    input_error(path.string(), "expected a safetensors file, got none that can be read");
  }
  uint64_t length = 0;
  if (size < sizeof length) {
    input_error(path.string(), "expected at least 8 bytes, got {}", size);
  }
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  if (length > kHeaderLimit || length > size - sizeof length) {
    input_error(path.string(), "expected a header within the file's {} bytes, got one of {}", size,
                length);
  }
  std::string text(length, '\0');
  file.read(text.data(), std::streamsize(length));
  const HeaderReader reader(path.string(), size - sizeof length - length);
  if (text.empty() || text[0] != '{') reader.fail("a header that begins with {", "something else");
  std::map<std::string, Tensor> tensors;
  for (const Entry& e : reader.read(text)) {  // in the order of the file
    std::string bytes(e.end - e.begin, '\0');
    file.read(bytes.data(), std::streamsize(bytes.size()));
    if (!file) reader.fail(fmt::format("tensor \"{}\" whole", e.name), "the end of the file");
    if (is_floating(e.dtype)) tensors.emplace(e.name, convert(e, bytes));
  }
  return tensors;
}

}  // namespace rlhf
