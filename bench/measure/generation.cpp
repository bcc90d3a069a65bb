#include "bench/measure/whole_steps.h"
#include "nn/generate.h"

namespace rlhf::bench {

std::vector<double> time_generation(const Gpt2& model, const std::vector<Tokens>& prompts,
                                    int64_t new_tokens, float temperature, const Repeats& repeats) {
  const SamplingOptions options{
      .max_new_tokens = new_tokens, .temperature = temperature, .stop_tokens = {}, .seed = 1};
  return seconds_of_each(repeats, [&] { generate(model, prompts, options); });
}

}  // namespace rlhf::bench
