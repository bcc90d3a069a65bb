// trainer_state.json: numbers, lists of numbers, and the words for those that JSON lacks.
#include "rl/run/state_archive.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(trainer_state) {
  using namespace rlhf;
  const auto numbers = fuzz::accepted([&] { return parse_state_numbers(bytes, "state"); });
  if (!numbers) return;
  for (const auto& [name, value] : *numbers) {
    fuzz::expect(value.is_number() || value.is_string() || value.is_array(), "all are numbers");
  }
  const nlohmann::json written(*numbers);
  fuzz::expect(numbers->empty() || parse_state_numbers(written.dump(), "again") == *numbers,
               "numbers survive being written");
}
