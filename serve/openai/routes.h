// The OpenAI-compatible API over the engine: GET /v1/models, GET /v1/models/{id},
// POST /v1/completions and POST /v1/chat/completions. docs/openai-api.md says what is supported.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rl/model/model_folder.h"
#include "serve/engine/engine.h"
#include "serve/http/router.h"

namespace rlhf::openai {

/// A model that answers. `model` is the one that `engine` runs.
struct Served {
  std::string name;     ///< its id in this API
  int64_t version = 0;  ///< of the weights
  int64_t created = 0;  ///< Unix seconds
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<const LoadedLanguageModel> model;
};

/// The model of that name for a caller, or the promoted one for an empty name. @throws HttpError:
/// see no_such_model in errors.h.
using CurrentModel = std::function<Served(const http::Caller& caller, const std::string& name)>;
using AllModels = std::function<std::vector<Served>(const http::Caller& caller)>;

struct Limits {
  int64_t body = 1 << 20;  ///< in bytes
  /// From a request to its last token; then 504, or an error within the stream.
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  size_t at_once = 8;  ///< choices of one request in the engine at a time
};

/// Adds the four routes. All of them ask for a caller of any role.
void add_routes(http::Router& router, CurrentModel current, AllModels all, Limits limits = {});

}  // namespace rlhf::openai
