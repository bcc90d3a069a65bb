#include "serve/http/target.h"

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

std::string decoded(std::string_view text, std::string_view what, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c <= 0x20 || c >= 0x7f || c == '#') {
      input_error(what, "expected other characters as %XX, got {}", quote(text));
    }
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        input_error(what, "expected two hexadecimal digits after %, got {}", quote(text));
      }
      out += char(high * 16 + low);
      i += 2;
    } else {
      out += c == '+' && plus_is_space ? ' ' : char(c);
    }
  }
  if (std::any_of(out.begin(), out.end(), [](unsigned char c) { return is_control(c); })) {
    input_error(what, "expected no control characters, got {}", quote(text));
  }
  if (find_invalid_utf8(out)) input_error(what, "expected UTF-8, got {}", quote(text));
  return out;
}

// Encoded slashes count here: whoever joins the piece to a folder must stay below it.
void refuse_steps(std::string_view piece, std::string_view text) {
  for (size_t from = 0; from <= piece.size();) {
    const size_t end = std::min(piece.find('/', from), piece.size());
    const std::string_view step = piece.substr(from, end - from);
    if (step == "." || step == ".." || (step.empty() && piece.find('/') != piece.npos) ||
        step.find('\\') != step.npos) {
      input_error("path", "expected names between slashes, got {}", quote(text));
    }
    from = end + 1;
  }
}

std::string with_slashes_escaped(std::string_view piece) {
  std::string out;
  for (const char c : piece) {
    if (c == '/') {
      out += "%2F";
    } else {
      out += c;
    }
  }
  return out;
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find('&', from), text.size());
    const std::string_view pair = text.substr(from, end - from);
    from = end + 1;
    if (pair.empty()) continue;
    const size_t middle = std::min(pair.find('='), pair.size());
    std::string name = decoded(pair.substr(0, middle), "query", true);
    std::string value =
        middle < pair.size() ? decoded(pair.substr(middle + 1), "query", true) : std::string();
    if (name.empty()) input_error("query", "expected name=value, got {}", quote(pair));
    if (query.size() == most_query_names) {
      input_error("query", "expected at most {} names, got more", most_query_names);
    }
    const auto [at, is_new] = query.emplace(std::move(name), std::move(value));
    if (!is_new) input_error("query", "expected each name once, got {} twice", quote(at->first));
  }
  return query;
}

}  // namespace

Target parse_target(std::string_view text) {
  if (!text.starts_with('/')) {
    input_error("path", "expected one that begins with /, got {}", quote(text));
  }
  const size_t mark = std::min(text.find('?'), text.size());
  const std::string_view path = text.substr(0, mark);
  Target target;
  for (size_t from = 1; path.size() > 1 && from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    target.pieces.push_back(decoded(path.substr(from, end - from), "path", false));
    refuse_steps(target.pieces.back(), path);
    target.path += '/' + with_slashes_escaped(target.pieces.back());
    from = end + 1;
  }
  if (target.pieces.empty()) target.path = "/";
  if (mark < text.size()) target.query = parse_query(text.substr(mark + 1));
  return target;
}

}  // namespace rlhf::http
