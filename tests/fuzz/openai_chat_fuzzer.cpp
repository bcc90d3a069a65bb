// The body of POST /v1/chat/completions: any bytes. A conversation that is accepted is one that the
// chat template can write.
#include "serve/openai/chat_request.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(openai_chat) {
  using namespace rlhf;
  const auto request = fuzz::accepted([&] { return openai::parse_chat_request(bytes); });
  if (!request) return;
  const Conversation& messages = request->messages;
  fuzz::expect(!messages.empty() && messages.size() <= openai::most_messages,
               "there are 1 to 256 messages");
  fuzz::expect(messages.back().role == Role::user, "the user speaks last");
  for (size_t i = 0; i < messages.size(); i++) {
    fuzz::expect(!messages[i].content.empty(), "every message says something");
    const bool first = i == 0 || (i == 1 && messages[0].role == Role::system);
    const bool system = i == 0 && messages[0].role == Role::system;
    const Role turn =
        first || messages[i - 1].role == Role::assistant ? Role::user : Role::assistant;
    fuzz::expect(system || messages[i].role == turn, "user and assistant speak in turn");
  }
  fuzz::expect(request->max_tokens.value_or(1) >= 1, "an answer has a token");
  fuzz::expect(request->log_probs || request->top_log_probs == 0,
               "alternatives come with log-probabilities");
  fuzz::expect(request->top_log_probs >= 0 && request->top_log_probs <= 20, "and are few");
}
