#include "apps/sampling_flags.h"

namespace rlhf {

void declare_sampling(Flags& flags, SamplingOptions& sampling) {
  SamplingOptions& s = sampling;
  flags.group("Sampling");
  flags.add("temperature", s.temperature, between(0.0f, 100.0f),
            "0: always the most probable token");
  flags.add("top_k", s.top_k, at_least(0), "keep the k most probable tokens; 0: all");
  flags.add("top_p", s.top_p, Range<float>{0, 1, true},
            "keep the most probable tokens up to this mass");
  flags.add("min_p", s.min_p, between(0.0f, 1.0f),
            "drop tokens below this share of the most probable one's");
  flags.add("repetition_penalty", s.repetition_penalty, above(0.0f),
            "above 1 disfavours tokens that have occurred");
  flags.add("seed", s.seed, {}, "same seed, same text");
}

}  // namespace rlhf
