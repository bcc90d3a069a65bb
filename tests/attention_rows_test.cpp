// A query's result has the same bits however it is computed: within a training batch, alone against
// a cache, in a document of its own or in one packed behind others. Generation and training, packed
// and unpacked runs rest on this.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/attention.h"
#include "kernels/kv_cache.h"

namespace rlhf {
namespace {

constexpr int64_t kHeads = 3;

template <class T>
std::vector<T> normal(int64_t count, uint32_t site) {
  std::vector<T> values;
  for (int64_t i = 0; i < count; i++) {
    const PhiloxWords w = random_words(7, RandomStream::init, site, 0, uint64_t(i));
    values.push_back(T(unit_normal(w[0], w[1])));
  }
  return values;
}

/// Causal self-attention over packed (T, 3C) tokens, one row; `begin` null: one document.
template <class T>
std::vector<T> train(const std::vector<T>& qkv, int64_t tokens, int64_t D,
                     const int32_t* begin = nullptr) {
  const int64_t C = kHeads * D;
  std::vector<T> out(size_t(tokens * C));
  std::vector<Accumulator<T>> lse(size_t(kHeads * tokens));
  AttentionForward<T> c{};
  c.layout = {.B = 1,
              .Tq = tokens,
              .Tk = tokens,
              .H = kHeads,
              .D = D,
              .q_token = 3 * C,
              .q_batch = 0,
              .kv_token = 3 * C,
              .kv_batch = 0,
              .begin = begin};
  c.out = out.data();
  c.lse = lse.data();
  c.q = qkv.data();
  c.k = qkv.data() + C;
  c.v = qkv.data() + 2 * C;
  c.scale = 0.2f;
  run(Cpu{}, c, {});
  return out;
}

template <class T>
void expect_bits(const T* x, const T* y, int64_t count, const std::string& what) {
  EXPECT_EQ(0, std::memcmp(x, y, size_t(count) * sizeof(T))) << what;
}

template <class T>
class AttentionRows : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(AttentionRows, Elements);

TYPED_TEST(AttentionRows, DecodingEqualsTraining) {
  using T = TypeParam;
  constexpr int64_t tokens = 150, capacity = 160;
  for (const int64_t D : {5, 16, 32, 72}) {
    const int64_t C = kHeads * D;
    const std::vector<T> qkv = normal<T>(tokens * 3 * C, 1);
    const std::vector<T> whole = train(qkv, tokens, D);
    // The cache starts full of NaN: a decoder must not read past what was appended.
    std::vector<T> keys(size_t(capacity * C), T(NAN)), values = keys, out(static_cast<size_t>(C));
    std::vector<Accumulator<T>> lse(kHeads);
    for (int32_t t = 0; t < tokens; t++) {
      const int32_t end = t + 1;
      const T* token = qkv.data() + t * 3 * C;
      run(Cpu{},
          KvCacheAppend<T>{.keys = keys.data(),
                           .values = values.data(),
                           .qkv = token,
                           .length = &t,
                           .B = 1,
                           .T_new = 1,
                           .C = C,
                           .capacity = capacity},
          {});
      AttentionForward<T> c{};
      c.layout = {.B = 1,
                  .Tq = 1,
                  .Tk = capacity,
                  .H = kHeads,
                  .D = D,
                  .q_token = C,
                  .q_batch = 0,
                  .kv_token = C,
                  .kv_batch = 0,
                  .end = &end};
      c.out = out.data();
      c.lse = lse.data();
      c.q = token;
      c.k = keys.data();
      c.v = values.data();
      c.scale = 0.2f;
      run(Cpu{}, c, {});
      expect_bits(out.data(), whole.data() + t * C, C, "token " + std::to_string(t));
    }
  }
}

TYPED_TEST(AttentionRows, PackedDocumentEqualsItsOwnRow) {
  using T = TypeParam;
  constexpr int64_t D = 32, C = kHeads * D, tokens = 170;
  const std::vector<T> qkv = normal<T>(tokens * 3 * C, 2);
  std::vector<int32_t> begin;
  const std::vector<int64_t> starts = {0, 3, 70, 71, tokens};  // also within and across blocks
  for (size_t d = 0; d + 1 < starts.size(); d++) {
    begin.resize(size_t(starts[d + 1]), int32_t(starts[d]));
  }
  const std::vector<T> packed = train(qkv, tokens, D, begin.data());
  for (size_t d = 0; d + 1 < starts.size(); d++) {
    const int64_t first = starts[d], length = starts[d + 1] - first;
    const std::vector<T> document(qkv.begin() + first * 3 * C,
                                  qkv.begin() + (first + length) * 3 * C);
    const std::vector<T> alone = train(document, length, D);
    expect_bits(alone.data(), packed.data() + first * C, length * C,
                "document " + std::to_string(d));
  }
}

TYPED_TEST(AttentionRows, LaterTokensDoNotTouchEarlierOnes) {
  using T = TypeParam;
  constexpr int64_t D = 16, C = kHeads * D;
  const std::vector<T> qkv = normal<T>(140 * 3 * C, 3);
  const std::vector<T> longest = train(qkv, 140, D);
  for (const int64_t tokens : {1, 2, 15, 63, 64, 65, 139}) {
    const std::vector<T> shorter = train(qkv, tokens, D);
    expect_bits(shorter.data(), longest.data(), tokens * C, std::to_string(tokens) + " tokens");
  }
}

}  // namespace
}  // namespace rlhf
