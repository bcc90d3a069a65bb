#include "serve/store/personal_numbers.h"

#include <algorithm>
#include <string>
#include <vector>

namespace rlhf::store {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_'; }

bool ends_word(std::string_view text, size_t end) {
  return end >= text.size() || !is_word(text[end]);
}

/// Digits in groups, as people write numbers: "+49 (0)30 123-456".
struct Groups {
  std::string digits;
  std::vector<size_t> sizes;  ///< digits of each
  std::vector<size_t> ends;   ///< where each ends in the text
  std::string separators;     ///< the first character behind each group but the last
  bool plus = false;
};

/// Groups from a place on, until there are more digits than any number has.
Groups groups_at(std::string_view text, size_t at) {
  constexpr size_t most_digits = 24;
  Groups groups;
  at += at < text.size() && text[at] == '(';
  groups.plus = at < text.size() && text[at] == '+';
  at += groups.plus;
  while (at < text.size() && is_digit(text[at])) {
    const size_t begin = at;
    while (at < text.size() && is_digit(text[at]) && groups.digits.size() <= most_digits) {
      groups.digits += text[at++];
    }
    if (groups.digits.size() > most_digits) break;
    groups.sizes.push_back(at - begin);
    groups.ends.push_back(at);
    const char separator = at < text.size() ? text[at] : '\0';
    if (std::string_view(" -./()").find(separator) == std::string_view::npos) break;
    groups.separators += separator;
    at++;
    const bool after_closing = separator == ')' || separator == ' ';
    if (after_closing && at < text.size() &&
        (text[at] == ' ' || text[at] == '(' || text[at] == '-')) {
      at++;
    }
  }
  return groups;
}

/// The first `count` groups alone.
Groups first_groups(const Groups& all, size_t count) {
  Groups groups = all;
  groups.sizes.resize(count);
  groups.ends.resize(count);
  size_t digits = 0;
  for (const size_t size : groups.sizes) digits += size;
  groups.digits.resize(digits);
  groups.separators.resize(count - 1);
  return groups;
}

using Sizes = std::vector<size_t>;

bool is_social_security(const Groups& groups) {
  if (groups.sizes != Sizes{3, 2, 4} || groups.separators != "--") return false;
  const std::string& d = groups.digits;
  return d.substr(0, 3) != "000" && d.substr(0, 3) != "666" && d[0] != '9' &&
         d.substr(3, 2) != "00" && d.substr(5) != "0000";
}

/// France's number of 13 digits with its key of two.
bool is_french_id(const Groups& groups) {
  const std::string& d = groups.digits;
  if (d.size() != 15 || (d[0] != '1' && d[0] != '2')) return false;
  const bool written = groups.sizes.size() == 1 || groups.sizes == Sizes{13, 2} ||
                       groups.sizes == Sizes{1, 2, 2, 2, 3, 3, 2};
  return written && std::stoll(d.substr(13)) == 97 - std::stoll(d.substr(0, 13)) % 97;
}

bool is_card(const Groups& groups) {
  const std::string& d = groups.digits;
  if (d.size() < 13 || d.size() > 19 || d[0] < '2' || d[0] > '6' || groups.plus) return false;
  const bool written = std::all_of(groups.sizes.begin(), groups.sizes.end() - 1,
                                   [](size_t size) { return size >= 4; });
  return written && luhn_fits(d);
}

/// International numbers; national ones that begin with a trunk 0; those of China's mobiles and of
/// North America, which do not. Others look like any other number.
bool is_phone(const Groups& groups) {
  const std::string& d = groups.digits;
  const Sizes& sizes = groups.sizes;
  if (groups.plus) return d.size() >= 8 && d.size() <= 15;
  if (d.starts_with("00")) return d.size() >= 10 && d.size() <= 17 && d[2] != '0' && sizes[0] > 2;
  if (d[0] == '0') return d.size() >= 9 && d.size() <= 12 && sizes[0] >= 2;
  if (d.size() == 11 && d[0] == '1' && d[1] >= '3' &&
      (sizes.size() == 1 || sizes == Sizes{3, 4, 4})) {
    return true;
  }
  const bool american = sizes == Sizes{3, 3, 4} && d[0] >= '2';
  return american || (sizes == Sizes{1, 3, 3, 4} && d[0] == '1' && d[1] >= '2');
}

std::optional<Personal> kind_of(const Groups& groups) {
  if (groups.sizes.size() == 1 && !groups.plus && chinese_id_fits(groups.digits)) {
    return Personal::id;
  }
  if (is_social_security(groups) || is_french_id(groups)) return Personal::id;
  if (is_card(groups)) return Personal::card;
  if (is_phone(groups)) return Personal::phone;
  return std::nullopt;
}

/// 17 digits and an X, or Spain's 8 digits and their letter.
std::optional<NumberFound> digits_with_letter(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && end - at < 18 && is_digit(text[end])) end++;
  if (end >= text.size() || !ends_word(text, end + 1)) return std::nullopt;
  const std::string_view all = text.substr(at, end + 1 - at);
  const char letter = text[end];
  if (end - at == 17 && (letter == 'X' || letter == 'x') && chinese_id_fits(all)) {
    return NumberFound{Personal::id, all.size()};
  }
  constexpr std::string_view spanish = "TRWAGMYFPDXBNJZSQVHLCKE";
  if (end - at == 8 && spanish[size_t(std::stol(std::string(all))) % 23] == letter) {
    return NumberFound{Personal::id, all.size()};
  }
  return std::nullopt;
}

/// Two letters, two digits and what a country adds, with a space anywhere between.
std::optional<NumberFound> iban_at(std::string_view text, size_t at) {
  std::string plain;
  for (size_t i = at; i < text.size() && plain.size() < 34; i++) {
    if (text[i] == ' ' && i + 1 < text.size() && text[i + 1] != ' ') continue;
    if (!is_digit(text[i]) && !is_upper(text[i])) break;
    plain += text[i];
    if (plain.size() == 4 && (!is_digit(plain[2]) || !is_digit(plain[3]))) break;
    if (plain.size() >= 15 && ends_word(text, i + 1) && iban_fits(plain)) {
      return NumberFound{Personal::iban, i + 1 - at};
    }
  }
  return std::nullopt;
}

/// Britain's national insurance number: two letters, six digits, a letter of A to D.
std::optional<NumberFound> british_id_at(std::string_view text, size_t at) {
  std::string plain;
  size_t end = at;
  for (; end < text.size() && plain.size() < 9; end++) {
    if (text[end] != ' ') plain += text[end];
  }
  if (plain.size() < 9 || !ends_word(text, end)) return std::nullopt;
  const bool digits = std::all_of(plain.begin() + 2, plain.begin() + 8, is_digit);
  const bool letters = is_upper(plain[0]) && is_upper(plain[1]) &&
                       std::string_view("DFIQUV").find(plain[0]) == std::string_view::npos &&
                       std::string_view("DFIOQUV").find(plain[1]) == std::string_view::npos;
  if (!digits || !letters || plain[8] < 'A' || plain[8] > 'D') return std::nullopt;
  return NumberFound{Personal::id, end - at};
}

}  // namespace

std::optional<NumberFound> personal_number_at(std::string_view text, size_t at) {
  if (at > 0 && is_word(text[at - 1])) return std::nullopt;
  if (is_upper(text[at])) {
    if (const auto iban = iban_at(text, at)) return iban;
    return british_id_at(text, at);
  }
  const Groups all = groups_at(text, at);
  for (size_t count = all.sizes.size(); count > 0; count--) {
    const Groups groups = first_groups(all, count);
    if (!ends_word(text, groups.ends.back())) continue;
    if (const auto kind = kind_of(groups)) return NumberFound{*kind, groups.ends.back() - at};
  }
  return digits_with_letter(text, at);
}

}  // namespace rlhf::store
