// What an engine gives several clients at once: generated tokens a second of all of them together,
// and how long each waits for the first token of an answer. A client asks, reads the whole answer
// and asks again; prompts share nothing, so that the cache is of no help.
//
//   bench_serving --device cpu --clients 1 4 16
#include <algorithm>
#include <chrono>
#include <future>
#include <memory>

#include "bench/whole_run.h"
#include "core/unicode.h"
#include "data/char_tokenizer.h"
#include "kernels/philox.h"
#include "serve/engine/engine.h"

namespace rlhf::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A vocabulary as large as the model's: one character a token, and it does not matter which.
std::unique_ptr<Tokenizer> tokenizer_of(int64_t size) {
  Vocabulary vocabulary;
  for (int64_t id = 0; id + 2 < size; id++) {
    append_utf8(vocabulary.tokens.emplace_back(), int32_t(0x100 + id));
  }
  for (const auto name : {default_eos_name, default_pad_name}) {
    vocabulary.specials.push_back({std::string(name), int32_t(vocabulary.tokens.size())});
    vocabulary.tokens.emplace_back(name);
  }
  vocabulary.eos = vocabulary.specials[0].id;
  vocabulary.pad = vocabulary.specials[1].id;
  return std::make_unique<CharTokenizer>(
      CharTokenizer::from_vocabulary(std::move(vocabulary), "bench"));
}

struct Answer : engine::Listener {
  bool on_token(const engine::TokenOut&) override {
    if (tokens++ == 0) first = seconds_since(asked);
    return true;
  }
  void on_finish(const engine::Finish&) override { ended.set_value(); }

  Clock::time_point asked = Clock::now();
  double first = 0;
  int64_t tokens = 0;
  std::promise<void> ended;
};

struct Load {
  int64_t prompt = 32, fresh = 64, answers = 3;
};

engine::Job job_of(const Load& load, int64_t vocabulary, uint64_t number) {
  engine::Job job;
  job.sampling.max_new_tokens = load.fresh;
  job.sampling.seed = number;
  job.client = std::to_string(number);
  for (int64_t t = 0; t < load.prompt; t++) {
    const PhiloxWords words = random_words(number, RandomStream::corpus, 0, 0, uint64_t(t));
    job.prompt.push_back(int32_t(words[0] % uint64_t(vocabulary - 2)));
  }
  return job;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[size_t(share * double(values.size() - 1) + 0.5)];
}

void time_clients(const WholeRun& run, engine::Engine& engine, const Load& load, int64_t clients) {
  const int64_t vocabulary = engine.model().tokenizer->vocab_size();
  const auto client = [&](int64_t number) {
    std::vector<double> first;
    for (int64_t i = 0; i < load.answers; i++) {
      const auto answer = std::make_shared<Answer>();
      engine.submit(job_of(load, vocabulary, uint64_t(clients * 1000 + number * 100 + i)), answer);
      answer->ended.get_future().wait();
      first.push_back(answer->first);
    }
    return first;
  };
  const Clock::time_point start = Clock::now();
  std::vector<std::future<std::vector<double>>> running;
  for (int64_t c = 0; c < clients; c++)
    running.push_back(std::async(std::launch::async, client, c));
  std::vector<double> first;
  for (auto& one : running) {
    for (const double seconds : one.get()) first.push_back(seconds);
  }
  const double seconds = seconds_since(start);
  const std::string what = fmt::format("{} {} clients {}+{} {}", run.model_name(), clients,
                                       load.prompt, load.fresh, run.type_name());
  print_result("serving", what, seconds, double(clients * load.answers * load.fresh));
  print_result("first token, median", what, quantile(first, 0.5), 0);
  print_result("first token, 99th percentile", what, quantile(first, 0.99), 0);
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  using namespace rlhf;
  bench::WholeRun run;
  bench::Load load;
  std::vector<int64_t> clients{1, 4, 16};
  engine::Options options;
  run.parse("Tokens a second of several clients", argc, argv, [&](CLI::App& app) {
    app.add_option("--clients", clients, "how many at a time; several numbers are timed in turn");
    app.add_option("--prompt", load.prompt, "tokens of a prompt")->check(CLI::Range(1, 1 << 16));
    app.add_option("--new", load.fresh, "tokens of an answer")->check(CLI::Range(1, 1 << 16));
    app.add_option("--answers", load.answers, "of each client")->check(CLI::Range(1, 100));
    app.add_option("--slots", options.slots, "requests that run at the same time");
    app.add_option("--prefill_chunk", options.prefill_chunk, "prompt tokens between two steps");
  });
  const auto model = std::make_shared<LoadedLanguageModel>();
  model->model.transformer = run.model(load.prompt + load.fresh, 1);
  model->tokenizer = bench::tokenizer_of(model->model.transformer.config.sampled_ids);
  options.queue = *std::max_element(clients.begin(), clients.end());
  engine::Engine engine(model, options);
  complete(engine, bench::job_of(load, model->tokenizer->vocab_size(), 0));  // warms it up
  for (const int64_t count : clients) bench::time_clients(run, engine, load, count);
}
