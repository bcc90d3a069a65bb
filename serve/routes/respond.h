// What several subjects' routes need to say.
#pragma once

#include <cmath>
#include <optional>

#include "core/check.h"
#include "serve/http/error.h"
#include "serve/http/router.h"
#include "serve/store/store.h"

namespace rlhf::serve {

struct Application;

/// The same handler, with the database's refusals as HTTP knows them: NotFound 404, Conflict 409,
/// NoRoom 507.
inline http::Handler refusing(http::Handler handler) {
  return [handler = std::move(handler)](const http::Request& request, http::Reply reply) {
    try {
      handler(request, std::move(reply));
    } catch (const store::NotFound& error) {
      throw http::HttpError(404, error.what());
    } catch (const store::Conflict& error) {
      throw http::HttpError(409, error.what());
    } catch (const store::NoRoom& error) {
      throw http::HttpError(507, error.reason);
    }
  };
}

/// What went wrong, for a stream that has begun: without what is the operator's alone to know.
inline std::string text_for_clients(const std::exception& error) {
  if (const auto* full = dynamic_cast<const store::NoRoom*>(&error)) return full->reason;
  if (dynamic_cast<const InputError*>(&error)) return error.what();
  return "internal error";
}

/// A handler for answers that are ready at once.
inline http::Handler responding(Application& app,
                                http::Response (*make)(Application&, const http::Request&)) {
  return refusing(
      http::answering([&app, make](const http::Request& request) { return make(app, request); }));
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

/// JSON has neither NaN nor infinities.
inline nlohmann::ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace rlhf::serve
