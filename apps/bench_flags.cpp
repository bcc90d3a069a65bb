#include "apps/bench_flags.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "apps/number_list.h"
#include "bench/measure/ceilings.h"
#include "bench/measure/shapes.h"
#include "core/check.h"
#include "rl/model/model_folder.h"

namespace rlhf {
namespace {

const std::vector<std::string> kTests{"train", "prompt", "decode", "rollout", "ppo"};

std::vector<int64_t> sizes_of(const std::string& flag, const std::string& text, uint64_t least,
                              uint64_t most) {
  const std::string expected =
      fmt::format("whole numbers from {} to {} with commas between", least, most);
  std::vector<int64_t> sizes;
  for (const uint64_t number : parse_numbers(flag, text, expected)) {
    if (number < least || number > most) {
      input_error(flag, "expected {}, got \"{}\"", expected, text);
    }
    sizes.push_back(int64_t(number));
  }
  return sizes;
}

}  // namespace

void BenchFlags::declare(Flags& flags) {
  flags.group("Model");
  flags.add("model_name_or_path", model_name_or_path_, "a model folder, instead of random weights")
      .shown_as("DIR");
  std::vector<std::string> names;
  for (const bench::NamedShape& shape : bench::named_shapes()) names.push_back(shape.name);
  flags
      .add("shape", shape_,
           fmt::format("random weights of these shapes: {}; gpt2 unless said otherwise",
                       fmt::join(names, ", ")))
      .shown_as("NAME,...");
  flags.add("n_layer", n_layer_, between(0, 1000), "blocks instead of the shape's; 0: its own");
  flags.add("n_head", n_head_, between(0, 1000), "heads, likewise");
  flags.add("n_embd", n_embd_, between(0, 1 << 16), "channels, likewise");
  flags.add("vocab_size", vocab_size_, between(0, 1 << 20), "tokens, likewise");

  flags.group("Work");
  flags.add("test", test_, fmt::format("which work: some of {}", fmt::join(kTests, ",")))
      .shown_as("WORK,...");
  flags.add("per_device_train_batch_size", batch_size_, "train: sequences of a step")
      .shown_as("N,N,...");
  flags.add("block_size", block_size_, "train: tokens of a sequence").shown_as("N,N,...");
  flags.add("n_prompt", n_prompt_, "prompt: tokens read at once").shown_as("N,N,...");
  flags.add("n_gen", n_gen_, "decode: tokens written one after another, the most probable ones")
      .shown_as("N,N,...");
  flags.add("rollout_batch_size", rollout_batch_size, between(1, 1 << 16),
            "rollout: responses sampled together");
  flags.add("prompt_length", prompt_length, between(1, 1 << 20),
            "rollout, ppo: tokens of a prompt");
  flags.add("response_length", response_length, between(1, 1 << 20),
            "rollout, ppo: tokens of a response");
  flags.add("episodes_per_update", episodes_per_update, between(1, 1 << 16),
            "ppo: responses of an iteration");
  flags.add("num_mini_batches", num_mini_batches, between(1, 1 << 16),
            "ppo: optimizer steps a pass");
  flags.add("num_iterations", num_iterations, between(1, 1000), "ppo: passes over the responses");

  flags.group("Measuring");
  flags.add("repetitions", repetitions, between(1, 100000), "times that count");
  flags.add("warmup", warmup, between(0, 1000), "times before them that do not");
  flags
      .add("threads", threads_, "one table for each; unless said otherwise OMP_NUM_THREADS, or all")
      .shown_as("N,N,...");
  flags.choice("output_format", output_format, {"md", "json", "csv"}, "of the table on stdout");
  weights.declare(flags);
  device.declare(flags);
}

BenchSizes BenchFlags::sizes() const {
  BenchSizes sizes;
  for (const std::string& test : split_words(test_)) {
    if (std::find(kTests.begin(), kTests.end(), test) == kTests.end()) {
      input_error("--test", "expected some of {}, got \"{}\"", fmt::join(kTests, ","), test_);
    }
    if (weights.narrow() && (test == "train" || test == "ppo")) {
      input_error("--weight_dtype", "expected --test to be some of prompt,decode,rollout, got {}",
                  test_);
    }
    sizes.tests.push_back(test);
  }
  constexpr uint64_t longest = 1 << 20;
  sizes.batch_sizes = sizes_of("--per_device_train_batch_size", batch_size_, 1, 1 << 16);
  sizes.block_sizes = sizes_of("--block_size", block_size_, 1, longest);
  sizes.prompts = sizes_of("--n_prompt", n_prompt_, 1, longest);
  sizes.new_tokens = sizes_of("--n_gen", n_gen_, 1, longest);
  sizes.threads = {bench::default_threads()};
  if (!threads_.empty()) sizes.threads = sizes_of("--threads", threads_, 1, 1024);
  if (num_mini_batches > episodes_per_update) {
    input_error("--num_mini_batches", "expected at most --episodes_per_update {}, got {}",
                episodes_per_update, num_mini_batches);
  }
  return sizes;
}

std::vector<BenchModel> BenchFlags::models() const {
  if (model_name_or_path_.empty()) return random_models();
  const bool shaped = n_layer_ || n_head_ || n_embd_ || vocab_size_ || !shape_.empty();
  if (shaped) {
    input_error("--model_name_or_path",
                "expected neither --shape, --n_layer, --n_head, --n_embd nor --vocab_size beside "
                "it, got one");
  }
  const std::string folder = model_name_or_path_;
  const Gpt2Config config = load_language_model(folder).model.transformer.config;
  const auto load = [folder](int64_t, uint64_t, const Placement& placement) {
    Gpt2 model = load_language_model(folder, placement).model.transformer;
    model.config.set_dropout(0);
    return model;
  };
  const std::filesystem::path path = std::filesystem::path(folder) / "";
  return {{path.parent_path().filename().string(), config, config.n_positions, load}};
}

std::vector<BenchModel> BenchFlags::random_models() const {
  std::vector<BenchModel> models;
  for (const std::string& name : split_words(shape_.empty() ? "gpt2" : shape_)) {
    Gpt2Config config = bench::named_shape(name, "--shape").config;
    std::string title = name;
    const auto replace = [&](int64_t& size, int64_t given, const char* letter) {
      if (given == 0) return;
      size = given;
      title += fmt::format(" {}{}", letter, given);
    };
    replace(config.n_layer, n_layer_, "L");
    replace(config.n_head, n_head_, "H");
    replace(config.n_embd, n_embd_, "C");
    replace(config.vocab_size, vocab_size_, "V");
    config.validate("shape");
    models.push_back(
        {title, config, 0, [config](int64_t positions, uint64_t seed, auto& placement) {
           Gpt2Config sized = config;
           sized.n_positions = positions;
           Gpt2 model = make_gpt2(sized, seed);
           move_parameters(model, placement);
           return model;
         }});
  }
  return models;
}

}  // namespace rlhf
