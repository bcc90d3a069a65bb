// What a server is started with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/http/limits.h"
#include "serve/http/rate_limit.h"

namespace rlhf::http {

struct Options {
  std::string host = "127.0.0.1";  // an address; "0.0.0.0" or "::" is every one of the machine
  uint16_t port = 8080;            // 0: any free one
  int socket_threads = 2;
  int workers = 8;
  Limits limits = {};
  Rates rates = {};
  /// Names that clients may call the server by, besides the address that it listens on and those of
  /// the own machine ("annotate.example.org"): what the Host header is held against.
  std::vector<std::string> allowed_hosts = {};
  /// A proxy of ours is in front, and only it can reach this port: the client's address is the last
  /// of X-Forwarded-For, for the log and the rates.
  bool behind_proxy = false;
};

}  // namespace rlhf::http
