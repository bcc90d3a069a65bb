// Corpora as token ids in files, as llm.c and nanoGPT prepare them. A shard of llm.c is 256 int32
// of header, {20240520, 1, count} and uint16 ids, or {20240801, 7, count} and uint32 ids (karpathy/
// llm.c, dev/data/data_common.py); nanoGPT's train.bin is uint16 ids and nothing else (karpathy/
// nanoGPT, data/openwebtext/prepare.py). All of it is little endian. Ids mean nothing without the
// tokenizer that made them, which no such file names: whoever reads one must know it.
//
// Files are mapped, not loaded. Another program that truncates one in the meantime ends this one.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/token_stream.h"

namespace rlhf {

/// Where the ids of a shard lie and how wide they are.
struct TokenShardLayout {
  int64_t header_bytes = 0;
  int token_bytes = 2;
  int64_t tokens = 0;
};

/// The layout of a file whose bytes these are. @throws InputError "[source] ..." for what is
/// neither of the three: another version, a count that the file's size does not bear out, a header
/// of something else.
TokenShardLayout parse_token_shard(std::string_view file, std::string_view source);

/// Maps a shard and looks at each id once. @throws InputError naming the file, and the first id
/// that is not below `vocab_size`.
TokenStream read_token_shard(const std::filesystem::path& file, int64_t vocab_size);

/// Whether a --dataset_name means shards: a name or a pattern that ends in .bin, or a folder.
bool names_token_shards(const std::string& name);

/// The shards that a name stands for, in the order of their names: a file, a pattern with * and ?
/// in the names of files, or the .bin files of a folder. In a folder or a pattern, files whose name
/// has the word "val" (fineweb_val_000000.bin, val.bin) are for validation.
struct TokenShardFiles {
  std::vector<std::filesystem::path> train, val;
};

/// @throws InputError when there is none.
TokenShardFiles find_token_shards(const std::string& name);

/// Several shards, one behind the other. @throws InputError as read_token_shard does.
TokenStream read_token_shards(std::span<const std::filesystem::path> files, int64_t vocab_size);

/// Writes a shard of llm.c's: uint16 where `vocab_size` allows it, else uint32. The file appears
/// under its name only when it is complete.
/// @throws Error unless there are 1 to 2^31 - 1 ids, all of [0, vocab_size).
void write_token_shard(const std::filesystem::path& file, std::span<const int32_t> ids,
                       int64_t vocab_size);

}  // namespace rlhf
