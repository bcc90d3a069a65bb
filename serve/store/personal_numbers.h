// Numbers that belong to people, told apart from other numbers by their checksums and forms.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "serve/store/scrubber.h"

namespace rlhf::store {

struct NumberFound {
  Personal kind;
  size_t length;  ///< bytes from the asked place on
};

/// The number that begins at a byte of a text, the longest that fits; none where no number begins.
/// REQUIRES: at < text.size().
std::optional<NumberFound> personal_number_at(std::string_view text, size_t at);

/// ISO 7812's check digit of card numbers (Luhn). REQUIRES: digits only.
bool luhn_fits(std::string_view digits);

/// ISO 7064 MOD 97-10 of an account number without spaces, and its country's length.
bool iban_fits(std::string_view letters_and_digits);

/// GB 11643-1999: 17 digits and a check character, a date within.
bool chinese_id_fits(std::string_view characters);

}  // namespace rlhf::store
