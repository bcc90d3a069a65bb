// People, passwords, sessions and tokens.
#include "serve/store/people.h"

#include "serve/store/audit.h"
#include "serve/store/sessions.h"
#include "serve/store/sqlite.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

using People = StoreTest;

TEST_F(People, SignInWithAPasswordAndOutAgain) {
  const int64_t anna = add_person(store(), the_program, "Anna", Role::admin, "correct horse");
  EXPECT_FALSE(sign_in(store(), "Anna", "wrong horse"));
  EXPECT_FALSE(sign_in(store(), "nobody", "correct horse"));
  const Session session = sign_in(store(), "anna", "correct horse").value();
  EXPECT_EQ(session.person.id, anna);
  EXPECT_EQ(session.person.role, Role::admin);
  EXPECT_EQ(session.token.size(), 64u);
  EXPECT_EQ(person_of_session(store(), session.token)->name, "Anna");
  EXPECT_FALSE(person_of_token(store(), session.token)) << "a session is no API token";
  EXPECT_FALSE(person_of_session(store(), ""));
  EXPECT_EQ(content_of(file()).find("correct horse"), std::string::npos);
  EXPECT_EQ(content_of(file().string() + "-wal").find(session.token), std::string::npos);
  sign_out(store(), session.token);
  EXPECT_FALSE(person_of_session(store(), session.token));
}

TEST_F(People, SessionsEndByTimeByPasswordAndByLeaving) {
  person("root", Role::admin);
  const int64_t anna = add_person(store(), the_program, "anna", Role::annotator, "password1");
  const auto fresh = [&](const char* password) {
    return sign_in(store(), "anna", password).value().token;
  };
  std::string token = fresh("password1");
  time += int64_t{31} * 24 * 3600 * second;
  EXPECT_FALSE(person_of_session(store(), token));
  token = fresh("password1");
  change_person(store(), the_program, anna, {.password = "password2"});
  EXPECT_FALSE(person_of_session(store(), token));
  EXPECT_FALSE(sign_in(store(), "anna", "password1"));
  token = fresh("password2");
  const std::string api = new_token(store(), the_program, anna, "script");
  EXPECT_EQ(person_of_token(store(), api)->id, anna);
  change_person(store(), the_program, anna, {.active = false});
  EXPECT_FALSE(person_of_session(store(), token));
  EXPECT_FALSE(person_of_token(store(), api));
  EXPECT_FALSE(sign_in(store(), "anna", "password2"));
}

TEST_F(People, TokensAreShownOnceAndRevoked) {
  const int64_t anna = person("anna");
  const std::string token = new_token(store(), the_program, anna, "laptop");
  const Session session = sign_in_with_token(store(), token).value();
  EXPECT_EQ(person_of_session(store(), session.token)->id, anna);
  const auto kept = tokens_of(store(), anna);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].label, "laptop");
  revoke_token(store(), the_program, kept[0].id);
  EXPECT_FALSE(person_of_token(store(), token));
  EXPECT_FALSE(sign_in_with_token(store(), token));
  EXPECT_THROW(revoke_token(store(), the_program, kept[0].id), NotFound);
  EXPECT_EQ(person_of_session(store(), session.token)->id, anna);
  EXPECT_EQ(person_of_token(store(), renew_token(store(), the_program, anna))->id, anna);
  EXPECT_FALSE(person_of_session(store(), session.token));
  EXPECT_THROW(new_token(store(), the_program, 99), NotFound);
  EXPECT_EQ(content_of(file().string() + "-wal").find(token), std::string::npos);
}

TEST_F(People, AKeyThatCannotBeMadeTakesNoOtherAway) {
  const NewPerson root = add_person_with_token(store(), the_program, "root", Role::admin);
  const Session session = sign_in_with_token(store(), root.token).value();
  store().write([](Connection& connection) {
    connection.run(
        "CREATE TRIGGER failing BEFORE INSERT ON tokens BEGIN SELECT RAISE(ABORT, 'x'); END");
  });
  EXPECT_THROW(renew_token(store(), root.id, root.id), Error);
  EXPECT_EQ(person_of_token(store(), root.token)->id, root.id);
  EXPECT_EQ(person_of_session(store(), session.token)->id, root.id);
  EXPECT_THROW(add_person_with_token(store(), root.id, "anna", Role::annotator), Error);
  EXPECT_EQ(people(store()).size(), 1u) << "nobody is there without a key";
  store().write([](Connection& connection) { connection.run("DROP TRIGGER failing"); });
  const std::string fresh = renew_token(store(), root.id, root.id);
  EXPECT_EQ(person_of_token(store(), fresh)->id, root.id);
  EXPECT_FALSE(person_of_token(store(), root.token));
  EXPECT_FALSE(person_of_session(store(), session.token));
  EXPECT_THROW(renew_token(store(), root.id, 99), NotFound);
}

TEST_F(People, GuessingIsSlowedAndForgiven) {
  add_person(store(), the_program, "anna", Role::annotator, "password1");
  for (int i = 0; i < 5; i++) EXPECT_FALSE(sign_in(store(), "anna", "guess"));
  EXPECT_THROW(sign_in(store(), "Anna", "password1"), TooManyTries);
  time += second;
  EXPECT_FALSE(sign_in(store(), "anna", "guess"));
  try {
    sign_in(store(), "anna", "password1");
    FAIL();
  } catch (const TooManyTries& error) {
    EXPECT_EQ(error.seconds, 2);
  }
  time += 2 * second;
  EXPECT_TRUE(sign_in(store(), "anna", "password1"));
  EXPECT_TRUE(sign_in(store(), "anna", "password1"));
}

TEST_F(People, NamesAndPasswordsAreChecked) {
  person("anna");
  EXPECT_THROW(person("ANNA"), Conflict);
  for (const char* name : {"", "a\nb", "erased-3", "\xff", "a\u202Eb"}) {
    EXPECT_THROW(person(name), InputError) << name;
  }
  EXPECT_THROW(person(std::string(65, 'a')), InputError);
  EXPECT_THROW(add_person(store(), 0, "ben", Role::annotator, "short"), InputError);
  EXPECT_EQ(people(store()).size(), 1u);
  EXPECT_EQ(role_named("admin"), Role::admin);
  EXPECT_EQ(message_of<InputError>([] { role_named("root"); }),
            "[role] expected annotator or admin, got \"root\"");
}

TEST_F(People, OneAdminIsAlwaysLeft) {
  const int64_t root = person("root", Role::admin);
  EXPECT_THROW(change_person(store(), root, root, {.role = Role::annotator}), Conflict);
  EXPECT_THROW(change_person(store(), root, root, {.active = false}), Conflict);
  EXPECT_EQ(find_person(store(), root)->role, Role::admin) << "the refused change was undone";
  const int64_t other = person("other", Role::admin);
  change_person(store(), other, root, {.role = Role::annotator});
  EXPECT_EQ(find_person(store(), "root")->role, Role::annotator);
  EXPECT_THROW(change_person(store(), other, 99, {.active = true}), NotFound);
  const auto log = audit_log(store());
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0].what, "change_person");
  EXPECT_EQ(log[0].who_name, "other");
  EXPECT_EQ(log[0].detail.at("role"), "annotator");
  EXPECT_EQ(audit_log(store(), log[0].id, 1).at(0).id, log[1].id);
}

}  // namespace
}  // namespace rlhf::store
