#include "serve/http/answer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "serve/http/fields.h"
#include "serve/http/headers.h"

namespace rlhf::http {
namespace {

// What a content reader needs, from the first block to the last.
struct Reading {
  std::shared_ptr<Exchange> exchange;
  std::shared_ptr<EventStream> stream;  // or
  std::string body;
  MHD_Connection* wire;
  int64_t write_stall;
};

ssize_t read_body(void* closure, uint64_t at, char* to, size_t most) {
  Reading& reading = *static_cast<Reading*>(closure);
  reading.exchange->connection->deadline = now_ms() + reading.write_stall;
  const size_t size = std::min({most, reading.body.size() - size_t(at), answer_block});
  std::memcpy(to, reading.body.data() + at, size);
  return ssize_t(size);
}

ssize_t read_stream(void* closure, uint64_t, char* to, size_t most) {
  Reading& reading = *static_cast<Reading*>(closure);
  std::atomic<int64_t>& deadline = reading.exchange->connection->deadline;
  deadline = now_ms() + reading.write_stall;
  size_t taken = 0;
  switch (reading.stream->take(to, std::min(most, answer_block), taken, [&] {
    deadline = 0;
    MHD_suspend_connection(reading.wire);
  })) {
    case EventStream::Taken::bytes:
      return ssize_t(taken);
    case EventStream::Taken::nothing_yet:
      return 0;
    case EventStream::Taken::end:
      return MHD_CONTENT_READER_END_OF_STREAM;
    case EventStream::Taken::cut:
      return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  return MHD_CONTENT_READER_END_WITH_ERROR;
}

void forget_reading(void* closure) { delete static_cast<Reading*>(closure); }

Headers all_headers(const Response& response, std::string_view path) {
  Headers headers = security_headers(path);
  for (const auto& mine : response.headers) {
    std::erase_if(headers, [&](const auto& other) {
      return lower(other.first) == lower(mine.first) && lower(mine.first) != "set-cookie";
    });
    headers.push_back(mine);
  }
  if (!response.type.empty()) headers.emplace_back("Content-Type", response.type);
  return headers;
}

}  // namespace

bool queue_answer(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                  Response response, int64_t write_stall) {
  exchange->stage = Exchange::Stage::answering;
  exchange->status = response.status;
  exchange->connection->deadline = now_ms() + write_stall;
  const std::shared_ptr<EventStream> stream = exchange->open_stream();
  Headers headers = all_headers(response, exchange->admission.request.path);
  headers.emplace_back("X-Request-Id", std::to_string(exchange->admission.request.id));
  if (exchange->closes) headers.emplace_back("Connection", "close");
  exchange->bytes_out = int64_t(response.body.size());

  MHD_Response* answer;
  if (stream || response.body.size() > answer_block) {
    const uint64_t size = stream ? MHD_SIZE_UNKNOWN : response.body.size();
    auto* reading = new Reading{exchange, stream, std::move(response.body), wire, write_stall};
    answer = MHD_create_response_from_callback(size, answer_block, stream ? read_stream : read_body,
                                               reading, forget_reading);
    if (!answer) delete reading;
  } else {
    answer = MHD_create_response_from_buffer(response.body.size(), response.body.data(),
                                             MHD_RESPMEM_MUST_COPY);
  }
  if (!answer) return false;
  bool good = true;
  for (const auto& [name, value] : headers) {
    good = good && MHD_add_response_header(answer, name.c_str(), value.c_str()) == MHD_YES;
  }
  good = good && MHD_queue_response(wire, unsigned(response.status), answer) == MHD_YES;
  MHD_destroy_response(answer);
  return good;
}

void send_raw_error(int socket, const Response& response) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", response.status,
      MHD_get_reason_phrase_for(unsigned(response.status)), response.type, response.body.size());
  for (const auto& [name, value] : security_headers("/api")) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  text += "Connection: close\r\n\r\n" + response.body;
  // Less than any socket's buffer; a client that had it filled loses the message.
  [[maybe_unused]] const ssize_t sent =
      ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace rlhf::http
