// Files that are no safetensors, or not quite: each is refused, from the disk and from bytes in
// memory alike, with words that name the problem.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/safetensors.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

std::string little_endian(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; i++) bytes.push_back(char(value >> (8 * i)));
  return bytes;
}

std::string with_header(const std::string& header, size_t data_bytes = 0) {
  return little_endian(header.size()) + header + std::string(data_bytes, '\1');
}

/// A file of one tensor "a" with the given fields, and 8 bytes of data.
std::string with_tensor(const std::string& fields) {
  return with_header("{\"a\":{" + fields + "}}", 8);
}

struct Malformed {
  std::string name;
  std::string bytes;
  std::string message;  ///< what the error must say
};

const std::string f32 = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";

std::string shaped(const std::string& shape) {
  return with_tensor(R"("dtype":"F32","data_offsets":[0,8],"shape":)" + shape);
}
std::string placed(const std::string& offsets) {
  return with_tensor(R"("dtype":"F32","shape":[2],"data_offsets":)" + offsets);
}
std::string typed(const std::string& dtype) {
  return with_tensor(R"("shape":[2],"data_offsets":[0,8],"dtype":)" + dtype);
}
std::string two(const std::string& first, const std::string& second, size_t bytes) {
  return with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
                         R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}",
                     bytes);
}

std::vector<Malformed> frames() {
  return {
      {"empty file", "", "expected at least 8 bytes, got 0"},
      {"three bytes", "\1\2\3", "expected at least 8 bytes, got 3"},
      {"seven bytes", std::string(7, '\0'), "expected at least 8 bytes, got 7"},
      {"header above the format's limit", little_endian(100'000'001) + "{}",
       "a header of at most 100000000 bytes, got one of 100000001"},
      {"header length of all ones", little_endian(UINT64_MAX) + "{}",
       "a header of at most 100000000 bytes, got one of 18446744073709551615"},
      {"header length that wraps with the frame", little_endian(UINT64_MAX - 7) + "{}",
       "a header of at most 100000000 bytes, got one of 18446744073709551608"},
      {"big-endian header length", std::string("\0\0\0\0\0\0\0\2{}", 10),
       "a header of at most 100000000 bytes"},
      {"header beyond the file", little_endian(3) + "{}",
       "header within the file's 10 bytes, got one of 3"},
      {"header at the limit, file shorter", little_endian(100'000'000) + "{}",
       "header within the file's 10 bytes, got one of 100000000"},
      {"no header", with_header(""), "header that begins with {"},
      {"padding before the header", with_header(" {}"), "header that begins with {"},
      {"byte order mark", with_header("\xef\xbb\xbf{}"), "header that begins with {"},
      {"header is a list", with_header("[]"), "header that begins with {"},
      {"a zip archive", "PK\3\4" + std::string(60, '\0'), "a header"},
      {"one byte too many", with_header("{}", 1), "expected 0 bytes of tensors, got 1 in the file"},
  };
}

std::vector<Malformed> texts() {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  return {
      {"cut JSON", with_header("{\"a"), "expected JSON"},
      {"two values", with_header("{}{}"), "expected JSON"},
      {"comma at the end", with_header("{\"a\":{" + f32 + "},}", 8), "expected JSON"},
      {"comment", with_header("{/* */}"), "expected JSON"},
      {"single quotes", with_header("{'a':{}}"), "expected JSON"},
      {"NUL after the value", with_header(std::string("{}\0{", 4)), "got the byte 0x00"},
      {"padding of NULs", with_header(std::string("{}\0\0\0\0\0\0", 8)), "got the byte 0x00"},
      {"not UTF-8", with_header("{\"\xff\":1}"), "expected UTF-8, got the byte 0xFF"},
      {"overlong UTF-8", with_header("{\"\xc0\xaf\":1}"), "expected UTF-8, got the byte 0xC0"},
      {"lone surrogate", with_header("{\"\\ud800\":1}"), "expected JSON"},
      {"a tensor twice", with_header("{\"a\":{" + f32 + "},\"a\":{" + f32 + "}}", 8),
       "\"a\" twice"},
      {"a tensor twice, once escaped",
       with_header("{\"a\":{" + f32 + "},\"\\u0061\":{" + f32 + "}}", 8), "\"a\" twice"},
      {"a field twice", with_tensor(f32 + ",\"dtype\":\"F32\""), "\"dtype\" twice"},
      {"metadata twice", with_header("{\"__metadata__\":{},\"__metadata__\":{}}"),
       "\"__metadata__\" twice"},
      {"deep lists", with_tensor("\"dtype\":" + deep), "at most 32 nested lists and objects"},
      {"metadata is a list", with_header("{\"__metadata__\":[]}"),
       "__metadata__ to be an object, got a list"},
      {"metadata is null", with_header("{\"__metadata__\":null}"),
       "__metadata__ to be an object, got null"},
      {"metadata holds a number", with_header("{\"__metadata__\":{\"x\":1}}"),
       "\"x\" to be a string, got a number"},
      {"metadata holds an object", with_header("{\"__metadata__\":{\"x\":{}}}"),
       "\"x\" to be a string, got an object"},
  };
}

std::vector<Malformed> names_and_fields() {
  return {
      {"empty name", with_header("{\"\":{" + f32 + "}}", 8), "names of 1 to 512 bytes, got 0"},
      {"long name", with_header("{\"" + std::string(513, 'x') + "\":{" + f32 + "}}", 8),
       "names of 1 to 512 bytes, got 513"},
      {"control character", with_header("{\"a\\u0001\":{" + f32 + "}}", 8),
       "names without control characters"},
      {"line break in a name", with_header("{\"a\\nrlhf: all is well\":{" + f32 + "}}", 8),
       "names without control characters"},
      {"DEL in a name", with_header("{\"a\x7f\":{" + f32 + "}}", 8),
       "names without control characters"},
      {"tensor is a number", with_header("{\"a\":3}"),
       "tensor \"a\" to be an object, got a number"},
      {"tensor is null", with_header("{\"a\":null}"), "tensor \"a\" to be an object, got null"},
      {"unknown field", with_tensor(f32 + ",\"stride\":[1]"), "of tensor \"a\", got \"stride\""},
      {"escape sequence in a field", with_tensor(f32 + ",\"\\u001b[2J\":1"), "got \"\\u001B[2J\""},
      {"no dtype", with_tensor(R"("shape":[2],"data_offsets":[0,8])"),
       "tensor \"a\" to have a dtype"},
      {"no shape", with_tensor(R"("dtype":"F32","data_offsets":[0,8])"),
       "tensor \"a\" to have a shape"},
      {"no offsets", with_tensor(R"("dtype":"F32","shape":[2])"),
       "tensor \"a\" to have a data_offsets"},
      {"dtype is a number", typed("7"), "a dtype of tensor \"a\", got a number"},
      {"dtype of eight bits", typed("\"F8_E4M3\""), "or an integer type, got F8_E4M3"},
      {"dtype in lower case", typed("\"f32\""), "or an integer type, got f32"},
      {"empty dtype", typed("\"\""), "or an integer type, got"},
      {"complex dtype", typed("\"C64\""), "or an integer type, got C64"},
  };
}

std::vector<Malformed> shapes() {
  return {
      {"shape is a number", shaped("2"), "at most 4 extents for tensor \"a\", got a number"},
      {"shape is null", shaped("null"), "at most 4 extents for tensor \"a\", got null"},
      {"five extents", shaped("[1,1,1,1,2]"), "at most 4 extents for tensor \"a\", got 5"},
      {"negative extent", shaped("[-2]"), "whole numbers >= 0 in tensor \"a\", got -2"},
      {"negative zero", shaped("[-0]"), "whole numbers >= 0 in tensor \"a\", got 0"},
      {"fractional extent", shaped("[2.0]"), "whole numbers >= 0 in tensor \"a\", got 2.0"},
      {"extent in exponent form", shaped("[2e0]"), "whole numbers >= 0 in tensor \"a\", got 2.0"},
      {"extent is a string", shaped("[\"2\"]"), "whole numbers >= 0 in tensor \"a\", got \"2\""},
      {"extent is a list", shaped("[[2]]"), "whole numbers >= 0 in tensor \"a\", got a list"},
      {"extent is true", shaped("[true]"), "whole numbers >= 0 in tensor \"a\", got true"},
      {"extent of 2^63", shaped("[9223372036854775808]"),
       "whole numbers >= 0 in tensor \"a\", got 9223372036854775808"},
      {"extent beyond 64 bits", shaped("[99999999999999999999]"), "an integer of at most 64 bits"},
      {"product of extents wraps", shaped("[4611686018427387904,4]"),
       "tensor \"a\" of less than 2^64 bytes"},
      {"product wraps to a small number", shaped("[4294967296,4294967296]"),
       "tensor \"a\" of less than 2^64 bytes"},
      {"product with the element wraps", shaped("[4611686018427387905]"),
       "tensor \"a\" of less than 2^64 bytes"},
      {"product wraps before a zero", shaped("[4611686018427387904,4,0]"),
       "tensor \"a\" of less than 2^64 bytes"},
      {"an exabyte in eight bytes", shaped("[1152921504606846975]"),
       "expected 4611686018427387900 bytes for tensor \"a\", got data_offsets [0, 8]"},
      {"one element too many", shaped("[3]"),
       "expected 12 bytes for tensor \"a\", got data_offsets [0, 8]"},
      {"one element too few", shaped("[]"),
       "expected 4 bytes for tensor \"a\", got data_offsets [0, 8]"},
  };
}

std::vector<Malformed> places() {
  return {
      {"one offset", placed("[0]"), "two data_offsets of tensor \"a\", got 1"},
      {"three offsets", placed("[0,4,8]"), "two data_offsets of tensor \"a\", got 3"},
      {"offsets are an object", placed("{}"), "two data_offsets of tensor \"a\", got an object"},
      {"end before begin", placed("[8,0]"), "8 bytes for tensor \"a\", got data_offsets [8, 0]"},
      {"end beyond the file", placed("[8,16]"),
       "within the file's 8 bytes of data, got an end at 16"},
      {"negative offset", placed("[-8,0]"), "whole numbers >= 0 in tensor \"a\", got -8"},
      {"offsets near 2^63", placed("[9223372036854775799,9223372036854775807]"),
       "within the file's 8 bytes of data, got an end at 9223372036854775807"},
      {"a gap", two("[0,4]", "[8,12]", 12), "tensor \"b\" to begin at byte 4, got 8"},
      {"a gap at the start", two("[4,8]", "[8,12]", 12), "tensor \"a\" to begin at byte 0, got 4"},
      {"an overlap", two("[0,4]", "[2,6]", 6), "tensor \"b\" to begin at byte 4, got 2"},
      {"two on the same bytes", two("[0,4]", "[0,4]", 4), "to begin at byte 4, got 0"},
      {"bytes behind the last", two("[0,4]", "[4,8]", 9),
       "expected 8 bytes of tensors, got 9 in the file"},
      {"a byte short", two("[0,4]", "[4,8]", 7),
       "within the file's 7 bytes of data, got an end at 8"},
      {"an empty tensor away from the others",
       with_header(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})", 4),
       "tensor \"a\" to begin at byte 0, got 4"},
  };
}

std::vector<Malformed> malformed_files() {
  std::vector<Malformed> all;
  for (const auto& part : {frames(), texts(), names_and_fields(), shapes(), places()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// The same steps as the reader's, without a file.
void parse_in_memory(const std::string& bytes) {
  const uint64_t length =
      safetensors_header_length(std::string_view(bytes).substr(0, 8), bytes.size(), "memory");
  parse_safetensors_header(std::string_view(bytes).substr(8, length), bytes.size(), "memory");
}

void expect_message(const std::string& text, const Malformed& file, const std::string& source) {
  if (text.empty()) {
    ADD_FAILURE() << "accepted: " << file.name;
    return;
  }
  EXPECT_EQ(text.rfind("[" + source, 0), 0u) << file.name << ": " << text;
  EXPECT_NE(text.find(file.message), std::string::npos)
      << file.name << ": " << text << "\nlacks " << file.message;
  EXPECT_EQ(text.find('\n'), std::string::npos) << file.name;
  EXPECT_LT(text.size(), 1000u) << file.name;
}

TEST(MalformedSafetensors, AreManyAndNamedOnce) {
  std::set<std::string> names;
  for (const Malformed& file : malformed_files()) names.insert(file.name);
  EXPECT_EQ(names.size(), malformed_files().size());
  EXPECT_GE(names.size(), 60u);
}

TEST(MalformedSafetensors, AreRefusedInMemory) {
  for (const Malformed& file : malformed_files()) {
    expect_message(message_of<InputError>([&] { parse_in_memory(file.bytes); }), file, "memory");
  }
}

TEST(MalformedSafetensors, AreRefusedOnTheDisk) {
  const TemporaryFolder root;
  const fs::path path = root / "model.safetensors";
  for (const Malformed& file : malformed_files()) {
    std::ofstream(path, std::ios::binary) << file.bytes;
    expect_message(message_of<InputError>([&] { read_safetensors(path); }), file, path.string());
  }
}

}  // namespace
}  // namespace rlhf
