// Token shards: files that numpy wrote read and written to the byte, what every wrong file is told,
// and streams that lie in several pieces.
#include "data/token_shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "apps/pretrain_data.h"
#include "core/check.h"
#include "core/json.h"
#include "core/mapped_file.h"
#include "data/char_tokenizer.h"
#include "data/text_file.h"
#include "rl/digest.h"
#include "tests/files.h"
#include "tests/message_of.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using Ids = std::vector<int32_t>;

const fs::path golden = in_source("tests/data/token_shards");

Ids all(const TokenStream& stream) { return stream.copy(0, stream.size()); }

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A header and what follows it.
std::string shard(std::vector<int32_t> words, const std::string& body) {
  words.resize(256);
  return raw(words) + body;
}

std::string swapped(std::string words) {
  for (size_t i = 0; i + 3 < words.size(); i += 4) std::reverse(&words[i], &words[i] + 4);
  return words;
}

class TokenShard : public testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  /// What reading says, with the folder cut out.
  template <class Action>
  std::string said(Action&& action) const {
    return without(message_of<InputError>(action), folder.path().string() + "/");
  }

  TemporaryFolder folder;
};

TEST_F(TokenShard, FilesOfNumpyAreReadAndWrittenAlike) {
  const auto expected = parse_json(read_text(golden / "expected.json"), "expected.json");
  for (const auto& [name, ids] : expected.items()) {
    const fs::path source = golden / (name + ".bin");
    const int64_t vocab_size = name == "llama3" ? 128256 : 50257;
    EXPECT_EQ(all(read_token_shard(source, vocab_size)), ids.get<Ids>()) << name;
    if (name == "nanogpt") continue;
    write_token_shard(folder / "again.bin", ids.get<Ids>(), vocab_size);
    EXPECT_EQ(content_of(folder / "again.bin"), content_of(source)) << name;
  }
}

TEST_F(TokenShard, IsWrittenWithTheWidthThatTheVocabularyNeeds) {
  write_token_shard(folder / "narrow.bin", Ids{65535, 0}, 65536);
  write_token_shard(folder / "wide.bin", Ids{65535, 0}, 65537);
  EXPECT_EQ(fs::file_size(folder / "narrow.bin"), 1024u + 4);
  EXPECT_EQ(fs::file_size(folder / "wide.bin"), 1024u + 8);
  EXPECT_EQ(all(read_token_shard(folder / "narrow.bin", 65536)), (Ids{65535, 0}));
  EXPECT_EQ(all(read_token_shard(folder / "wide.bin", 65536)), (Ids{65535, 0}));
}

TEST_F(TokenShard, IsNotWrittenWithIdsThatItCannotHold) {
  const fs::path out = folder / "out.bin";
  const auto said = [&](const Ids& ids) {
    return message_of<Error>([&] { write_token_shard(out, ids, 300); });
  };
  EXPECT_TRUE(said({}).ends_with("expected 1 to 2^31 - 1 tokens, got 0"));
  EXPECT_TRUE(said({1, 300}).ends_with("expected ids below 300, got 300"));
  EXPECT_TRUE(said({-1}).ends_with("expected ids below 300, got -1"));
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(TokenShard, WhateverIsWrongIsSaidInOneLine) {
  const std::string two = raw(std::vector<uint16_t>{1, 299}), wide = raw(Ids{1, 299});
  struct Case {
    std::string bytes, message;
  };
  const std::vector<Case> cases = {
      {"", "expected some content, got an empty file"},
      {"\1", "expected ids of two bytes each, got a file of 1 bytes"},
      {"\1\0\2\0\3"s, "expected ids of two bytes each, got a file of 5 bytes"},
      {raw(std::vector<uint16_t>{7, 300, 301}),
       "expected ids below 300, the tokenizer's size, got 300 as token 1"},
      {raw(Ids{20240520}), "expected a header of 1024 bytes, got a file of 4"},
      {shard({20240520, 1, 2}, "").substr(0, 1023),
       "expected a header of 1024 bytes, got a file of 1023"},
      {shard({20240801, 7, 2}, "").substr(0, 12),
       "expected a header of 1024 bytes, got a file of 12"},
      {shard({20240520, 0, 2}, two), "expected version 1 of a shard 20240520, got 0"},
      {shard({20240520, 2, 2}, two), "expected version 1 of a shard 20240520, got 2"},
      {shard({20240520, 7, 2}, wide), "expected version 1 of a shard 20240520, got 7"},
      {shard({20240801, 1, 2}, two), "expected version 7 of a shard 20240801, got 1"},
      {shard({20240520, -1, 2}, two), "expected version 1 of a shard 20240520, got -1"},
      {shard({20240520, 1, 0}, ""), "expected a header with a count from 1 to 2147483647, got 0"},
      {shard({20240520, 1, 0}, two), "expected a header with a count from 1 to 2147483647, got 0"},
      {shard({20240520, 1, -1}, two),
       "expected a header with a count from 1 to 2147483647, got -1"},
      {shard({20240801, 7, INT32_MIN}, wide),  // 2^31 to a reader of unsigned counts
       "expected a header with a count from 1 to 2147483647, got -2147483648"},
      {shard({20240520, 1, 3}, two),
       "expected 1030 bytes for the 3 tokens of its header, got 1028"},
      {shard({20240520, 1, INT32_MAX}, two),
       "expected 4294968318 bytes for the 2147483647 tokens of its header, got 1028"},
      {shard({20240801, 7, INT32_MAX}, wide),
       "expected 8589935612 bytes for the 2147483647 tokens of its header, got 1032"},
      {shard({20240520, 1, 1}, two),
       "expected 1026 bytes for the 1 tokens of its header, got 1028"},
      {shard({20240520, 1, 2}, two + "\n"),
       "expected 1028 bytes for the 2 tokens of its header, got 1029"},
      {shard({20240520, 1, 2}, wide),
       "expected 1028 bytes for the 2 tokens of its header, got 1032"},
      {shard({20240801, 7, 2}, two),
       "expected 1032 bytes for the 2 tokens of its header, got 1028"},
      {shard({20240801, 7, 2}, wide).substr(0, 1031),
       "expected 1032 bytes for the 2 tokens of its header, got 1031"},
      {swapped(shard({20240520, 1, 2}, "")) + two,
       "expected a little-endian shard, got a big-endian one"},
      {swapped(shard({20240801, 7, 2}, "")) + wide,
       "expected a little-endian shard, got a big-endian one"},
      {shard({20240326, 3, 1024}, two),  // llm.c's model
       "expected a shard 20240520 or 20240801, or ids alone; got a header that begins 20240326"},
      {shard({20240521, 1, 2}, two),
       "expected a shard 20240520 or 20240801, or ids alone; got a header that begins 20240521"},
      {shard({20240520, 1, 2}, raw(std::vector<uint16_t>{300, 1})),
       "expected ids below 300, the tokenizer's size, got 300 as token 0"},
      {shard({20240520, 1, 2}, raw(std::vector<uint16_t>{1, 65535})),
       "expected ids below 300, the tokenizer's size, got 65535 as token 1"},
      {shard({20240801, 7, 2}, raw(Ids{1, 300})),
       "expected ids below 300, the tokenizer's size, got 300 as token 1"},
      {shard({20240801, 7, 2}, raw(Ids{1, -1})),
       "expected ids below 300, the tokenizer's size, got 4294967295 as token 1"},
  };
  EXPECT_GE(cases.size(), 30u);
  for (const Case& wrong : cases) {
    const fs::path path = file("x.bin", wrong.bytes);
    EXPECT_EQ(said([&] { read_token_shard(path, 300); }), "[x.bin] " + wrong.message);
  }
  EXPECT_EQ(all(read_token_shard(file("x.bin", shard({20240520, 1, 2}, two)), 300)), (Ids{1, 299}));
}

TEST_F(TokenShard, WhatIsNoShardAtAllIsNamed) {
  fs::create_directory(folder / "folder.bin");
  file("text.txt", "ab");
  const auto read = [&](const char* name) {
    return said([&] { read_token_shard(folder / name, 300); });
  };
  EXPECT_EQ(read("none.bin"), "[none.bin] expected a file, found none");
  EXPECT_EQ(read("folder.bin"), "[folder.bin] expected a file, got a folder");
  EXPECT_EQ(read("text.txt"), "[text.txt] expected token shards named .bin, got \".txt\"");
  fs::create_symlink("/dev/zero", folder / "zero.bin");
  EXPECT_EQ(read("zero.bin"), "[zero.bin] expected a regular file, got a device, pipe or socket");
}

TEST_F(TokenShard, NamesStandForFilesPatternsAndFolders) {
  for (const char* name : {"c_train_01.bin", "c_train_00.bin", "c_val_00.bin", "val.bin",
                           "interval.bin", "evaluation.bin", "notes.txt"}) {
    file(name, "ab");
  }
  const auto names = [](const std::vector<fs::path>& files) {
    std::string names;
    for (const auto& f : files) names += f.filename().string() + " ";
    return names;
  };
  const auto found = [&](const std::string& name) {
    const TokenShardFiles files = find_token_shards(name);
    return names(files.train) + "| " + names(files.val);
  };
  EXPECT_EQ(found(folder.path()),
            "c_train_00.bin c_train_01.bin evaluation.bin interval.bin | c_val_00.bin val.bin ");
  EXPECT_EQ(found(folder / "c_train_*.bin"), "c_train_00.bin c_train_01.bin | ");
  EXPECT_EQ(found(folder / "c_*_00.bin"), "c_train_00.bin | c_val_00.bin ");
  EXPECT_EQ(found(folder / "c_train_0?.bin"), "c_train_00.bin c_train_01.bin | ");
  EXPECT_EQ(found(folder / "val.bin"), "val.bin | ") << "who names a file means it";
  EXPECT_EQ(said([&] { find_token_shards(folder / "x_*.bin"); }),
            "[x_*.bin] expected token shards (.bin), found none");
  EXPECT_EQ(said([&] { find_token_shards(folder / "x.bin"); }),
            "[x.bin] expected a file, found none");
  fs::create_directory(folder / "empty");
  EXPECT_EQ(said([&] { find_token_shards(folder / "empty"); }),
            "[empty] expected token shards (.bin), found none");
  EXPECT_TRUE(names_token_shards(folder / "c_train_*.bin"));
  EXPECT_TRUE(names_token_shards(folder.path()));
  EXPECT_FALSE(names_token_shards(folder / "notes.txt"));
}

TEST_F(TokenShard, StreamsOfSeveralPiecesAreOneSequence) {
  Ids ids(1000);
  std::iota(ids.begin(), ids.end(), 0);
  const std::span<const int32_t> span(ids);
  write_token_shard(folder / "a.bin", span.subspan(0, 300), 1000);
  write_token_shard(folder / "b.bin", span.subspan(300, 1), 70000);
  write_token_shard(folder / "c.bin", span.subspan(301), 1000);
  const TokenShardFiles files = find_token_shards(folder.path());
  const TokenStream stream = read_token_shards(files.train, 1000);
  ASSERT_EQ(stream.size(), 1000);
  for (const int64_t begin : {0, 1, 299, 300, 301, 302, 999, 1000}) {
    for (const int64_t end : {0, 1, 299, 300, 301, 302, 999, 1000}) {
      if (begin > end) continue;
      const Ids expected(ids.begin() + begin, ids.begin() + end);
      EXPECT_EQ(stream.copy(begin, end - begin), expected) << begin << " to " << end;
      EXPECT_EQ(all(stream.part(begin, end - begin)), expected) << begin << " to " << end;
      EXPECT_EQ(all(stream.part(begin, 1000 - begin).part(0, end - begin)), expected);
    }
  }
  EXPECT_EQ(Digest().add_stream(stream).text(), Digest().add(span).text());
}

TEST_F(TokenShard, PretrainingHoldsOutWhatIsNamedForIt) {
  const std::vector<std::string> documents = {"ab"};
  const CharTokenizer tokenizer = CharTokenizer::train(documents);
  write_token_shard(folder / "train.bin", Ids{0, 1, 0, 1, 0, 1, 0, 1, 0, 0}, 4);
  const std::string train = folder / "train.bin", text = file("text.txt", "abba");
  const auto streams = [&](const std::string& dataset, const std::string& eval, double fraction) {
    const PretrainData data({dataset, eval, "text", fraction});
    EXPECT_TRUE(data.has_shards());
    const auto [train, val] = data.streams(tokenizer, 4);
    EXPECT_EQ(data.validates(), !val.empty());
    return std::pair(all(train), all(val));
  };
  const auto whole = all(read_token_shard(train, 4));
  EXPECT_EQ(streams(train, "", 0), std::pair(whole, Ids{}));
  EXPECT_EQ(streams(train, "", 0.2), std::pair(Ids(whole.begin(), whole.end() - 2), Ids{0, 0}));
  EXPECT_EQ(streams(train, text, 0.2), std::pair(whole, Ids{0, 1, 1, 0}));
  EXPECT_EQ(streams(text, train, 0.2), std::pair(Ids{0, 1, 1, 0}, whole));
  write_token_shard(folder / "val.bin", Ids{1, 1, 1}, 4);
  EXPECT_EQ(streams(folder.path(), "", 0.2), std::pair(whole, Ids{1, 1, 1}));
  EXPECT_EQ(streams(folder.path(), text, 0.2), std::pair(whole, Ids{0, 1, 1, 0}));
  EXPECT_EQ(streams(train, folder / "val.bin", 0.2), std::pair(whole, Ids{1, 1, 1}));
  EXPECT_EQ(said([&] { streams(folder / "v*.bin", "", 0); }),
            "[v*.bin] expected token shards to train on, found only such for validation");
}

TEST_F(TokenShard, ALargeFileIsMapped) {
  // 8 GB of zeros that the disk does not hold: a sparse file. Its layout alone is read.
  const fs::path large = folder / "large.bin";
  { std::ofstream(large, std::ios::binary) << shard({20240801, 7, INT32_MAX}, ""); }
  std::error_code error;
  fs::resize_file(large, 1024 + 4 * uint64_t(INT32_MAX), error);
  if (error) GTEST_SKIP() << "no sparse files here: " << error.message();
  const MappedFile mapped(large);
  EXPECT_EQ(parse_token_shard(mapped.bytes(), "large.bin").tokens, INT32_MAX);
}

}  // namespace
}  // namespace rlhf
