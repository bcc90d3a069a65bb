#include "serve/store/scrubber.h"

#include <utf8proc.h>

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/unicode.h"
#include "serve/store/personal_numbers.h"

namespace rlhf::store {
namespace {

constexpr std::string_view placeholders[] = {"[EMAIL]", "[PHONE]", "[IBAN]",
                                             "[CARD]",  "[ID]",    "[NAME]"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_label(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }
bool is_local(char c) { return is_label(c) || c == '.' || c == '_' || c == '%' || c == '+'; }

/// Where a domain that begins at a byte ends, or none where there is none: labels with points
/// between, the last one of two letters or more.
std::optional<size_t> end_of_domain(std::string_view text, size_t at) {
  std::optional<size_t> end;
  for (int label = 0; at < text.size(); label++) {
    const size_t begin = at;
    bool letters = true;
    for (; at < text.size() && is_label(text[at]); at++) letters = letters && is_letter(text[at]);
    if (at == begin) break;
    if (label > 0 && letters && at - begin >= 2) end = at;
    if (at >= text.size() || text[at] != '.') break;
    at++;
  }
  return end;
}

/// The bytes of an address that begins here; 0 where none does.
size_t email_at(std::string_view text, size_t at) {
  if (!is_local(text[at]) || (at > 0 && is_local(text[at - 1]))) return 0;
  size_t sign = at;
  while (sign < text.size() && is_local(text[sign])) sign++;
  if (sign >= text.size() || text[sign] != '@') return 0;
  const auto end = end_of_domain(text, sign + 1);
  return end ? *end - at : 0;
}

int32_t folded(int32_t code_point) {
  return code_point == CodePoint::invalid ? code_point : utf8proc_tolower(code_point);
}

std::string folded_text(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    append_utf8(out, folded(point.value));
    at += size_t(point.length);
  }
  return out;
}

/// Whether a word goes on between two characters. Where writing knows no spaces (Chinese, Japanese,
/// Korean: from U+2E80 on), a name may stand anywhere.
bool joins(int32_t left, int32_t right) {
  const auto is_word = [](int32_t point) {
    if (point == CodePoint::invalid || point >= 0x2E80) return false;
    const CharClass kind = char_class(point);
    return kind == CharClass::letter || kind == CharClass::number;
  };
  return is_word(left) && is_word(right);
}

/// The character that ends before a byte.
int32_t code_point_before(std::string_view text, size_t at) {
  size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && (uint8_t(text[begin]) & 0xC0) == 0x80) begin--;
  return code_point_at(text, begin).value;
}

/// The bytes that a folded name covers here; 0 where it does not stand.
size_t name_at(std::string_view text, size_t at, std::string_view name) {
  const size_t begin = at;
  int32_t first = 0, last = 0;
  for (size_t i = 0; i < name.size();) {
    if (at >= text.size()) return 0;
    const CodePoint wanted = code_point_at(name, i), found = code_point_at(text, at);
    if (folded(found.value) != wanted.value) return 0;
    if (i == 0) first = found.value;
    last = found.value;
    i += size_t(wanted.length);
    at += size_t(found.length);
  }
  if (begin > 0 && joins(code_point_before(text, begin), first)) return 0;
  if (at < text.size() && joins(last, code_point_at(text, at).value)) return 0;
  return at - begin;
}

/// The bytes of a placeholder that stands here already; 0 without one.
size_t placeholder_at(std::string_view text, size_t at) {
  for (const std::string_view each : placeholders) {
    if (text.substr(at).starts_with(each)) return each.size();
  }
  return 0;
}

}  // namespace

std::string_view placeholder(Personal kind) { return placeholders[size_t(kind)]; }

Scrubber::Scrubber(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name.empty() || find_invalid_utf8(name) || name.find_first_of("[]") != std::string::npos) {
      input_error("names", "expected UTF-8 without brackets, got {}", quote(name));
    }
    names_.push_back(folded_text(name));
  }
  std::stable_sort(names_.begin(), names_.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::vector<Finding> Scrubber::find(std::string_view text) const {
  std::vector<Finding> found;
  // A finding ends what stands before it, as the placeholder in its place will: otherwise numbers
  // in a row would be found one a pass.
  size_t edge = 0;
  for (size_t at = 0; at < text.size();) {
    if (const size_t length = placeholder_at(text, at)) {
      at += length;
      continue;
    }
    const std::string_view rest = text.substr(edge);
    Finding finding{Personal::email, at, email_at(rest, at - edge)};
    if (finding.length == 0) {
      if (const auto number = personal_number_at(rest, at - edge)) {
        finding = {number->kind, at, number->length};
      }
    }
    for (size_t i = 0; i < names_.size() && finding.length == 0; i++) {
      finding = {Personal::name, at, name_at(rest, at - edge, names_[i])};
    }
    if (finding.length > 0) {
      found.push_back(finding);
      edge = at += finding.length;
    } else {
      at += size_t(code_point_at(text, at).length);
    }
  }
  return found;
}

std::string Scrubber::scrub(std::string_view text) const {
  std::string scrubbed(text);
  // What stood beside a finding may be one itself now that it stands alone. No finding contains a
  // bracket, so that each round leaves fewer bytes outside of placeholders.
  for (std::vector<Finding> found; !(found = find(scrubbed)).empty();) {
    std::string next;
    size_t at = 0;
    for (const Finding& finding : found) {
      next.append(scrubbed, at, finding.begin - at).append(placeholder(finding.kind));
      at = finding.begin + finding.length;
    }
    scrubbed = next.append(scrubbed, at);
  }
  return scrubbed;
}

}  // namespace rlhf::store
