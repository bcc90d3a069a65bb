// Where tests find this checkout and the programs that they start. Defined in one file, so that the
// others compile to the same in any folder and compiler caches know them.
#pragma once

#include <filesystem>

namespace rlhf {

extern const char* const source_folder;  ///< of the checkout
extern const char* const rlhf_program;
extern const char* const failing_disk_library;

/// A file of the checkout: "tests/data/x.json".
inline std::filesystem::path in_source(const char* name) {
  return std::filesystem::path(source_folder) / name;
}

}  // namespace rlhf
