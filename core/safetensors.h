// Named tensors in one file, in Hugging Face's safetensors layout: 8 bytes of header length (little
// endian), a JSON header {name: {dtype, shape, data_offsets}}, then the tensors' bytes. The reader
// trusts nothing: it checks the whole header against the file's size before it allocates anything
// (safetensors_header.h).
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/safetensors_header.h"
#include "core/tensor.h"

namespace rlhf {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Writes all tensors in the given order with `{"format": "pt"}` as metadata, which transformers
/// asks for, each in its own type. The file appears under its name only when it is complete. i32 is
/// not supported.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

/// A file whose header has been read and checked, and whose tensors come one at a time.
class SafetensorsFile {
 public:
  /// @throws InputError naming the file, the tensor and what is wrong with it.
  explicit SafetensorsFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of the file.
  const std::vector<TensorEntry>& entries() const { return entries_; }

  /// One tensor on the host: F32, F64 and BF16 as they are, F16 widened to F32. REQUIRES: an entry
  /// of this file that is_floating(). @throws InputError when the file has become shorter.
  Tensor read(const TensorEntry& entry);

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  uint64_t data_begin_ = 0;
  std::vector<TensorEntry> entries_;
};

/// Reads every tensor as SafetensorsFile does. Integer tensors are left out: old GPT-2 files carry
/// attention masks that are no weights. @throws InputError likewise.
std::map<std::string, Tensor> read_safetensors(const std::filesystem::path& path);

}  // namespace rlhf
