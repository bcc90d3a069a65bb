#include "data/chat_template.h"

#include "core/check.h"

namespace rlhf {
namespace {

// What stands between `generation` and `endgeneration` is what transformers counts as said by the
// assistant when a loss is to be on that alone. It is no Jinja elsewhere, but transformers' own.
constexpr std::string_view jinja =
    R"({%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- '<|assistant|>' -}}
{%- generation -%}{{- message['content'] + eos_token -}}{%- endgeneration -%}
{%- elif message['role'] == 'user' or (message['role'] == 'system' and loop.first) -%}
{{- '<|' + message['role'] + '|>' + message['content'] + eos_token -}}
{%- else -%}
{{- raise_exception('expected a system message first, then user and assistant') -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
)";

// Editors and writers differ in white space at the end of a file.
std::string_view without_end(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

bool is_own(std::string_view text) { return without_end(text) == without_end(jinja); }

[[noreturn]] void refuse_foreign(std::string_view what) {
  input_error(
      what,
      "expected the chat template that `rlhf sft` writes, got another; remove "
      "chat_template.jinja (and \"chat_template\" in tokenizer_config.json) and fine-tune on "
      "rows of messages to give the model that one");
}

}  // namespace

std::string role_token(Role role) { return fmt::format("<|{}|>", name_of(role)); }

std::string chat_template_text() { return std::string(jinja); }

bool has_chat_template(const Tokenizer& tokenizer) {
  if (!is_own(tokenizer.chat_template())) return false;
  for (const Role role : roles) {
    if (!tokenizer.special_id(role_token(role))) return false;
  }
  return true;
}

ChatTemplate chat_template_of(const Tokenizer& tokenizer, std::string_view what) {
  if (!has_chat_template(tokenizer)) {
    if (!tokenizer.chat_template().empty() && !is_own(tokenizer.chat_template())) {
      refuse_foreign(what);
    }
    input_error(what,
                "expected a model with a chat template, got none; `rlhf sft` on rows of messages "
                "gives it one");
  }
  ChatTemplate chat{.opens = {}, .end = tokenizer.eos()};
  for (const Role role : roles) chat.opens[size_t(role)] = *tokenizer.special_id(role_token(role));
  return chat;
}

std::unique_ptr<Tokenizer> with_chat_template(const Tokenizer& tokenizer, std::string_view what) {
  if (!tokenizer.chat_template().empty() && !is_own(tokenizer.chat_template())) {
    refuse_foreign(what);
  }
  std::vector<std::string> names;
  for (const Role role : roles) names.push_back(role_token(role));
  std::unique_ptr<Tokenizer> out = tokenizer.with_special_tokens(names);
  out->set_chat_template(std::string(jinja));
  return out;
}

std::vector<int32_t> encode_message(const Tokenizer& tokenizer, const ChatTemplate& chat,
                                    const Message& message) {
  std::vector<int32_t> tokens{chat.opening(message.role)};
  const std::vector<int32_t> content = tokenizer.encode(message.content);
  tokens.insert(tokens.end(), content.begin(), content.end());
  tokens.push_back(chat.end);
  return tokens;
}

}  // namespace rlhf
