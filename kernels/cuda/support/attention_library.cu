// The user's choice between cuDNN and our own kernels.
#include "kernels/cuda/support/attention_library.h"

#include <cstdlib>
#include <stdexcept>

namespace rlhf::gpu {
namespace {

AttentionOptions options_of_environment() {
  const char* const value = std::getenv("RLHF_ATTENTION");
  const std::string name = value ? value : "native";
  if (name == "native" || name.empty()) return {};
  if (name == "cudnn") return {AttentionLibrary::cudnn};
  throw std::invalid_argument("[RLHF_ATTENTION] expected native or cudnn, got " + name);
}

}  // namespace

AttentionOptions& attention_options() {
  static AttentionOptions options = options_of_environment();
  return options;
}

}  // namespace rlhf::gpu
