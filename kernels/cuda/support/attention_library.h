// NVIDIA's cuDNN behind the contract of attention, and who chooses between it and our own kernels.
// An emulated build has our own only.
#pragma once

#include <string>
#include <type_traits>

#include "kernels/attention.h"

namespace rlhf::gpu {

enum class AttentionLibrary {
  native,  ///< our kernels only
  cudnn,   ///< the library wherever it has a plan
};

/// How the calling thread has attention computed: a model may learn by the library while another
/// thread generates without it. Any change may change bits.
struct AttentionOptions {
  AttentionLibrary library = AttentionLibrary::native;
};

/// Of the calling thread. Meant to be set before its first attention. At first what
/// begin_attention_with() said, else what RLHF_ATTENTION names: native (the default) or cudnn.
/// @throws std::invalid_argument when it is something else.
AttentionOptions& attention_options();

/// What threads have that ask for attention, or for attention_options(), later on.
void begin_attention_with(const AttentionOptions& options);

/// Why this build cannot ask the library, and what to do about it; empty: it can.
std::string attention_library_problem();

/// Puts attention into the stream by way of the library; false when it has no plan for it. It has
/// plans for self-attention of bf16 without dropout and with the default keys, of heads of a
/// multiple of 8 elements, at addresses and strides of multiples of 16 bytes.
bool attend_by_library(const AttentionForward<bf16>& c, Stream stream);
/// Its workspace grows by 2 bytes a score; beyond 1 GiB the answer is false, too.
bool attend_by_library(const AttentionBackward<bf16>& c, Stream stream);

/// Whether the user wants the library and it has taken the call.
template <template <class> class Call, class T>
bool attended_by_library(const Call<T>& c, Stream stream) {
  if constexpr (std::is_same_v<T, bf16>) {
    return attention_options().library == AttentionLibrary::cudnn && attend_by_library(c, stream);
  }
  return false;
}

}  // namespace rlhf::gpu
