#include "apps/number_list.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"

namespace rlhf {

std::vector<uint64_t> parse_numbers(const std::string& flag, const std::string& text,
                                    const std::string& expected) {
  std::vector<uint64_t> numbers;
  for (const std::string& word : split_words(text)) {
    uint64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, failure] = std::from_chars(word.data(), end, number);
    if (failure != std::errc() || stop != end) {
      input_error(flag, "expected {}, got \"{}\"", expected, text);
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace rlhf
