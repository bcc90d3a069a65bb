#include "serve/http/error.h"

#include "core/check.h"

namespace rlhf::http {
namespace {

// The types that OpenAI's API has for these statuses.
std::string usual_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

}  // namespace

nlohmann::ordered_json error_json(const HttpError& error) {
  const std::string type = error.type.empty() ? usual_type(error.status) : error.type;
  return {{"error",
           {{"message", error.what()},
            {"type", type},
            {"param", text_or_null(error.param)},
            {"code", text_or_null(error.code)}}}};
}

Response error_response(const HttpError& error) {
  Response response = json_response(error_json(error), error.status);
  response.headers = error.headers;
  return response;
}

Response error_response(const std::exception_ptr& thrown, uint64_t id) {
  try {
    std::rethrow_exception(thrown);
  } catch (const HttpError& error) {
    return error_response(error);
  } catch (const InputError& error) {
    return error_response(HttpError(400, error.what()));
  } catch (...) {
    return error_response(
        HttpError(500, fmt::format("internal error; the log has it under request id {}", id)));
  }
}

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no exception";
  }
}

}  // namespace rlhf::http
