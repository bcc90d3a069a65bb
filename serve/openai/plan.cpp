#include "serve/openai/plan.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/system_random.h"
#include "data/chat_template.h"
#include "rl/model/chat_encoding.h"
#include "rl/prompt.h"

namespace rlhf::openai {
namespace {

uint64_t random_seed() {
  std::array<unsigned char, sizeof(uint64_t)> bytes;
  system_random(bytes);
  return std::bit_cast<uint64_t>(bytes);
}

/// What all jobs of a request have in common.
engine::Job template_job(const GenerationRequest& request, const PlanContext& context) {
  engine::Job job;
  job.sampling.temperature = request.temperature;
  job.sampling.top_k = request.top_k;
  job.sampling.top_p = request.top_p;
  job.sampling.min_p = request.min_p;
  job.sampling.repetition_penalty = request.repetition_penalty;
  job.sampling.stop_tokens = context.engine.model().stop_tokens;
  job.sampling.seed = request.seed ? *request.seed : random_seed();
  job.presence_penalty = request.presence_penalty;
  job.frequency_penalty = request.frequency_penalty;
  job.logit_bias = request.logit_bias;
  job.stop = request.stop;
  job.client = context.client;
  return job;
}

/// How many tokens the answer may have. `otherwise`: where the request does not say. The engine
/// ends an answer where its room does; a client is told before.
int64_t answer_room(std::string_view param, const Tokens& prompt, std::optional<int64_t> asked,
                    int64_t otherwise, const PlanContext& context) {
  const int64_t capacity = context.engine.capacity(), length = int64_t(prompt.size());
  const int64_t room = capacity - length;
  const int64_t least = asked.value_or(1);
  if (least > room) {
    throw FieldError(
        std::string(param),
        fmt::format("expected a prompt and an answer of at most {} tokens together, got {} and {}",
                    capacity, length, least),
        "context_length_exceeded");
  }
  return asked ? *asked : std::min(otherwise, room);
}

/// `param`: the field that the prompt is from; of all else the engine's names are the request's.
void check_job(const engine::Job& job, std::string_view param, const engine::Engine& engine) {
  try {
    engine.check(job);
  } catch (const engine::JobError& error) {
    throw FieldError(error.field == "prompt" ? std::string(param) : error.field, error.reason);
  }
}

void add_choices(std::vector<PlannedChoice>& planned, const engine::Job& job, int64_t choices,
                 const PlanContext& context, std::string_view param, bool echo, bool log_probs) {
  check_job(job, param, context.engine);
  for (int64_t c = 0; c < choices; c++) {
    engine::Job own = job;
    own.sampling.seed = job.sampling.seed + uint64_t(c);
    planned.push_back({std::move(own),
                       Choice(*context.engine.model().tokenizer, job.prompt, echo, log_probs),
                       c == 0});
  }
}

Tokens tokens_of(const Prompt& prompt, const Tokenizer& tokenizer) {
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    try {
      return encode_prompt(tokenizer, *text);
    } catch (const InputError& error) {
      field_error("prompt", "expected text that the model can read, got other: {}", error.what());
    }
  }
  return std::get<Tokens>(prompt);
}

Tokens tokens_of(const Conversation& messages, const Tokenizer& tokenizer) {
  if (!has_chat_template(tokenizer)) {
    throw FieldError("model",
                     "expected a model with a chat template, got one without: /v1/completions "
                     "continues plain text, and `rlhf sft` on rows of messages teaches a chat",
                     "no_chat_template");
  }
  try {
    return encode_chat_prompt(tokenizer, messages);
  } catch (const InputError& error) {
    field_error("messages", "expected text that the model can read, got other: {}", error.what());
  }
}

}  // namespace

std::vector<PlannedChoice> plan_completion(const CompletionRequest& request,
                                           const PlanContext& context) {
  constexpr int64_t usual_length = 16;
  engine::Job job = template_job(request.generation, context);
  const bool log_probs = request.log_probs >= 0;
  job.top_log_probs = int(request.log_probs);
  job.prompt_log_probs = log_probs && request.echo;
  std::vector<PlannedChoice> planned;
  for (const Prompt& prompt : request.prompts) {
    job.prompt = tokens_of(prompt, *context.engine.model().tokenizer);
    job.sampling.max_new_tokens =
        answer_room("prompt", job.prompt, request.max_tokens, usual_length, context);
    add_choices(planned, job, request.generation.choices, context, "prompt", request.echo,
                log_probs);
  }
  return planned;
}

std::vector<PlannedChoice> plan_chat(const ChatRequest& request, const PlanContext& context) {
  engine::Job job = template_job(request.generation, context);
  job.top_log_probs = request.log_probs ? int(request.top_log_probs) : -1;
  job.prompt = tokens_of(request.messages, *context.engine.model().tokenizer);
  job.sampling.max_new_tokens =
      answer_room("messages", job.prompt, request.max_tokens, context.engine.capacity(), context);
  std::vector<PlannedChoice> planned;
  add_choices(planned, job, request.generation.choices, context, "messages", false,
              request.log_probs);
  return planned;
}

}  // namespace rlhf::openai
