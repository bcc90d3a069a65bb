// hierarchical.json of a policy of two levels.
#include "rl/hierarchy.h"

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(hierarchy) {
  using namespace rlhf;
  const auto hierarchy =
      fuzz::accepted([&] { return parse_hierarchy(bytes, "hierarchical.json"); });
  if (!hierarchy) return;
  fuzz::expect(hierarchy->subtasks.size() >= 2, "there is something to choose from");
  const auto [segments, segment_length] = hierarchy->shape;
  fuzz::expect(segments >= 1 && segment_length >= 1, "a response may have a token");
  fuzz::expect(parse_hierarchy(hierarchy_text(*hierarchy), "again") == *hierarchy,
               "a hierarchy survives being written");
}
