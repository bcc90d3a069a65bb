// Prompts that begin alike and run at the same time, such as the choices of one prompt or questions
// behind one long instruction: one of them reads what they share, the others copy it out of its row
// of the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "nn/gpt2.h"
#include "serve/engine/request.h"

namespace rlhf::engine {

struct SharedPrefixes {
  int64_t copied = 0;  ///< tokens that need not be read
  /// Who does better to wait than to read: an older request is reading at least half of what is
  /// left of its prompt.
  std::set<const Request*> waiting;
};

/// Copies to each request's row what the rows of others hold already of its prompt, but for the
/// prompt's last token. A prompt whose log-probabilities are asked for copies nothing: they need
/// the states behind all of its tokens.
SharedPrefixes share_prefixes(const KvCache& cache,
                              const std::vector<std::shared_ptr<Request>>& running);

}  // namespace rlhf::engine
