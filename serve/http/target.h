// What a request asks for: the path cut into pieces and the query, percent-decoded once. %2F stays
// inside its piece, so that one piece can name a folder's path; whatever could make two readers see
// two different paths is refused.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::http {

inline constexpr size_t most_query_names = 64;

struct Target {
  std::string path;                 // decoded, for messages and the log; slashes in pieces as %2F
  std::vector<std::string> pieces;  // of "/a/b": "a", "b"; of "/": none
  std::map<std::string, std::string> query;
};

/// Reads "/path?query" as sent.
/// @throws InputError for another form, bad escapes, controls, invalid UTF-8, backslashes, "." and
/// ".." (also behind an encoded slash), names twice in a query or more than `most_query_names`.
Target parse_target(std::string_view text);

}  // namespace rlhf::http
