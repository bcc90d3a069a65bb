#include "serve/engine/shared_prefix.h"

#include <algorithm>

namespace rlhf::engine {
namespace {

/// Tokens at the beginning of two prompts that are the same, the first one's last not counted.
int64_t common_prefix(const Tokens& prompt, const Tokens& other) {
  return std::mismatch(prompt.begin(), prompt.end() - 1, other.begin(), other.end()).first -
         prompt.begin();
}

void copy_row(const KvCache& cache, int64_t from, int64_t to, int64_t begin, int64_t end) {
  for (const KvCacheLayer& layer : cache.layers) {
    for (const Tensor& all : {layer.keys, layer.values}) {
      const int64_t capacity = all.shape()[1], C = all.shape()[2];
      const auto part = [&](int64_t row) {
        return all.view((row * capacity + begin) * C, {end - begin, C});
      };
      part(to).copy_from(part(from));
    }
  }
}

}  // namespace

SharedPrefixes share_prefixes(const KvCache& cache,
                              const std::vector<std::shared_ptr<Request>>& running) {
  SharedPrefixes shared;
  for (const auto& request : running) {
    if (request->unread() <= 1 || request->job().prompt_log_probs) continue;
    const Request* holder = nullptr;
    int64_t held = request->filled, coming = 0;
    for (const auto& other : running) {
      if (other == request) continue;
      const int64_t common = common_prefix(request->job().prompt, other->job().prompt);
      if (const int64_t there = std::min(common, other->filled); there > held) {
        holder = other.get();
        held = there;
      }
      // Older ones never wait for younger ones, so that somebody reads.
      if (other->id() < request->id() && other->unread() > 0) coming = std::max(coming, common);
    }
    if (holder) {
      copy_row(cache, holder->slot, request->slot, request->filled, held);
      shared.copied += held - request->filled;
      request->found(held);
    }
    if (coming > held && 2 * (coming - held) >= request->unread()) {
      shared.waiting.insert(request.get());
    }
  }
  return shared;
}

}  // namespace rlhf::engine
