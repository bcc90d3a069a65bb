// The user's choice between cuDNN and our own kernels.
#include "kernels/cuda/support/attention_library.h"

#include <atomic>
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

std::atomic<AttentionLibrary>& library_of_new_threads() {
  static std::atomic<AttentionLibrary> library = options_of_environment().library;
  return library;
}

}  // namespace

AttentionOptions& attention_options() {
  static thread_local AttentionOptions options{.library = library_of_new_threads()};
  return options;
}

void begin_attention_with(const AttentionOptions& options) {
  library_of_new_threads() = options.library;
}

}  // namespace rlhf::gpu
