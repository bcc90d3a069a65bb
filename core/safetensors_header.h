// What stands before the tensors of a safetensors file, from bytes in memory: nothing here opens a
// file, so that a fuzzer can feed it. Everything is checked against the file's size before anybody
// allocates anything by it: types, shapes whose product fits, ranges without gap, overlap or rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"

namespace rlhf {

/// The 8 bytes at the start of a file: the length of the header that follows, little endian.
inline constexpr uint64_t safetensors_frame_bytes = 8;

/// Where a tensor is in its file. `begin` and `end` count from the first byte after the header.
struct TensorEntry {
  std::string name, dtype;
  Shape shape;
  uint64_t begin = 0, end = 0;

  uint64_t bytes() const { return end - begin; }
  /// F16, BF16, F32 or F64: what a Tensor can be made of.
  bool is_floating() const { return dtype.find('F') != std::string::npos; }
};

/// The length of the header, from the first bytes of a file of `file_size` bytes.
/// @throws InputError when the file is shorter than that, or the header longer than the format's
/// 100,000,000 bytes.
uint64_t safetensors_header_length(std::string_view frame, uint64_t file_size,
                                   std::string_view source);

/// The tensors of a file of `file_size` bytes, in the order of their bytes. `header` is the JSON
/// text alone. @throws InputError "[source] ..." naming the tensor and what is wrong with it.
std::vector<TensorEntry> parse_safetensors_header(std::string_view header, uint64_t file_size,
                                                  std::string_view source);

}  // namespace rlhf
