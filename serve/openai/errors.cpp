#include "serve/openai/errors.h"

#include <algorithm>
#include <cmath>

#include "core/unicode.h"

namespace rlhf::openai {

using http::HttpError;

HttpError bad_field(const FieldError& error) {
  return HttpError(400, error.what(), "invalid_request_error", error.param, error.code);
}

HttpError no_such_model(std::string_view name) {
  return HttpError(404, fmt::format("[model] expected a model of /v1/models, got {}", quote(name)),
                   "invalid_request_error", "model", "model_not_found");
}

HttpError queue_full(const engine::Stats& stats) {
  const engine::Histogram& taken = stats.request_duration;
  const double mean = taken.count == 0 ? 1 : taken.sum / double(taken.count);
  const double turns = double(stats.waiting) / double(std::max<int64_t>(stats.slots, 1));
  const int64_t seconds = int64_t(std::ceil(std::clamp(mean * turns, 1.0, 60.0)));
  return HttpError(429, "the queue is full: try again later", "rate_limit_error", "", "queue_full",
                   {{"Retry-After", std::to_string(seconds)}});
}

HttpError shutting_down() {
  return HttpError(503, "the model is being stopped: try again later", "server_error", "",
                   "unavailable", {{"Retry-After", "1"}});
}

HttpError failure(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const HttpError& error) {
    return error;
  } catch (...) {
    return HttpError(500, "the answer could not be given", "server_error");
  }
}

HttpError unfinished(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::timeout:
      return HttpError(504, "the answer took too long", "server_error", "", "timeout");
    case engine::FinishReason::cancelled:
      return shutting_down();
    default:
      return HttpError(500, "the model failed", "server_error", "", "model_failed");
  }
}

}  // namespace rlhf::openai
