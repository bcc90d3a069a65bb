#include "serve/weights_digest.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/sha256.h"

namespace rlhf::serve {
namespace fs = std::filesystem;

std::string weights_digest(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  if (files.empty()) {
    input_error(folder.string(), "expected a model folder with *.safetensors, found none");
  }
  std::sort(files.begin(), files.end());
  Sha256 all;
  for (const fs::path& file : files) {
    all.add(file.filename().string() + " " + sha256_of_file(file) + "\n");
  }
  return all.digest();
}

}  // namespace rlhf::serve
