// Scrubbing any text: what is left has nothing more to scrub, and text stays text.
#include "core/unicode.h"
#include "serve/store/scrubber.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(scrub) {
  using namespace rlhf;
  using namespace rlhf::store;
  const auto files = fuzz::files_in(bytes, 2);
  const std::string_view text = files[0].value_or("");
  std::vector<std::string> names{"Anna", "王小明"};
  if (files[1]) names.emplace_back(*files[1]);
  const auto scrubber = fuzz::accepted([&] { return Scrubber(names); });
  if (!scrubber) return;
  size_t end = 0;
  for (const Finding& finding : scrubber->find(text)) {
    fuzz::expect(finding.begin >= end && finding.length > 0, "findings follow each other");
    end = finding.begin + finding.length;
  }
  fuzz::expect(end <= text.size(), "findings lie within the text");
  const std::string scrubbed = scrubber->scrub(text);
  fuzz::expect(scrubber->find(scrubbed).empty(), "nothing is left to scrub");
  fuzz::expect(find_invalid_utf8(text) || !find_invalid_utf8(scrubbed), "text stays text");
}
