// Fuzz targets: a function of any bytes for each reader of bytes that we did not write ourselves.
// A target holds for every input: nothing crashes, what is refused is refused by an InputError of
// our form, and what is accepted keeps the laws that the target states. One file a target,
// tests/fuzz/<name>_fuzzer.cpp. libFuzzer runs them (tests/fuzz/run), and fuzz_seeds_test.cpp
// replays the seeds with any compiler.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"

namespace rlhf::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

/// The targets linked into this program.
std::vector<Target>& targets();

/// @throws std::logic_error, which no target catches, unless a law holds.
void expect(bool holds, std::string_view law);

/// @throws std::logic_error unless a message reads "[what] expected ..., got ..." and is one that
/// a person would read to its end.
void expect_message(std::string_view message);

/// How often a reader has accepted its input: a target none of whose seeds is ever accepted would
/// state laws of nothing.
int64_t& acceptances();

/// What an action returns, or none when it refuses its input by an InputError. Every other
/// exception passes, and ends the fuzzer.
template <class Action>
auto accepted(Action&& action) -> std::optional<decltype(action())> {
  try {
    std::optional<decltype(action())> result(action());
    acceptances()++;
    return result;
  } catch (const InputError& error) {
    expect_message(error.what());
    return std::nullopt;
  }
}

/// The same for actions that return nothing.
template <class Action>
bool accepts(Action&& action) {
  return accepted([&] {
           action();
           return true;
         })
      .has_value();
}

/// A file of that name in a folder of this process, with these bytes.
std::filesystem::path file_with(const std::string& name, std::string_view bytes);

/// Cuts the input at lines "====": readers of several files get one each. Those that the input
/// lacks are none.
std::vector<std::optional<std::string_view>> files_in(std::string_view bytes, size_t count);

/// Takes the first byte off, as a choice among `count`.
size_t choose(std::string_view& bytes, size_t count);

}  // namespace rlhf::fuzz

/// FUZZ_TARGET(json) { ... bytes ... } in json_fuzzer.cpp.
#define FUZZ_TARGET(name)                                    \
  static void fuzz_##name(std::string_view bytes);           \
  [[maybe_unused]] static const bool is_target_##name = [] { \
    rlhf::fuzz::targets().push_back({#name, fuzz_##name});   \
    return true;                                             \
  }();                                                       \
  static void fuzz_##name([[maybe_unused]] std::string_view bytes)
