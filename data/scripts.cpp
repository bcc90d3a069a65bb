#include "data/scripts.h"

#include <algorithm>
#include <iterator>

#include "core/unicode.h"

namespace rlhf {
namespace {

struct Block {
  int32_t first, last;
  std::string_view script;
};

// Ascending. Unicode 15, Blocks.txt, with neighbouring blocks of one script joined.
constexpr Block blocks[] = {
    {0x0000, 0x024F, "Latin"},    {0x0370, 0x03FF, "Greek"},      {0x0400, 0x052F, "Cyrillic"},
    {0x0530, 0x058F, "Armenian"}, {0x0590, 0x05FF, "Hebrew"},     {0x0600, 0x077F, "Arabic"},
    {0x08A0, 0x08FF, "Arabic"},   {0x0900, 0x097F, "Devanagari"}, {0x0980, 0x09FF, "Bengali"},
    {0x0A00, 0x0A7F, "Gurmukhi"}, {0x0A80, 0x0AFF, "Gujarati"},   {0x0B80, 0x0BFF, "Tamil"},
    {0x0C00, 0x0C7F, "Telugu"},   {0x0C80, 0x0CFF, "Kannada"},    {0x0D00, 0x0D7F, "Malayalam"},
    {0x0E00, 0x0E7F, "Thai"},     {0x10A0, 0x10FF, "Georgian"},   {0x1100, 0x11FF, "Hangul"},
    {0x1200, 0x139F, "Ethiopic"}, {0x1780, 0x17FF, "Khmer"},      {0x1E00, 0x1EFF, "Latin"},
    {0x1F00, 0x1FFF, "Greek"},    {0x3005, 0x3007, "Han"},        {0x3040, 0x30FF, "Kana"},
    {0x3130, 0x318F, "Hangul"},   {0x31F0, 0x31FF, "Kana"},       {0x3400, 0x4DBF, "Han"},
    {0x4E00, 0x9FFF, "Han"},      {0xAC00, 0xD7FF, "Hangul"},     {0xF900, 0xFAFF, "Han"},
    {0xFB1D, 0xFB4F, "Hebrew"},   {0xFB50, 0xFDFF, "Arabic"},     {0xFE70, 0xFEFF, "Arabic"},
    {0xFF21, 0xFF5A, "Latin"},    {0xFF66, 0xFF9F, "Kana"},       {0x20000, 0x3FFFF, "Han"},
};

}  // namespace

std::string_view script_of(int32_t code_point) {
  if (char_class(code_point) != CharClass::letter) return "";
  const auto block = std::lower_bound(
      std::begin(blocks), std::end(blocks), code_point,
      [](const Block& candidate, int32_t value) { return candidate.last < value; });
  return block != std::end(blocks) && code_point >= block->first ? block->script : "other";
}

std::map<std::string_view, int64_t> count_scripts(std::string_view text) {
  std::map<std::string_view, int64_t> counts;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (const std::string_view script = script_of(point.value); !script.empty()) counts[script]++;
    at += size_t(point.length);
  }
  return counts;
}

std::string_view main_script(const std::map<std::string_view, int64_t>& counts) {
  std::string_view best = "none";
  int64_t most = 0;
  for (const auto& [script, count] : counts) {
    if (count > most) best = script, most = count;
  }
  return best;
}

}  // namespace rlhf
