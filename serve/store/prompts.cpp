#include "serve/store/prompts.h"

#include "core/check.h"
#include "core/json.h"
#include "core/sha256.h"
#include "data/rows.h"
#include "serve/store/audit.h"
#include "serve/store/prompt_rows.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {
namespace {

constexpr size_t longest_prompt = size_t{64} << 10;

NewPrompt prompt_of(const Row& row) {
  NewPrompt prompt;
  prompt.is_messages = holds_messages(row, "prompt");
  prompt.text =
      prompt.is_messages ? messages_json(dialogue_prompt_of(row)).dump() : prompt_text_of(row);
  if (prompt.text.size() > longest_prompt) {
    input_error(row.where(), "expected a prompt of at most {} bytes, got {}", longest_prompt,
                prompt.text.size());
  }
  if (row.has("source")) prompt.source = row.text("source");
  return prompt;
}

Conversation conversation_in(std::string_view text) {
  Conversation conversation;
  for (const auto& message : parse_json(text, "prompt")) {
    const auto role = message.at("role").get<std::string>();
    for (const Role each : roles) {
      if (name_of(each) == role) conversation.push_back({each, message.at("content")});
    }
  }
  return conversation;
}

std::string cleaned(const Store& store, const NewPrompt& prompt) {
  if (!prompt.is_messages) return store.cleaned(prompt.text);
  Conversation conversation = conversation_in(prompt.text);
  for (Message& message : conversation) message.content = store.cleaned(message.content);
  return messages_json(conversation).dump();
}

std::vector<Prompt> prompts_of(Statement statement) {
  return all_rows(std::move(statement), [](const Statement& row) { return prompt_at(row, 0); });
}

}  // namespace

std::string digest_of(std::string_view text, bool is_messages) {
  Sha256 digest;
  digest.add(is_messages ? "messages:" : "text:");
  digest.add(text);
  return digest.digest();
}

Prompt prompt_at(const Statement& row, int first) {
  return {.id = row.get<int64_t>(first),
          .text = row.get<std::string>(first + 1),
          .is_messages = row.get<bool>(first + 2),
          .source = row.get<std::string>(first + 3),
          .created = row.get<int64_t>(first + 4)};
}

Conversation messages_of(const Prompt& prompt) {
  check(prompt.is_messages, "prompt", "expected messages, got a text");
  return conversation_in(prompt.text);
}

nlohmann::ordered_json value_of(const Prompt& prompt) {
  return prompt.is_messages ? messages_json(messages_of(prompt))
                            : nlohmann::ordered_json(prompt.text);
}

ParsedPrompts parse_prompts(std::string_view lines) {
  ParsedPrompts parsed;
  std::vector<BadRow> bad;
  const auto rows = parse_rows(std::string(lines), RowFormat::json_lines, "prompts", {}, &bad);
  for (const BadRow& row : bad) parsed.refused.push_back({row.line, row.message});
  for (const Row& row : rows) {
    try {
      parsed.prompts.push_back(prompt_of(row));
    } catch (const InputError& error) {
      parsed.refused.push_back({row.line(), error.what()});
    }
  }
  return parsed;
}

PromptImport import_prompts(Store& store, int64_t by, std::string_view lines,
                            const std::string& source) {
  ParsedPrompts parsed = parse_prompts(lines);
  PromptImport done = add_prompts(store, by, parsed.prompts, source);
  done.refused = std::move(parsed.refused);
  return done;
}

PromptImport add_prompts(Store& store, int64_t by, const std::vector<NewPrompt>& prompts,
                         const std::string& source) {
  struct Row {
    std::string text, digest, source;
    bool is_messages;
  };
  std::vector<Row> rows;  // made before the writer is kept busy
  for (const NewPrompt& prompt : prompts) {
    Row row{.text = cleaned(store, prompt),
            .source = store.cleaned(prompt.source.empty() ? source : prompt.source),
            .is_messages = prompt.is_messages};
    row.digest = digest_of(row.text, row.is_messages);
    rows.push_back(std::move(row));
  }
  return store.write([&](Connection& connection) {
    PromptImport done;
    for (const Row& row : rows) {
      const bool added = connection.run(
          "INSERT OR IGNORE INTO prompts(digest, text, is_messages, source, created) "
          "VALUES(?, ?, ?, ?, ?)",
          row.digest, row.text, row.is_messages, row.source, store.now());
      (added ? done.added : done.duplicates)++;
    }
    add_audit(connection, store.now(), by, "add_prompts",
              {{"added", done.added}, {"duplicates", done.duplicates}});
    return done;
  });
}

int64_t count_prompts(Store& store) {
  return store.read([](Connection& connection) {
    return *connection.value<int64_t>("SELECT count(*) FROM prompts");
  });
}

std::vector<Prompt> list_prompts(Store& store, int64_t after, int64_t limit) {
  return store.read([&](Connection& connection) {
    return prompts_of(
        connection.query("SELECT id, text, is_messages, source, created FROM prompts "
                         "WHERE id > ? ORDER BY id LIMIT ?",
                         after, limit));
  });
}

std::vector<Prompt> prompts_without_comparison(Store& store, const PromptQuery& query) {
  return store.read([&](Connection& connection) {
    if (query.candidate) {
      // Digests are random, and those held out are the smallest (is_held_out).
      return prompts_of(connection.query(
          "SELECT id, text, is_messages, source, created FROM prompts p WHERE NOT EXISTS("
          "SELECT 1 FROM comparisons c WHERE c.prompt = p.id AND c.candidate = ? "
          "AND c.purpose = 1 AND c.withdrawn < 2) ORDER BY digest LIMIT ?",
          *query.candidate, query.limit));
    }
    return prompts_of(connection.query(
        "SELECT id, text, is_messages, source, created FROM prompts p WHERE NOT EXISTS("
        "SELECT 1 FROM comparisons c WHERE c.prompt = p.id AND c.purpose = 0 AND (?1 IS NULL OR "
        "EXISTS(SELECT 1 FROM answers a WHERE a.comparison = c.id AND a.version = ?1))) "
        "ORDER BY id LIMIT ?2",
        query.version, query.limit));
  });
}

}  // namespace rlhf::store
