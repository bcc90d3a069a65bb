#include "serve/http/fields.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "core/unicode.h"
#include "serve/http/error.h"
#include "serve/http/headers.h"

namespace rlhf::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::string_view> field(const Fields& fields, std::string_view name) {
  std::optional<std::string_view> value;
  for (const Field& field : fields) {
    if (!same(field.name, name)) continue;
    if (value) input_error(name, "expected this header once, got it twice");
    value = trimmed(field.value);
  }
  return value;
}

Framing framing_of(const Fields& fields, std::string_view version) {
  for (const Field& field : fields) {
    if (!is_header_name(field.name) || !is_header_value(field.value)) {
      input_error("header", "expected a name of letters and a value without controls, got {}",
                  quote(field.name));
    }
  }
  const auto length = field(fields, "Content-Length");
  const auto coding = field(fields, "Transfer-Encoding");
  const auto expect = field(fields, "Expect");
  if (length && coding) {
    input_error("Content-Length", "expected no Transfer-Encoding beside it, got both");
  }
  if (expect && !same(*expect, "100-continue")) {
    throw HttpError(417, "[Expect] expected 100-continue, got " + quote(*expect));
  }
  Framing framing;
  if (coding) {
    if (version != "HTTP/1.1") {
      input_error("Transfer-Encoding", "expected none before HTTP/1.1, got {}", quote(*coding));
    }
    if (!same(*coding, "chunked")) {
      throw HttpError(501, "[Transfer-Encoding] expected chunked, got " + quote(*coding));
    }
    framing.chunked = true;
  } else if (length) {
    const bool digits =
        !length->empty() && length->size() <= 18 &&
        std::all_of(length->begin(), length->end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) input_error("Content-Length", "expected a number, got {}", quote(*length));
    std::from_chars(length->data(), length->data() + length->size(), framing.length);
  }
  return framing;
}

std::string content_type_of(const Fields& fields) {
  const auto coding = field(fields, "Content-Encoding");
  if (coding && !same(*coding, "identity")) {
    throw HttpError(415, "[Content-Encoding] expected a plain body, got " + quote(*coding));
  }
  const auto type = field(fields, "Content-Type");
  if (!type) return "";
  return lower(trimmed(type->substr(0, type->find(';'))));
}

}  // namespace rlhf::http
