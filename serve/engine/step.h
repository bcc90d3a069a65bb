// One pass of the model over what all running requests have to be read: the newest token of those
// that write, and meanwhile pieces of the prompts of those that do not yet (Yu et al. 2022, Orca,
// section 3; Agrawal et al. 2023, "SARATHI", arXiv:2308.16369). However many there are, the weights
// are read from memory once.
#pragma once

#include <memory>
#include <span>

#include "core/recorder.h"
#include "nn/gpt2.h"
#include "serve/engine/request.h"

namespace rlhf::engine {

/// The next `count` tokens of a request, which the cache does not hold yet.
struct Part {
  std::shared_ptr<Request> request;
  int64_t count;
  /// Whether its last token is the request's newest, behind which another one is to be chosen.
  bool speaks() const { return request->filled + count == request->length(); }
};

struct StepStates {
  Tensor hidden;  ///< (N, C): behind every token, part after part
  Tensor logits;  ///< (S, V): behind the last token of each part that speaks; undefined: none does
};

/// Reads the parts, whose tokens are in the cache from then on. What it returns is valid until the
/// next call. Steps of one token a request, whose shapes come again and again, are recorded.
/// REQUIRES: parts in ascending order of their counts.
StepStates read_parts(const Gpt2& model, const KvCache& cache, Recorder& recorder,
                      std::span<const Part> parts);

}  // namespace rlhf::engine
