// --tokenizer and the data behind it: "char", "bpe", or a folder that holds one.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "data/tokenizer.h"

namespace rlhf {

/// "char": one token a character of the documents; "bpe": byte pairs learnt from them; anything
/// else names a folder. @throws InputError when the folder holds no tokenizer.
std::unique_ptr<Tokenizer> make_tokenizer(const std::string& flag,
                                          std::span<const std::string> documents,
                                          int64_t vocab_size);

/// All documents of a file as one stream, each closed by the end token. A .txt file is a stretch of
/// text and no document: nothing closes it.
std::vector<int32_t> encode_stream(const Tokenizer& tokenizer,
                                   std::span<const std::string> documents, const std::string& file);

}  // namespace rlhf
