#include "serve/store/export_rows.h"

#include <algorithm>

#include "data/messages.h"

namespace rlhf::store {
namespace {

using nlohmann::ordered_json;

/// Llama 2's margins (Touvron et al. 2023, table 27, "margin small") for slightly and much better.
constexpr double margins[] = {1.0 / 3, 1};

/// An answer as its prompt is: a text, or the assistant's message.
ordered_json answer_json(const Prompt& prompt, const std::string& text) {
  if (!prompt.is_messages) return text;
  return messages_json(Conversation{{rlhf::Role::assistant, text}});
}

ordered_json sampling_json(const Sampling& sampling) {
  return {{"temperature", sampling.temperature},
          {"top_p", sampling.top_p},
          {"top_k", sampling.top_k},
          {"max_tokens", sampling.max_tokens},
          {"seed", sampling.seed}};
}

/// What all rows of a vote say about it.
void add_vote(ordered_json& row, const KeptVote& vote) {
  row["annotator"] = vote.annotator;
  row["source"] = vote.comparison.prompt.source;
  row["milliseconds"] = vote.milliseconds;
  row["order"] = vote.order;
  row["purpose"] = vote.comparison.purpose == Purpose::collect ? "collect" : "promotion";
  row["comparison"] = vote.comparison.id;
  row["vote"] = vote.id;
  row["created"] = vote.created;
}

/// The answers that a preferred one beat and that can be learnt from.
std::vector<const Answer*> beaten(const KeptVote& vote) {
  std::vector<const Answer*> others;
  if (vote.choice != Choice::better) return others;
  const std::string& best = vote.comparison.answers[size_t(*vote.slot)].text;
  for (const Answer& answer : vote.comparison.answers) {
    if (!best.empty() && !answer.text.empty() && answer.text != best) others.push_back(&answer);
  }
  return others;
}

ordered_json label_row(const KeptVote& vote, const Answer& answer, bool label) {
  const Prompt& prompt = vote.comparison.prompt;
  ordered_json row{{"prompt", value_of(prompt)},
                   {"completion", answer_json(prompt, answer.text)},
                   {"label", label},
                   {"from", vote.choice == Choice::better ? "preference" : "both_bad"},
                   {"version", answer.version},
                   {"sampling", sampling_json(answer.sampling)}};
  add_vote(row, vote);
  return row;
}

}  // namespace

Rows preference_rows(const KeptVote& vote) {
  Rows rows;
  const Prompt& prompt = vote.comparison.prompt;
  for (const Answer* other : beaten(vote)) {
    const Answer& best = vote.comparison.answers[size_t(*vote.slot)];
    ordered_json row{{"prompt", value_of(prompt)},
                     {"chosen", answer_json(prompt, best.text)},
                     {"rejected", answer_json(prompt, other->text)}};
    if (vote.strength) row["margin"] = margins[*vote.strength - 1];
    row["versions"] = {{"chosen", best.version}, {"rejected", other->version}};
    row["sampling"] = {{"chosen", sampling_json(best.sampling)},
                       {"rejected", sampling_json(other->sampling)}};
    row["place"] = *vote.place;
    add_vote(row, vote);
    rows.push_back(std::move(row));
  }
  return rows;
}

Rows label_rows(const KeptVote& vote) {
  Rows rows;
  if (vote.choice == Choice::both_bad) {
    for (const Answer& answer : vote.comparison.answers) {
      if (!answer.text.empty()) rows.push_back(label_row(vote, answer, false));
    }
  } else if (const auto others = beaten(vote); !others.empty()) {
    rows.push_back(label_row(vote, vote.comparison.answers[size_t(*vote.slot)], true));
    for (const Answer* other : others) rows.push_back(label_row(vote, *other, false));
  }
  return rows;
}

Rows tie_rows(const KeptVote& vote) {
  if (vote.choice == Choice::skip || !beaten(vote).empty()) return {};
  ordered_json answers = ordered_json::array(), versions = ordered_json::array();
  for (const int slot : vote.order) {
    answers.push_back(vote.comparison.answers[size_t(slot)].text);
    versions.push_back(vote.comparison.answers[size_t(slot)].version);
  }
  ordered_json row{{"prompt", value_of(vote.comparison.prompt)},
                   {"answers", std::move(answers)},
                   {"choice", std::string(name_of(vote.choice))}};
  if (vote.place) row["place"] = *vote.place;
  row["versions"] = std::move(versions);
  add_vote(row, vote);
  return {row};
}

Rows log_rows(const KeptVote& vote) {
  ordered_json answers = ordered_json::array();
  for (const Answer& answer : vote.comparison.answers) {
    answers.push_back({{"text", answer.text},
                       {"version", answer.version},
                       {"sampling", sampling_json(answer.sampling)},
                       {"ended", answer.ended}});
  }
  ordered_json row{{"prompt", value_of(vote.comparison.prompt)},
                   {"answers", std::move(answers)},
                   {"choice", std::string(name_of(vote.choice))}};
  if (vote.place) row["place"] = *vote.place;
  if (vote.slot) row["slot"] = *vote.slot;
  if (vote.strength) row["strength"] = *vote.strength;
  if (!vote.note.empty()) row["note"] = vote.note;
  if (vote.comparison.candidate) row["candidate"] = *vote.comparison.candidate;
  if (vote.undone) row["undone"] = *vote.undone;
  add_vote(row, vote);
  return {row};
}

Rows rating_rows(const KeptRating& rating) {
  if (rating.text.empty() || (rating.kind == RatingKind::thumb && rating.value == 0)) return {};
  ordered_json row{{"prompt", value_of(rating.prompt)},
                   {"completion", answer_json(rating.prompt, rating.text)}};
  if (rating.kind == RatingKind::thumb) {
    row["label"] = rating.value > 0;
    row["from"] = "thumb";
  } else {
    row["score"] = rating.value;
  }
  row["version"] = rating.version;
  row["sampling"] = sampling_json(rating.sampling);
  row["annotator"] = rating.annotator;
  row["source"] = rating.prompt.source;
  row["id"] = rating.id;  // `rating` would be read as the score
  row["created"] = rating.created;
  return {row};
}

}  // namespace rlhf::store
