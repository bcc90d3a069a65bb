// What tells versions of a policy apart: the bytes of their weights.
#pragma once

#include <filesystem>
#include <string>

namespace rlhf::serve {

/// SHA-256 over the names and digests of a model folder's *.safetensors files, by name: 64
/// hexadecimal digits. @throws InputError when there is none.
std::string weights_digest(const std::filesystem::path& folder);

}  // namespace rlhf::serve
