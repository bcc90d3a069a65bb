#include "apps/response_flags.h"

#include "apps/training_flags.h"
#include "core/check.h"

namespace rlhf {

void ResponseFlags::declare_sampling(Flags& flags, const char* length, const char* length_help,
                                     bool learnt) {
  ResponseConfig& r = responses_;
  const std::string filter = learnt ? "; not beside a KL penalty" : "";
  flags.add(length, r.length, between(1, 1 << 20), length_help);
  flags.add("temperature", r.temperature, between(0.05f, 10.0f),
            learnt ? "of sampling and of every log-probability" : "of sampling");
  flags.add("top_k", r.top_k, at_least(0),
            "sample from the k most probable tokens; 0: off" + filter);
  flags.add("top_p", r.top_p, {.least = 0.0f, .most = 1.0f, .above_least = true},
            "sample from the most probable tokens of this mass" + filter);
  flags.add("stop_token", stop_token_, "ends a response; without it the end token");
}

void ResponseFlags::declare_penalties(Flags& flags) {
  flags.choice("missing_eos", missing_eos_, {"keep", "subtract", "replace"},
               "score of a response without an end: as it is, less the penalty, or minus it");
  flags.add("missing_eos_penalty", scores_.missing_eos_penalty, at_least(0.0), "for that rule");
  flags.add("length_penalty", scores_.length_penalty, between(-1e6, 1e6), "subtracted a token");
}

MissingEos ResponseFlags::missing_eos() const {
  return parse_choice<MissingEos>(missing_eos_, {"keep", "subtract", "replace"});
}

int32_t ResponseFlags::stop_token(const Tokenizer& tokenizer) const {
  if (stop_token_.empty()) return -1;
  const auto ids = tokenizer.encode(stop_token_);
  if (ids.size() != 1) {
    input_error("--stop_token", "expected the text of one token, got \"{}\", which is {}",
                stop_token_, ids.size());
  }
  return ids[0];
}

}  // namespace rlhf
