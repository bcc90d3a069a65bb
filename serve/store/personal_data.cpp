#include "serve/store/personal_data.h"

#include "core/json.h"
#include "serve/store/refusals.h"

namespace rlhf::store {
namespace {

using nlohmann::ordered_json;

/// What each part of the answer is asked by; ?1 is the person. Hashes of tokens and passwords say
/// nothing about anybody and stay out.
struct Part {
  const char* name;
  const char* sql;
};
constexpr Part parts[] = {
    {"tokens",
     "SELECT json_object('id', id, 'label', label, 'created', created) FROM tokens "
     "WHERE person = ?1 ORDER BY id"},
    {"sessions",
     "SELECT json_object('created', created, 'expires', expires) FROM sessions WHERE "
     "person = ?1 ORDER BY created"},
    {"votes",
     "SELECT json_object('id', v.id, 'comparison', v.comparison, 'prompt', p.text, 'choice', "
     "CASE v.choice WHEN 0 THEN 'better' WHEN 1 THEN 'tie' WHEN 2 THEN 'both_bad' ELSE 'skip' END, "
     "'place', v.place, 'preferred', a.text, 'strength', v.strength, 'note', v.note, "
     "'milliseconds', v.milliseconds, 'created', v.created, 'undone', v.undone) FROM votes v JOIN "
     "comparisons c ON c.id = v.comparison JOIN prompts p ON p.id = c.prompt LEFT JOIN answers a "
     "ON a.comparison = c.id AND a.slot = v.slot WHERE v.person = ?1 ORDER BY v.id"},
    {"leases",
     "SELECT json_object('id', id, 'comparison', comparison, 'created', created) FROM "
     "leases WHERE person = ?1 ORDER BY id"},
    {"ratings",
     "SELECT json_object('id', r.id, 'text', coalesce(a.text, m.content), 'kind', CASE r.kind "
     "WHEN 0 THEN 'thumb' ELSE 'score' END, 'value', r.value, 'created', r.created) FROM ratings r "
     "LEFT JOIN answers a ON a.id = r.answer LEFT JOIN messages m ON m.id = r.message WHERE "
     "r.person = ?1 ORDER BY r.id"},
    {"chats",
     "SELECT json_object('id', id, 'title', title, 'system', system, 'created', created, "
     "'updated', updated) FROM chats WHERE person = ?1 ORDER BY id"},
    {"messages",
     "SELECT json_object('id', m.id, 'chat', m.chat, 'parent', m.parent, 'role', CASE m.role WHEN "
     "1 THEN 'user' ELSE 'assistant' END, 'content', m.content, 'created', m.created) FROM "
     "messages "
     "m JOIN chats c ON c.id = m.chat WHERE c.person = ?1 ORDER BY m.id"},
    {"decisions",
     "SELECT json_object('version', version, 'what', what, 'reason', reason, "
     "'created', created) FROM decisions WHERE who = ?1 ORDER BY id"},
    {"audit",
     "SELECT json_object('who', who, 'what', what, 'detail', json(detail), 'created', "
     "created) FROM audit WHERE who = ?1 OR json_extract(detail, '$.person') = ?1 ORDER "
     "BY id"},
};

}  // namespace

ordered_json personal_data(Connection& connection, int64_t person) {
  const auto about = [&](std::string_view sql) {
    ordered_json list = ordered_json::array();
    auto row = connection.query(sql, person);
    while (row.step()) list.push_back(ordered_json(parse_json(row.text(0), "personal data")));
    return list;
  };
  const ordered_json found = about(
      "SELECT json_object('id', id, 'name', name, 'role', CASE role WHEN 0 THEN 'annotator' ELSE "
      "'admin' END, 'active', json(iif(active, 'true', 'false')), 'created', created) FROM people "
      "WHERE id = ?1");
  if (found.empty()) not_found("person", "expected a person, got the id {}", person);
  ordered_json data{{"person", found[0]}};
  for (const Part& part : parts) data[part.name] = about(part.sql);
  return data;
}

}  // namespace rlhf::store
