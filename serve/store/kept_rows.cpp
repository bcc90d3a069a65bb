#include "serve/store/kept_rows.h"

#include <algorithm>

#include "serve/store/comparison_rows.h"
#include "serve/store/prompt_rows.h"

namespace rlhf::store {
namespace {

/// What a rated message answered, as a prompt: the messages above it.
std::optional<Prompt> prompt_of_message(Connection& connection, int64_t message) {
  Conversation conversation;
  std::string system;
  auto row = connection.query(
      "WITH RECURSIVE above(id, depth) AS (SELECT parent, 1 FROM messages WHERE id = ? UNION ALL "
      "SELECT m.parent, depth + 1 FROM messages m JOIN above ON above.id = m.id) "
      "SELECT m.role, m.content, c.system FROM above JOIN messages m ON m.id = above.id JOIN chats "
      "c ON c.id = m.chat ORDER BY depth DESC",
      message);
  while (row.step()) {
    conversation.push_back({row.get<rlhf::Role>(0), row.get<std::string>(1)});
    system = row.get<std::string>(2);
  }
  if (!system.empty()) conversation.insert(conversation.begin(), {rlhf::Role::system, system});
  const bool silent = std::any_of(conversation.begin(), conversation.end(),
                                  [](const Message& each) { return each.content.empty(); });
  if (conversation.empty() || silent) return std::nullopt;  // readers refuse an empty message
  return Prompt{.text = messages_json(conversation).dump(), .is_messages = true, .source = "chat"};
}

/// The time up to which a bound on votes holds.
std::optional<int64_t> time_of(Connection& connection, std::optional<int64_t> vote) {
  if (!vote) return std::nullopt;
  return connection.value<int64_t>("SELECT max(created) FROM votes WHERE id <= ?", *vote)
      .value_or(0);
}

}  // namespace

void each_vote(Connection& connection, const VoteRange& range, const Naming& naming,
               const std::function<void(const KeptVote&)>& use) {
  auto row = connection.query(
      "SELECT v.id, v.person, p.name, v.comparison, l.shown, v.choice, v.place, v.slot, "
      "v.strength, v.note, v.milliseconds, v.created, v.undone FROM votes v JOIN people p ON "
      "p.id = v.person JOIN leases l ON l.id = v.lease WHERE v.id > coalesce(?, 0) AND "
      "v.id <= coalesce(?, v.id) ORDER BY v.id",
      range.after, range.until);
  while (row.step()) {
    KeptVote vote{.id = row.get<int64_t>(0),
                  .annotator = naming(row.get<int64_t>(1), row.text(2)),
                  .comparison = load_comparison(connection, row.get<int64_t>(3)),
                  .choice = row.get<Choice>(5),
                  .place = row.get<std::optional<int>>(6),
                  .slot = row.get<std::optional<int>>(7),
                  .strength = row.get<std::optional<int>>(8),
                  .note = row.get<std::string>(9),
                  .milliseconds = row.get<int64_t>(10),
                  .created = row.get<int64_t>(11),
                  .undone = row.get<std::optional<int64_t>>(12)};
    for (const char slot : row.text(4)) vote.order.push_back(slot - '0');
    use(vote);
  }
}

void each_rating(Connection& connection, RatingKind kind, const VoteRange& range,
                 const Naming& naming, const std::function<void(const KeptRating&)>& use) {
  auto row = connection.query(
      "SELECT r.id, r.person, p.name, r.value, r.created, r.message, coalesce(a.text, m.content), "
      "coalesce(a.version, m.version), coalesce(a.temperature, m.temperature), "
      "coalesce(a.top_p, m.top_p), coalesce(a.top_k, m.top_k), "
      "coalesce(a.max_tokens, m.max_tokens), coalesce(a.seed, m.seed), q.id, q.text, "
      "q.is_messages, q.source, q.created FROM ratings r JOIN people p ON p.id = r.person "
      "LEFT JOIN answers a ON a.id = r.answer LEFT JOIN comparisons c ON c.id = a.comparison "
      "LEFT JOIN prompts q ON q.id = c.prompt LEFT JOIN messages m ON m.id = r.message "
      "WHERE r.kind = ?1 AND r.created > coalesce(?2, -1) AND r.created <= coalesce(?3, r.created) "
      "AND NOT EXISTS(SELECT 1 FROM ratings n WHERE n.person = r.person AND n.kind = r.kind AND "
      "n.id > r.id AND n.answer = r.answer AND n.created <= coalesce(?3, n.created)) "
      "AND NOT EXISTS(SELECT 1 FROM ratings n WHERE n.person = r.person AND n.kind = r.kind AND "
      "n.id > r.id AND n.message = r.message AND n.created <= coalesce(?3, n.created)) "
      "ORDER BY r.id",
      kind, time_of(connection, range.after), time_of(connection, range.until));
  while (row.step()) {
    const auto message = row.get<std::optional<int64_t>>(5);
    const auto prompt =
        message ? prompt_of_message(connection, *message) : std::optional(prompt_at(row, 13));
    if (!prompt) continue;
    use({.id = row.get<int64_t>(0),
         .annotator = naming(row.get<int64_t>(1), row.text(2)),
         .prompt = *prompt,
         .text = row.get<std::string>(6),
         .version = row.get<int64_t>(7),
         .sampling = sampling_at(row, 8),
         .kind = kind,
         .value = row.get<int>(3),
         .created = row.get<int64_t>(4)});
  }
}

}  // namespace rlhf::store
