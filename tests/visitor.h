// Somebody who calls a server with a token, in JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/http_client.h"

namespace rlhf {

/// What came back.
struct Answer {
  int status = 0;
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// Nobody, when the token is empty.
class Visitor {
 public:
  Visitor(uint16_t port, std::string token) : port_(port), token_(std::move(token)) {}

  Answer get(const std::string& path) const { return ask("GET", path, ""); }
  Answer post(const std::string& path, const nlohmann::json& body) const {
    return ask("POST", path, body.dump());
  }
  Answer ask(const std::string& method, const std::string& path, const std::string& body,
             const std::string& type = "application/json") const {
    http::Headers headers;
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    if (!body.empty()) headers.emplace_back("Content-Type", type);
    const http::ClientAnswer answer = http::Client(port_).ask(method, path, headers, body);
    return {answer.status, answer.body};
  }

 private:
  uint16_t port_;
  std::string token_;
};

}  // namespace rlhf
