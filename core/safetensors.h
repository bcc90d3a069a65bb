// Named tensors in one file, in Hugging Face's safetensors layout: 8 bytes of header length (little
// endian), a JSON header {name: {dtype, shape, data_offsets}}, then the tensors' bytes. The reader
// trusts nothing: it checks the whole header against the file's size before it allocates anything.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace rlhf {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Writes all tensors in the given order with `{"format": "pt"}` as metadata, which transformers
/// asks for. The file appears under its name only when it is complete. i32 is not supported.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

/// Reads every tensor as F32 (F64 stays F64; F16 and BF16 are widened). Integer tensors are left
/// out: old GPT-2 files carry attention masks that are no weights.
/// @throws InputError naming the file, the tensor and what is wrong with it.
std::map<std::string, Tensor> read_safetensors(const std::filesystem::path& path);

}  // namespace rlhf
