// The door that libFuzzer knows, to the one target linked into the program.
#include <ctime>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer's own limit is one of the clock on the wall, which a busy machine breaks.
  const std::clock_t start = std::clock();
  rlhf::fuzz::targets().front().run({reinterpret_cast<const char*>(data), size});
  rlhf::fuzz::expect(std::clock() - start < CLOCKS_PER_SEC,
                     "an input takes less than a second of the processor");
  return 0;
}
