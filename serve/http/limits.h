// Every bound of the server, in one place. docs/http.md says what a client sees at each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rlhf::http {

struct Limits {
  // Sizes, in bytes.
  size_t target = 8192;            // of path and query as sent: 414
  size_t headers = 16 * 1024;      // names and values together: 431
  int header_count = 100;          // 431
  int64_t body = 1 << 20;          // where a route does not say: 413
  size_t stream_buffer = 1 << 20;  // what may wait for one slow reader of events
  // Times.
  std::chrono::milliseconds header_time{10'000};  // from the first byte to the last header
  std::chrono::milliseconds body_time{30'000};    // for the whole body, or
  int64_t body_rate = 1024;                       // longer at so many bytes a second and more
  std::chrono::milliseconds idle_time{30'000};    // between two requests
  std::chrono::milliseconds write_stall{10'000};  // without the client taking 16 KiB or the rest
  std::chrono::milliseconds keep_alive{15'000};   // between comments of a stream at rest
  // Numbers.
  int requests_per_connection = 1000;
  int connections = 1024;
  int connections_per_address = 640;
  int waiting_requests = 256;  // for a worker: 503 beyond
};

}  // namespace rlhf::http
