// The door that libFuzzer knows, to the one target linked into the program.
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rlhf::fuzz::targets().front().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
