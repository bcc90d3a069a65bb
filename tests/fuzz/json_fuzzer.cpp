// The door for JSON: what comes in goes out and comes in again as it was.
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

namespace {

int depth_of(const nlohmann::json& value) {
  int depth = 0;
  if (value.is_structured()) {
    for (const auto& element : value) depth = std::max(depth, depth_of(element));
    depth++;
  }
  return depth;
}

}  // namespace

FUZZ_TARGET(json) {
  using namespace rlhf;
  const bool is_syntax = is_json(bytes);
  const auto value = fuzz::accepted([&] { return parse_json(bytes, "text"); });
  if (!value) return;
  fuzz::expect(is_syntax, "what is accepted is JSON");
  fuzz::expect(depth_of(*value) <= max_json_depth, "depth is limited");
  fuzz::expect(parse_json(value->dump(), "again") == *value, "a value survives its text");
}
