// The head of an HTTP request: whatever it is, it is refused by an error of ours or is one that no
// second reader could understand differently.
#include <algorithm>

#include "core/unicode.h"
#include "serve/http/access_log.h"
#include "serve/http/error.h"
#include "serve/http/front.h"
#include "serve/http/raw_head.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

const http::Front& front() {
  static const http::Front* made = [] {
    const http::Handler none = [](const http::Request&, const http::Reply&) {};
    http::Router router;
    router.add(http::Method::get, "/", http::UserRole::nobody, none);
    router.add(http::Method::get, "/api/prompts", http::UserRole::nobody, none);
    router.add(http::Method::get, "/api/runs/{id}/metrics", http::UserRole::nobody, none);
    for (const auto method : {http::Method::post, http::Method::put, http::Method::del}) {
      router.add(method, "/api/votes", http::UserRole::annotator, none);
    }
    return new http::Front({}, std::move(router), nullptr);
  }();
  return *made;
}

/// The bytes up to a mark; they and the mark are taken off.
std::string_view take(std::string_view& bytes, std::string_view mark) {
  const size_t end = std::min(bytes.find(mark), bytes.size());
  const std::string_view taken = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + mark.size(), bytes.size()));
  return taken;
}

http::Head head_of(std::string_view bytes) {
  std::string_view first = take(bytes, "\r\n");
  http::Head head;
  head.method = take(first, " ");
  head.target = take(first, " ");
  head.version = first;
  while (!bytes.empty()) {
    std::string_view line = take(bytes, "\r\n");
    if (line.empty()) break;
    const std::string_view name = take(line, ":");
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    head.fields.push_back({name, line});
  }
  head.peer = "127.0.0.1";
  return head;
}

/// Such a head as the library would leave it in memory, and the same with a byte more in one place.
void expect_exactness(const http::Head& head, size_t place) {
  std::string bytes;
  http::RawHead raw;
  std::vector<std::pair<size_t, size_t>> parts;
  const auto part = [&](std::string_view text, size_t nuls) {
    parts.emplace_back(bytes.size(), text.size());
    bytes.append(text).append(nuls, '\0');
  };
  part(head.method, 1);
  part(head.target, 1);
  part(head.version, 2);
  for (const http::Field& field : head.fields) {
    part(field.name, 1);
    part(field.value, 2);
  }
  bytes.append(2, '\0');
  const auto is_exact = [&](size_t from, size_t shift) {
    const auto at = [&](size_t i) {
      return bytes.data() + parts[i].first + (parts[i].first >= from ? shift : 0);
    };
    raw.bytes = bytes;
    raw.target = at(1);
    raw.target_size = parts[1].second;
    raw.version = at(2);
    raw.fields.clear();
    for (size_t i = 3; i + 1 < parts.size(); i += 2) {
      raw.fields.push_back({{at(i), parts[i].second}, {at(i + 1), parts[i + 1].second}});
    }
    return http::is_exact(raw);
  };
  fuzz::expect(is_exact(bytes.size(), 0), "a head of exact parts is exact");
  const size_t after = parts[place % parts.size()].first + parts[place % parts.size()].second;
  bytes.insert(after, 1, '\0');
  fuzz::expect(!is_exact(after + 1, 1), "a NUL between two parts is noticed");
}

}  // namespace

FUZZ_TARGET(http_request) {
  const http::Head head = head_of(bytes);
  const auto admission = fuzz::accepted([&]() -> std::optional<http::Admission> {
    try {
      return front().admit(head);
    } catch (const http::HttpError& error) {
      fuzz::expect(error.status >= 400 && error.status < 600, "refusals have an error's status");
      fuzz::expect_message(error.what());
      return std::nullopt;
    }
  });
  if (!admission || !*admission) return;
  const http::Request& request = (*admission)->request;
  const auto is_safe = [](const std::string& text) {
    return !find_invalid_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
      return (c >= 0 && c < 0x20) || c == 0x7f || c == '\\';
    });
  };
  fuzz::expect(is_safe(request.path), "paths are text without controls");
  for (const std::string& piece : request.parameters) {
    const std::string around = "/" + piece + "/";
    fuzz::expect(around.find("/../") == around.npos && around.find("/./") == around.npos &&
                     around.find("//") == around.npos,
                 "a piece leads to no other place");
  }
  for (const auto& [name, value] : request.query) {
    fuzz::expect(!name.empty() && !find_invalid_utf8(name + value), "queries are text");
  }
  const http::Framing& framing = (*admission)->framing;
  fuzz::expect(framing.length >= 0 && framing.length <= (*admission)->body_limit,
               "bodies are within the limit");
  fuzz::expect(!framing.chunked || framing.length == 0, "a body has one framing");
  const std::string line = http::log_line(
      {.peer = request.peer, .method = std::string(head.method), .path = request.path}, 0);
  fuzz::expect(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; }),
               "log lines are plain");
  if (head.version.size() == 8) expect_exactness(head, bytes.size());
}
