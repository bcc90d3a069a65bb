// Digests of what a run reads: a resumed run must find the same models and the same data, or it
// would go on with something else without a word.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "core/sha256.h"
#include "data/token_stream.h"
#include "nn/module.h"
#include "nn/token_batch.h"
#include "rl/language_model.h"

namespace rlhf {

class Digest {
 public:
  Digest& add(std::string_view text) { return number(int64_t(text.size())).bytes(text); }
  Digest& add(std::span<const int32_t> ids) {
    return number(int64_t(ids.size())).bytes({as_chars(ids.data()), ids.size_bytes()});
  }
  /// The same as the ids in one list would give, wherever they lie.
  Digest& add_stream(const TokenStream& ids) {
    constexpr int64_t block = 1 << 16;
    number(ids.size());
    for (int64_t at = 0; at < ids.size(); at += block) {
      const Tokens part = ids.copy(at, std::min(block, ids.size() - at));
      bytes({as_chars(part.data()), part.size() * sizeof part[0]});
    }
    return *this;
  }
  Digest& add(std::span<const Tokens> lists) {
    number(int64_t(lists.size()));
    for (const Tokens& list : lists) add(std::span<const int32_t>(list));
    return *this;
  }
  Digest& add(std::span<const Example> examples) {
    number(int64_t(examples.size()));
    for (const Example& example : examples) {
      add(std::span<const int32_t>(example.tokens));
      bytes({example.learn.data(), example.learn.size()});
    }
    return *this;
  }
  Digest& add(std::span<const double> values) {
    return number(int64_t(values.size())).bytes({as_chars(values.data()), values.size_bytes()});
  }
  template <class Module>
  Digest& add_parameters(Module& model) {
    for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
      add(name);
      dispatch(tensor.dtype(), [&](auto t) {
        const auto values = tensor.to_vector<decltype(t)>();
        bytes({as_chars(values.data()), values.size() * sizeof t});
      });
    });
    return *this;
  }
  /// Call it once, last.
  std::string text() { return hash_.digest(); }

 private:
  static const char* as_chars(const void* data) { return static_cast<const char*>(data); }
  Digest& bytes(std::string_view data) {
    hash_.add(data);
    return *this;
  }
  // Sizes stand before contents, so that two lists never run into one another.
  Digest& number(int64_t value) { return bytes({as_chars(&value), sizeof value}); }

  Sha256 hash_;
};

}  // namespace rlhf
