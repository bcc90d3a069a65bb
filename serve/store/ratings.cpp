#include "serve/store/ratings.h"

#include "serve/store/comparison_rows.h"
#include "serve/store/refusals.h"
#include "serve/store/request_id.h"

namespace rlhf::store {
namespace {

void check_rating(const Rating& rating) {
  check_request_id(rating.request_id);
  if (rating.lease.has_value() == rating.message.has_value() ||
      rating.lease.has_value() != rating.place.has_value()) {
    input_error("rating", "expected a lease and a place, or a message, got {}",
                rating.message ? "both" : "neither");
  }
  const bool thumb = rating.kind == RatingKind::thumb;
  const int least = thumb ? -1 : 1, most = thumb ? 1 : 5;
  if (rating.value < least || rating.value > most) {
    input_error("value", "expected {} to {}, got {}", least, most, rating.value);
  }
}

/// The answer at a place of a lease of the person's.
int64_t answer_of(Connection& connection, int64_t person, const Rating& rating) {
  const Lease lease = load_lease(connection, person, *rating.lease).lease;
  if (*rating.place < 0 || size_t(*rating.place) >= lease.order.size()) {
    input_error("place", "expected 0 to {}, got {}", lease.order.size() - 1, *rating.place);
  }
  return lease.at(*rating.place).id;
}

void check_message(Connection& connection, int64_t person, int64_t message) {
  if (!connection.value<int64_t>("SELECT m.id FROM messages m JOIN chats c ON c.id = m.chat WHERE "
                                 "m.id = ? AND c.person = ? AND m.role = ?",
                                 message, person, rlhf::Role::assistant)) {
    not_found("message", "expected an answer in a chat of yours, got the id {}", message);
  }
}

}  // namespace

int64_t rate(Store& store, int64_t person, const Rating& rating) {
  check_rating(rating);
  return store.write([&](Connection& connection) {
    if (const auto saved = connection.value<int64_t>(
            "SELECT id FROM ratings WHERE person = ? AND request = ?", person, rating.request_id)) {
      return *saved;
    }
    std::optional<int64_t> answer;
    if (rating.message) {
      check_message(connection, person, *rating.message);
    } else {
      answer = answer_of(connection, person, rating);
    }
    return connection.insert(
        "INSERT INTO ratings(request, person, answer, message, kind, value, created) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)",
        rating.request_id, person, answer, rating.message, rating.kind, rating.value, store.now());
  });
}

}  // namespace rlhf::store
