// What a vocabulary makes of the text that it was learnt from: the figures and the page that
// `rlhf tokenizer train` leaves.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "data/tokenizer.h"
#include "rl/report/report.h"

namespace rlhf {

struct VocabularyUse {
  nlohmann::ordered_json figures;
  Report page;
};

/// `ids`: the text by this tokenizer; `bytes`: its size.
VocabularyUse describe_vocabulary(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                                  size_t bytes);

}  // namespace rlhf
