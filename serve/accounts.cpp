#include "serve/accounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "data/text_file.h"
#include "serve/store/sessions.h"

namespace rlhf::serve {
namespace {

http::Caller caller_of(const store::Person& person) {
  return {person.id, person.name,
          person.role == store::Role::admin ? http::UserRole::admin : http::UserRole::annotator};
}

std::string token_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return "";
  std::string token = read_text(file);
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return token;
}

/// Never readable by others, not even for a moment.
void write_secret(const std::filesystem::path& file, const std::string& token) {
  std::filesystem::remove(file);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string line = token + "\n";
  const bool written =
      descriptor >= 0 && ::write(descriptor, line.data(), line.size()) == ssize_t(line.size());
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  check(written, file.string(), "expected to write a token, got \"{}\"", std::strerror(reason));
}

const store::Person* first_admin(const std::vector<store::Person>& people) {
  const auto admin = std::find_if(people.begin(), people.end(), [](const store::Person& person) {
    return person.active && person.role == store::Role::admin;
  });
  return admin == people.end() ? nullptr : &*admin;
}

}  // namespace

http::Authenticate authenticate_by(store::Store& store) {
  return [&store](const http::Credentials& shown) -> std::optional<http::Caller> {
    const auto person = shown.bearer.empty() ? store::person_of_session(store, shown.session)
                                             : store::person_of_token(store, shown.bearer);
    if (!person) return std::nullopt;
    return caller_of(*person);
  };
}

nlohmann::ordered_json person_json(const store::Person& person) {
  return {{"id", person.id},
          {"name", person.name},
          {"role", store::name_of(person.role)},
          {"active", person.active},
          {"created", person.created},
          {"has_password", person.has_password}};
}

std::string operator_token(store::Store& store, const std::filesystem::path& file, bool renew) {
  const std::string known = token_in(file);
  if (!renew && !known.empty() && store::person_of_token(store, known)) return known;
  const std::vector<store::Person> people = store::people(store);
  if (!people.empty() && known.empty() && !renew) return "";
  const store::Person* admin = first_admin(people);
  const std::string label = "operator";
  const auto who = store::the_program;
  const std::string token =
      !admin
          ? store::add_person_with_token(store, who, "admin", store::Role::admin, {}, label).token
      : renew ? store::renew_token(store, who, admin->id, label)
              : store::new_token(store, who, admin->id, label);
  write_secret(file, token);
  return token;
}

}  // namespace rlhf::serve
