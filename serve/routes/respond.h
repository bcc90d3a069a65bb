// What several subjects' routes need to say.
#pragma once

#include <cmath>
#include <functional>
#include <optional>

#include "core/check.h"
#include "serve/http/error.h"
#include "serve/http/router.h"
#include "serve/store/store.h"

namespace rlhf::serve {

/// A handler for answers that are ready at once, which knows what the database's refusals are over
/// HTTP: NotFound 404, Conflict 409, NoRoom 507.
inline http::Handler responding(std::function<http::Response(const http::Request&)> make) {
  return http::answering([make = std::move(make)](const http::Request& request) {
    try {
      return make(request);
    } catch (const store::NotFound& error) {
      throw http::HttpError(404, error.what());
    } catch (const store::Conflict& error) {
      throw http::HttpError(409, error.what());
    } catch (const store::NoRoom& error) {
      throw http::HttpError(507, error.what());
    }
  });
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
