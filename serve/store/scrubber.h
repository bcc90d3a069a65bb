// Takes personal data out of texts before they are stored: what has a form that can be recognised
// and checked, and names that somebody has listed. It is a sieve and no proof: names that are not
// listed, addresses and stories stay.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::store {

/// [EMAIL], [PHONE], [IBAN], [CARD] (13 to 19 digits, Luhn), [ID] (Chinese resident number with its
/// checksum, US social security number, ...), [NAME].
enum class Personal { email, phone, iban, card, id, name };

struct Finding {
  Personal kind;
  size_t begin, length;  ///< bytes of the text
};

class Scrubber {
 public:
  /// `names` are found as whole words, without case.
  /// @throws InputError for an empty name or one that is no UTF-8.
  explicit Scrubber(const std::vector<std::string>& names = {});

  /// What it finds, in the order of the text, none overlapping. Any bytes may come in.
  std::vector<Finding> find(std::string_view text) const;

  /// The text with each finding replaced by its placeholder. Scrubbing twice changes nothing more.
  std::string scrub(std::string_view text) const;

 private:
  std::vector<std::string> names_;  ///< folded, longest first
};

/// "[EMAIL]", ...
std::string_view placeholder(Personal kind);

}  // namespace rlhf::store
