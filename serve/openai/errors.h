// Everything that can go wrong with a request, as the error that its client gets.
#pragma once

#include <exception>

#include "serve/engine/engine.h"
#include "serve/http/error.h"
#include "serve/openai/fields.h"

namespace rlhf::openai {

/// 400, with the field and the code.
http::HttpError bad_field(const FieldError& error);

/// 404 for a model that is not served.
http::HttpError no_such_model(std::string_view name);

/// 429 with Retry-After, from how long requests take and how many wait.
http::HttpError queue_full(const engine::Stats& stats);

/// 503: the server is being stopped, or changes its model.
http::HttpError shutting_down();

/// What has ended an answer that had begun: an HttpError itself, 500 for the rest.
http::HttpError failure(const std::exception_ptr& thrown);

/// An answer that did not end by itself: 504 for a timeout, 503 for a cancellation that the client
/// did not ask for, 500 for the rest, without its text.
http::HttpError unfinished(engine::FinishReason reason);

}  // namespace rlhf::openai
