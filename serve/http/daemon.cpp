// Longer than most files: libmicrohttpd's callbacks, each a few lines, share the state of one
// request.
#include "serve/http/daemon.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/unicode.h"
#include "serve/http/answer.h"
#include "serve/http/error.h"
#include "serve/http/raw_head.h"

namespace rlhf::http {
namespace {

// Of a connection's own: more than the limits on heads, so that those are what a client meets, with
// answers of our form.
constexpr size_t connection_memory = 64 * 1024;

RawHead raw_head_of(MHD_Connection* wire, const Exchange& exchange, const char* method,
                    const char* version) {
  RawHead head;
  const auto* size = MHD_get_connection_info(wire, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  head.bytes = std::string_view(method, size ? size->header_size : 0);
  head.target = exchange.target_at;
  head.target_size = exchange.target.size();
  head.version = version;
  MHD_get_connection_values_n(
      wire, MHD_HEADER_KIND,
      [](void* fields, MHD_ValueKind, const char* name, size_t name_size, const char* value,
         size_t value_size) {
        static_cast<Fields*>(fields)->push_back({{name, name_size}, {value, value_size}});
        return MHD_YES;
      },
      &head.fields);
  return head;
}

// Later versions are strict themselves, and may keep heads in another way.
bool library_forgives() {
  const std::string_view version = MHD_get_version();
  return version == "0.9.75" || version == "0.9.76";
}

// After these the two sides may not agree on where the next request begins.
bool ends_connection(int status) {
  return status == 400 || status == 413 || status == 414 || status == 417 || status == 431 ||
         status == 501;
}

}  // namespace

struct Daemon::Calls {
  using Held = std::shared_ptr<Exchange>;

  static int socket_of(MHD_Connection* wire) {
    return MHD_get_connection_info(wire, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  }

  // A request's first line is there.
  static void* target(void* closure, const char* uri, MHD_Connection* wire) {
    auto& daemon = *static_cast<Daemon*>(closure);
    const auto connection = daemon.connections_.at(socket_of(wire));
    if (!connection) return nullptr;
    const auto exchange =
        std::make_shared<Exchange>(connection, wire, daemon.limits_.stream_buffer);
    exchange->begin = std::chrono::steady_clock::now();
    exchange->target = uri ? uri : "";
    exchange->target_at = uri;
    exchange->admission.request.id = ++daemon.last_id_;
    if (connection->requests++ > 0) {
      connection->deadline = now_ms() + daemon.limits_.header_time.count();
    }
    if (connection->hung_up) exchange->lose();
    {
      const std::lock_guard lock(daemon.mutex_);
      daemon.running_gauge_.set(++daemon.running_);
    }
    daemon.connections_.set_exchange(*connection, exchange);
    if (daemon.cutting_) exchange->cut();
    return new Held(exchange);
  }

  static MHD_Result access(void* closure, MHD_Connection* wire, const char*, const char* method,
                           const char* version, const char* data, size_t* size, void** context) {
    if (!*context) return MHD_NO;
    try {
      return static_cast<Daemon*>(closure)->access(wire, *static_cast<Held*>(*context), method,
                                                   version, data, size);
    } catch (...) {  // memory is full; the library is C and must not see it
      return MHD_NO;
    }
  }

  static void completed(void* closure, MHD_Connection* wire, void** context,
                        MHD_RequestTerminationCode) {
    if (!*context) return;
    const std::unique_ptr<Held> held(static_cast<Held*>(*context));
    *context = nullptr;
    static_cast<Daemon*>(closure)->end(wire, *held);
  }

  static void changed(void* closure, MHD_Connection* wire, void**,
                      MHD_ConnectionNotificationCode code) {
    auto& daemon = *static_cast<Daemon*>(closure);
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
    const int socket = socket_of(wire);
    if (const auto connection = daemon.connections_.at(socket)) daemon.leave_(*connection);
    daemon.connections_.close(socket);
  }

  // Targets are decoded by our own rules.
  static size_t as_it_is(void*, MHD_Connection*, char* text) { return std::strlen(text); }
};

Daemon::Daemon(const Options& options, Front& front, ConnectionTable& connections, AccessLog& log,
               Registry& registry, std::function<void(Connection&)> leave)
    : limits_(options.limits),
      front_(front),
      connections_(connections),
      log_(log),
      registry_(registry),
      running_gauge_(registry.gauge("rlhf_http_requests_running", "Requests under way.")),
      leave_(std::move(leave)),
      workers_(options.workers, size_t(options.limits.waiting_requests)) {
  const unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
  // Connections are counted at the door; here there is room for all of them on one thread.
  const unsigned most =
      unsigned(options.limits.connections + 16) * unsigned(std::max(1, options.socket_threads));
  // Connections are ended at the door, by a shutdown that the library notices. Of a socket that was
  // reset it hears nothing more, if it missed that: its own clock ends those.
  const auto idle = std::chrono::ceil<std::chrono::seconds>(options.limits.idle_time);
  std::vector<MHD_OptionItem> items = {
      {MHD_OPTION_CONNECTION_TIMEOUT, intptr_t(idle.count() + 1), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, intptr_t(connection_memory), nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, intptr_t(most), nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&Calls::target), this},
      {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&Calls::as_it_is), this},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&Calls::completed), this},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&Calls::changed), this}};
  if (options.socket_threads > 1) {
    items.push_back({MHD_OPTION_THREAD_POOL_SIZE, options.socket_threads, nullptr});
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &Calls::access, this, MHD_OPTION_ARRAY,
                             items.data(), MHD_OPTION_END);
  check(daemon_ != nullptr, "server", "expected libmicrohttpd to start, got a refusal");
}

Daemon::~Daemon() { stop(); }

bool Daemon::add(int socket, const sockaddr* address, socklen_t size) {
  return MHD_add_connection(daemon_, socket, address, size) == MHD_YES;
}

bool Daemon::wait_until_quiet(std::chrono::steady_clock::time_point until,
                              const std::atomic<bool>& hurry) {
  std::unique_lock lock(mutex_);
  quiet_.wait_until(lock, until, [&] { return running_ == 0 || hurry; });
  return running_ == 0;
}

void Daemon::hurry() {
  const std::lock_guard lock(mutex_);
  quiet_.notify_all();
}

void Daemon::stop() {
  if (!daemon_) return;
  refusing_ = true;
  cutting_ = true;
  for (const auto& exchange : connections_.exchanges()) exchange->cut();
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
  workers_.stop();
}

MHD_Result Daemon::access(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                          const char* method, const char* version, const char* data, size_t* size) {
  using Stage = Exchange::Stage;
  switch (exchange->stage) {
    case Stage::head:
      return begin(wire, exchange, method, version);
    case Stage::identifying:
      if (exchange->is_cut()) return MHD_NO;
      if (exchange->refusal) return refuse(wire, exchange);
      exchange->stage = Stage::body;
      exchange->body_begin = now_ms();
      exchange->connection->deadline = exchange->body_begin + limits_.body_time.count();
      return MHD_YES;
    case Stage::body:
      if (*size > 0) return take_body(exchange, data, size);
      return to_worker(exchange, &Daemon::work);
    case Stage::ready:
      return to_worker(exchange, &Daemon::work);
    case Stage::refused:
      return refuse(wire, exchange);
    case Stage::working:
      if (auto response = exchange->take_response()) {
        return answer(wire, exchange, std::move(*response));
      }
      return MHD_NO;  // cut
    case Stage::answering:
      return MHD_YES;
  }
  return MHD_NO;
}

MHD_Result Daemon::begin(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                         const char* method, const char* version) {
  const RawHead raw = raw_head_of(wire, *exchange, method, version);
  const uint64_t id = exchange->admission.request.id;
  exchange->method = escaped(method, 16);
  exchange->begin = std::chrono::steady_clock::now();
  exchange->connection->deadline = 0;
  // Whatever is refused from here on, a body may follow it.
  bool body_follows = true;
  try {
    if (library_forgives() && !is_exact(raw)) {
      input_error("request", "expected lines of \"name: value\" that end with CRLF, got others");
    }
    body_follows = framing_of(raw.fields, version).has_body();
    if (refusing_) throw HttpError(503, "this server is about to stop", "", "", "", {});
    exchange->admission =
        front_.admit({method, exchange->target, version, raw.fields, exchange->connection->peer});
    exchange->admission.request.id = id;
  } catch (...) {
    exchange->admission.request.id = id;
    exchange->refusal = error_response(std::current_exception(), id);
    exchange->closes = body_follows || refusing_ || ends_connection(exchange->refusal->status);
    if (body_follows) return refuse(wire, exchange);
    exchange->stage = Exchange::Stage::refused;
    return MHD_YES;
  }
  // A chunked body is the one thing that the library still frames more loosely than others.
  exchange->closes = exchange->admission.framing.chunked ||
                     exchange->connection->requests >= limits_.requests_per_connection;
  if (!body_follows) {
    exchange->stage = Exchange::Stage::ready;
    return MHD_YES;
  }
  // Who asks is known before the body is read: strangers do not fill the memory.
  exchange->stage = Exchange::Stage::identifying;
  return to_worker(exchange, &Daemon::identify);
}

MHD_Result Daemon::take_body(const std::shared_ptr<Exchange>& exchange, const char* data,
                             size_t* size) {
  std::string& body = exchange->admission.request.body;
  exchange->bytes_in += int64_t(*size);
  if (int64_t(body.size() + *size) > exchange->admission.body_limit) {
    // The library takes no answer in the middle of a body.
    exchange->status = 413;
    exchange->connection->lingers = true;
    send_raw_error(exchange->connection->socket,
                   error_response(HttpError(413, fmt::format("[body] expected at most {} bytes",
                                                             exchange->admission.body_limit))));
    return MHD_NO;
  }
  body.append(data, *size);
  *size = 0;
  exchange->connection->deadline = exchange->body_begin + limits_.body_time.count() +
                                   exchange->bytes_in * 1000 / limits_.body_rate;
  return MHD_YES;
}

MHD_Result Daemon::to_worker(const std::shared_ptr<Exchange>& exchange,
                             void (Daemon::*job)(const std::shared_ptr<Exchange>&)) {
  exchange->connection->deadline = 0;
  if (job == &Daemon::work) exchange->stage = Exchange::Stage::working;
  if (!exchange->sleep()) return MHD_NO;
  if (workers_.submit([this, exchange, job] { (this->*job)(exchange); })) return MHD_YES;
  const Response busy = error_response(
      HttpError(503, "too many requests wait for an answer", "", "", "", {{"Retry-After", "1"}}));
  if (job == &Daemon::work) {
    exchange->respond(busy);
  } else {
    exchange->refusal = busy;
    exchange->closes = true;
    exchange->wake();
  }
  return MHD_YES;
}

MHD_Result Daemon::answer(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                          Response response) {
  if (refusing_) exchange->closes = true;
  return queue_answer(wire, exchange, std::move(response), limits_.write_stall.count()) ? MHD_YES
                                                                                        : MHD_NO;
}

MHD_Result Daemon::refuse(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange) {
  // What the client still sends must be read, or its system throws the answer away.
  if (exchange->closes) exchange->connection->lingers = true;
  return answer(wire, exchange, std::move(*exchange->refusal));
}

void Daemon::identify(const std::shared_ptr<Exchange>& exchange) {
  try {
    front_.identify(exchange->admission);
    exchange->identified = true;
  } catch (...) {
    const uint64_t id = exchange->admission.request.id;
    exchange->refusal = error_response(std::current_exception(), id);
    if (exchange->refusal->status >= 500) exchange->fail(text_of(std::current_exception()));
    exchange->closes = true;
  }
  exchange->wake();
}

void Daemon::work(const std::shared_ptr<Exchange>& exchange) {
  const Reply reply(exchange);
  try {
    if (!exchange->identified) front_.identify(exchange->admission);
    exchange->admission.route->handler(exchange->admission.request, reply);
  } catch (...) {
    Response response = error_response(std::current_exception(), exchange->admission.request.id);
    if (response.status >= 500) exchange->fail(text_of(std::current_exception()));
    if (!reply.answered()) {
      reply.respond(std::move(response));
    } else {
      exchange->lose();  // a stream that nobody will finish
    }
  }
}

void Daemon::end(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange) {
  Connection& connection = *exchange->connection;
  connections_.set_exchange(connection, nullptr);
  connection.rests = true;
  connection.deadline = now_ms() + limits_.idle_time.count();
  exchange->end();
  const Request& request = exchange->admission.request;
  if (exchange->status == 0) {
    const auto* status = MHD_get_connection_info(wire, MHD_CONNECTION_INFO_HTTP_STATUS);
    exchange->status = status && status->http_status != 0 ? int(status->http_status)
                       : connection.expired               ? 408
                                                          : 499;
  }
  if (const auto stream = exchange->open_stream()) exchange->bytes_out = stream->total();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - exchange->begin;
  const Route* route = exchange->admission.route;
  const std::string pattern = route ? route->pattern : "none";
  registry_
      .counter("rlhf_http_requests_total", "Requests by route and status.",
               {{"route", pattern}, {"code", std::to_string(exchange->status)}})
      .add();
  registry_
      .histogram("rlhf_http_request_seconds",
                 "Time from the end of a request's head to the end of its answer.", time_bounds(),
                 {{"route", pattern}})
      .observe(seconds.count());
  LogEntry entry{.id = request.id,
                 .peer = request.peer.empty() ? connection.peer : request.peer,
                 .caller = 0,
                 .method = exchange->method,
                 .path = route
                             ? request.path
                             : escaped(exchange->target.substr(0, exchange->target.find('?')), 200),
                 .status = exchange->status,
                 .bytes_in = exchange->bytes_in,
                 .bytes_out = exchange->bytes_out,
                 .seconds = seconds.count(),
                 .error = exchange->failure()};
  // A worker that was cut off may still be finding out who asks.
  if (exchange->answered() || !exchange->is_cut()) entry.caller = request.caller.person;
  log_.write(entry);
  const std::lock_guard lock(mutex_);
  running_gauge_.set(--running_);
  if (running_ == 0) quiet_.notify_all();
}

}  // namespace rlhf::http
