// Encoding speed on real text: bytes a second of one thread, the word cache warm, as in any run
// that encodes more than a page. bench/peers/tokenizer.py runs this beside tiktoken.
//
//     RLHF_TOKENIZER=<folder> RLHF_TEXTS=a.jsonl,b.txt bench_tokenizer
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "data/datasets.h"
#include "data/pre_tokenizer.h"
#include "data/tokenizer.h"

namespace rlhf {
namespace {

using Texts = std::vector<std::string>;

size_t bytes_of(const Texts& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

void encode(benchmark::State& state, const Tokenizer& tokenizer, const Texts& texts) {
  size_t tokens = 0;
  for (auto _ : state) {
    tokens = 0;
    for (const std::string& text : texts) tokens += tokenizer.encode(text).size();
    benchmark::DoNotOptimize(tokens);
  }
  state.SetBytesProcessed(int64_t(state.iterations() * bytes_of(texts)));
  state.counters["tokens"] = double(tokens);
}

void cut(benchmark::State& state, const Texts& texts) {
  for (auto _ : state) {
    size_t words = 0;
    for (const std::string& text : texts) {
      for_each_word(text, [&](std::string_view) { words++; });
    }
    benchmark::DoNotOptimize(words);
  }
  state.SetBytesProcessed(int64_t(state.iterations() * bytes_of(texts)));
}

void register_all() {
  const char* folder = std::getenv("RLHF_TOKENIZER");
  const char* files = std::getenv("RLHF_TEXTS");
  if (folder == nullptr || files == nullptr) return;
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(folder);
  std::istringstream names(files);
  for (std::string file; std::getline(names, file, ',');) {
    const auto texts = std::make_shared<Texts>(read_language_modelling(file));
    const std::string name = std::filesystem::path(file).stem().string();
    benchmark::RegisterBenchmark(("encode/" + name).c_str(), [=](benchmark::State& state) {
      encode(state, *tokenizer, *texts);
    });
    benchmark::RegisterBenchmark(("cut/" + name).c_str(),
                                 [=](benchmark::State& state) { cut(state, *texts); });
  }
}

}  // namespace
}  // namespace rlhf

int main(int count, char** arguments) {
  rlhf::register_all();
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
