// Errors as answers, of the one form that clients of the OpenAI API know:
//   {"error": {"message": ..., "type": ..., "param": ... | null, "code": ... | null}}
// Handlers throw InputError (400), HttpError (its status) or anything else (500, without details).
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "serve/http/response.h"

namespace rlhf::http {

/// An answer with a chosen status. Empty `type`: the usual one of the status; empty `param` and
/// `code` are null in the answer.
struct HttpError : std::runtime_error {
  HttpError(int status, const std::string& message, std::string type = "", std::string param = "",
            std::string code = "", Headers headers = {})
      : std::runtime_error(message),
        status(status),
        type(std::move(type)),
        param(std::move(param)),
        code(std::move(code)),
        headers(std::move(headers)) {}

  int status;
  std::string type, param, code;
  Headers headers;
};

/// The value {"error": {...}} alone: streams send it, too.
nlohmann::ordered_json error_json(const HttpError& error);

Response error_response(const HttpError& error);

/// What a handler has thrown, as an answer; `id` is named where the text stays in the log.
Response error_response(const std::exception_ptr& thrown, uint64_t id);

/// The text of a thrown exception, for the log.
std::string text_of(const std::exception_ptr& thrown);

}  // namespace rlhf::http
