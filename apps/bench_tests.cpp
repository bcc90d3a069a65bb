#include "apps/bench_tests.h"

#include <fmt/core.h>

#include <algorithm>

#include "bench/measure/whole_steps.h"
#include "bench/measure/work.h"

namespace rlhf {
namespace {

using namespace bench;

class Planner {
 public:
  Planner(const BenchFlags& flags, const BenchSizes& sizes, const BenchModel& model, DType dtype)
      : flags_(flags), sizes_(sizes), model_(model), dtype_(dtype) {}

  std::vector<BenchTest> all() {
    for (const std::string& test : sizes_.tests) {
      if (test == "train") {
        for (const int64_t B : sizes_.batch_sizes) {
          for (const int64_t T : sizes_.block_sizes) train(B, fitting(T, 0));
        }
      } else if (test == "prompt") {
        for (const int64_t tokens : sizes_.prompts) prompt(fitting(tokens, 1));
      } else if (test == "decode") {
        for (const int64_t tokens : sizes_.new_tokens) decode(fitting(tokens, 1));
      } else if (test == "rollout") {
        rollout();
      } else {
        ppo();
      }
    }
    return std::move(tests_);
  }

 private:
  /// So many tokens, or what the model's context holds of them beside `others`.
  int64_t fitting(int64_t tokens, int64_t others) const {
    const int64_t most = model_.most_positions;
    return most == 0 ? tokens : std::max<int64_t>(1, std::min(tokens, most - others));
  }
  /// Tokens of a rollout's prompt; the response has what is left.
  int64_t prompt_length() const { return fitting(flags_.prompt_length, model_.most_positions / 2); }

  void add(BenchTest test) {
    const auto same = [&](const BenchTest& other) { return other.name == test.name; };
    if (std::none_of(tests_.begin(), tests_.end(), same)) tests_.push_back(std::move(test));
  }

  void train(int64_t B, int64_t T) {
    add({.name = fmt::format("train {}x{}", B, T),
         .tokens = double(B * T),
         .flops = training_flops(model_.config, double(B), double(T)),
         .memory = true,
         .time = [=, make = model_.make](const Placement& placement, const Repeats& repeats) {
           Gpt2 model = make(T, 1, placement);
           return time_training(model, B, T, repeats);
         }});
  }

  /// Continues B prompts; `greedy`: by the most probable tokens.
  auto generation(int64_t B, int64_t prompt, int64_t fresh, bool greedy) const {
    return [=, make = model_.make, weights = &flags_.weights](const Placement& placement,
                                                              const Repeats& repeats) {
      Gpt2 model = make(prompt + fresh, 1, placement);
      weights->apply(model);
      return time_generation(model, random_tokens(model, B, prompt, 3), fresh, greedy ? 0.f : 1.f,
                             repeats);
    };
  }

  void prompt(int64_t tokens) {
    add({.name = fmt::format("pp{}", tokens),
         .tokens = double(tokens),
         .flops = forward_flops(model_.config, double(tokens), keys_seen(0, double(tokens)), 1),
         .time = generation(1, tokens, 1, /*greedy=*/true)});
  }

  // From a prompt of one token: every new one takes one step, the first, too.
  void decode(int64_t tokens) {
    const auto n = double(tokens);
    add({.name = fmt::format("tg{}", tokens),
         .tokens = n,
         .steps = n,
         .bytes = decoding_bytes(model_.config, n, keys_seen(0, n), flags_.weights.dtype(dtype_),
                                 dtype_),
         .time = generation(1, 1, tokens, /*greedy=*/true)});
  }

  void rollout() {
    const int64_t B = flags_.rollout_batch_size, prompt = prompt_length();
    const int64_t fresh = fitting(flags_.response_length, prompt);
    // The last new token is never read.
    const auto read = double(prompt + fresh - 1), responses = double(B);
    add({.name = fmt::format("rollout {}x({}+{})", B, prompt, fresh),
         .tokens = responses * double(fresh),
         .flops = responses * forward_flops(model_.config, read, keys_seen(0, read), double(fresh)),
         .time = generation(B, prompt, fresh, /*greedy=*/false)});
  }

  void ppo() {
    const PpoSizes sizes{.episodes_per_update = flags_.episodes_per_update,
                         .prompt = prompt_length(),
                         .response = fitting(flags_.response_length, prompt_length() + 1),
                         .num_mini_batches = flags_.num_mini_batches,
                         .num_iterations = flags_.num_iterations};
    const int64_t positions = sizes.prompt + sizes.response + 1;
    add({.name = fmt::format("ppo {}x({}+{})x{}", sizes.episodes_per_update, sizes.prompt,
                             sizes.response, sizes.num_iterations),
         .tokens = double(sizes.episodes_per_update * sizes.response),
         .time = [=, make = model_.make](const Placement& placement, const Repeats& repeats) {
           return time_ppo([&](uint64_t seed) { return make(positions, seed, placement); }, sizes,
                           repeats)
               .iteration;
         }});
  }

  const BenchFlags& flags_;
  const BenchSizes& sizes_;
  const BenchModel& model_;
  DType dtype_;
  std::vector<BenchTest> tests_;
};

}  // namespace

std::vector<BenchTest> bench_tests(const BenchFlags& flags, const BenchSizes& sizes,
                                   const BenchModel& model, DType dtype) {
  return Planner(flags, sizes, model, dtype).all();
}

}  // namespace rlhf
