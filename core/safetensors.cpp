#include "core/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/atomic_file.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

float widen_f16(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return float(half);
}

/// What a tensor's elements are called in a file.
constexpr std::string_view file_type(DType dtype) {
  return dtype == DType::f64 ? "F64" : dtype == DType::bf16 ? "BF16" : "F32";
}

Tensor convert(const TensorEntry& e, const std::string& bytes) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    if (e.dtype != file_type(dtype)) continue;
    const Tensor tensor = Tensor::empty(e.shape, dtype);
    dispatch(dtype, [&](auto t) {
      if (!bytes.empty()) std::memcpy(tensor.data<decltype(t)>(), bytes.data(), bytes.size());
    });
    return tensor;
  }
  std::vector<float> values(size_t(e.shape.count()));
  for (size_t i = 0; i < values.size(); i++) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    values[i] = widen_f16(bits);
  }
  return Tensor::from(values, e.shape);
}

/// The header of the tensors, padded so that what follows it is aligned.
std::string header_of(const std::vector<NamedTensor>& tensors, size_t& data_bytes) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  data_bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data_bytes;
    dispatch(tensor.dtype(), [&](auto t) { data_bytes += size_t(tensor.count()) * sizeof(t); });
    std::vector<int64_t> extents;
    for (int axis = 0; axis < tensor.shape().rank(); axis++) {
      extents.push_back(tensor.shape()[axis]);
    }
    header[name] = {{"dtype", file_type(tensor.dtype())},
                    {"shape", extents},
                    {"data_offsets", {begin, data_bytes}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors) {
  size_t data_bytes = 0;
  const std::string header = header_of(tensors, data_bytes);
  const uint64_t length = header.size();
  std::string file;
  file.reserve(sizeof length + header.size() + data_bytes);
  file.append(reinterpret_cast<const char*>(&length), sizeof length);
  file += header;
  for (const auto& [name, tensor] : tensors) {
    dispatch(tensor.dtype(), [&](auto t) {
      const auto values = tensor.to_vector<decltype(t)>();
      file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(t));
    });
  }
  atomic_write(path, file);
}

SafetensorsFile::SafetensorsFile(fs::path path) : path_(std::move(path)) {
  const std::string source = path_.string();
  std::error_code code;
  const uint64_t size = fs::is_regular_file(path_, code) ? fs::file_size(path_, code) : 0;
  if (!code && fs::is_regular_file(path_, code)) file_.open(path_, std::ios::binary);
  if (code || !file_.is_open()) {
    input_error(source, "expected a safetensors file, got none that can be read");
  }
  std::string frame(std::min(size, safetensors_frame_bytes), '\0');
  file_.read(frame.data(), std::streamsize(frame.size()));
  std::string header(safetensors_header_length(frame, size, source), '\0');
  file_.read(header.data(), std::streamsize(header.size()));
  if (!file_) input_error(source, "expected a file of {} bytes, got the end of it sooner", size);
  entries_ = parse_safetensors_header(header, size, source);
  data_begin_ = safetensors_frame_bytes + header.size();
}

Tensor SafetensorsFile::read(const TensorEntry& entry) {
  std::string bytes(entry.bytes(), '\0');
  file_.seekg(std::streamoff(data_begin_ + entry.begin));
  file_.read(bytes.data(), std::streamsize(bytes.size()));
  if (!file_) {
    input_error(path_.string(), "expected tensor \"{}\" whole, got the end of the file",
                entry.name);
  }
  return convert(entry, bytes);
}

std::map<std::string, Tensor> read_safetensors(const fs::path& path) {
  SafetensorsFile file(path);
  std::map<std::string, Tensor> tensors;
  for (const TensorEntry& entry : file.entries()) {
    if (entry.is_floating()) tensors.emplace(entry.name, file.read(entry));
  }
  return tensors;
}

}  // namespace rlhf
