#include <algorithm>
#include <cctype>

#include "serve/store/personal_numbers.h"

namespace rlhf::store {
namespace {

/// Of the IBAN registry: country and length.
constexpr std::string_view iban_lengths =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18"
    "FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21"
    "LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SD18SE24SI19SK24"
    "SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

int number_at(std::string_view digits, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; i++) value = 10 * value + (digits[i] - '0');
  return value;
}

}  // namespace

bool luhn_fits(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); i++) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    sum += i % 2 == 0 ? digit : 2 * digit - (digit > 4 ? 9 : 0);
  }
  return sum % 10 == 0;
}

bool iban_fits(std::string_view text) {
  if (text.size() < 4) return false;
  for (size_t i = 0; i < iban_lengths.size(); i += 4) {
    if (iban_lengths.substr(i, 2) != text.substr(0, 2)) continue;
    if (size_t(number_at(iban_lengths, i + 2, 2)) != text.size()) return false;
    int rest = 0;
    for (size_t k = 0; k < text.size(); k++) {
      const char c = text[(k + 4) % text.size()];  // the first four come last
      rest = c <= '9' ? (10 * rest + (c - '0')) % 97 : (100 * rest + (c - 'A' + 10)) % 97;
    }
    return rest == 1;
  }
  return false;
}

bool chinese_id_fits(std::string_view text) {
  constexpr int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr std::string_view checks = "10X98765432";
  if (text.size() != 18) return false;
  int sum = 0;
  for (size_t i = 0; i < 17; i++) sum += weights[i] * (text[i] - '0');
  const int year = number_at(text, 6, 4), month = number_at(text, 10, 2),
            day = number_at(text, 12, 2);
  return text[0] != '0' && year >= 1850 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 &&
         day <= 31 && checks[size_t(sum % 11)] == (text[17] == 'x' ? 'X' : text[17]);
}

}  // namespace rlhf::store
