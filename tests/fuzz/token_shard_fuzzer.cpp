// A token shard: what is accepted accounts for every byte and survives being written.
#include "data/token_shard.h"

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(token_shard) {
  using namespace rlhf;
  constexpr int64_t vocab_size = 70000;
  const auto layout = fuzz::accepted([&] { return parse_token_shard(bytes, "shard"); });
  const auto path = fuzz::file_with("shard.bin", bytes);
  const auto stream = fuzz::accepted([&] { return read_token_shard(path, vocab_size); });
  fuzz::expect(layout || !stream, "a file is accepted as its bytes are");
  if (layout) {
    fuzz::expect(
        layout->tokens > 0 &&
            layout->header_bytes + layout->tokens * layout->token_bytes == int64_t(bytes.size()),
        "every byte is accounted for");
  }
  if (!stream) return;
  const std::vector<int32_t> ids = stream->copy(0, stream->size());
  for (const int32_t id : ids) {
    fuzz::expect(id >= 0 && id < vocab_size, "ids are of the vocabulary");
  }
  write_token_shard(path, ids, vocab_size);
  const TokenStream again = read_token_shard(path, vocab_size);
  fuzz::expect(again.copy(0, again.size()) == ids, "ids survive being written");
}
