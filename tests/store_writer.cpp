// Votes on and on until it is killed, for store_kill_test and bench/kill_votes.py. Each vote is
// announced in a log before it is cast and acknowledged there after it was; the log is written
// without buffers, so that it survives the process.
//
//   store_writer vote DATABASE LOG     votes with eight threads; first sends again what the log has
//                                      no answer to, as a client would
//   store_writer check DATABASE LOG    "announced 12 acknowledged 11 kept 12 lost 0 doubled 0";
//   fails
//                                      when a vote was lost or doubled, or the file is damaged
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "serve/store/maintenance.h"
#include "serve/store/people.h"
#include "serve/store/sqlite.h"
#include "serve/store/versions.h"
#include "serve/store/votes.h"

namespace {

using namespace rlhf::store;

constexpr int threads = 8;

struct Announced {
  int64_t person = 0, lease = 0;
  bool acknowledged = false;
};

/// By request id. The last line may have been cut off by the kill.
std::map<std::string, Announced> read_log(const std::string& path) {
  std::map<std::string, Announced> votes;
  std::ifstream log(path);
  for (std::string line; std::getline(log, line) && !log.eof();) {
    std::istringstream words(line);
    std::string what, request;
    words >> what >> request;
    Announced& vote = votes[request];
    if (what == "vote") words >> vote.person >> vote.lease;
    if (what == "saved") vote.acknowledged = true;
  }
  return votes;
}

class Voter {
 public:
  Voter(Store& store, const std::string& log)
      : store_(store), log_(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {}

  void cast(int64_t person, const std::string& request, int64_t lease) {
    cast_vote(store_, person, {.request_id = request, .lease = lease, .place = 0});
    say("saved " + request + "\n");
  }

  void vote_on_and_on(int64_t person) {
    for (int64_t i = 0;; i++) {
      const auto lease = lease_next(store_, person);
      if (!lease) {
        add_work();
        continue;
      }
      const std::string request = fmt::format("{}-{}-{}", ::getpid(), person, i);
      say(fmt::format("vote {} {} {}\n", request, person, lease->id));
      cast(person, request, lease->id);
    }
  }

 private:
  void say(const std::string& line) {
    rlhf::check(::write(log_, line.data(), line.size()) == ssize_t(line.size()), "log",
                "expected to write a line, got none");
  }
  void add_work() {
    add_prompts(store_, the_program, {{.text = "p"}});
    NewComparison work{.prompt = 1, .wanted_votes = threads};
    for (const char* text : {"a", "b"}) work.answers.push_back({.text = text, .version = 1});
    add_comparison(store_, work);
  }

  Store& store_;
  int log_;
};

void vote(const std::string& database, const std::string& log) {
  Store store(database);
  if (versions(store).empty()) add_version(store, the_program, {.path = "m", .method = "m"});
  while (people(store).size() < threads) {
    add_person(store, the_program, fmt::format("p{}", people(store).size()), Role::annotator);
  }
  Voter voter(store, log);
  for (const auto& [request, announced] : read_log(log)) {
    if (announced.lease && !announced.acknowledged) {
      voter.cast(announced.person, request, announced.lease);
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  std::vector<std::thread> running;
  for (int64_t person = 1; person <= threads; person++) {
    running.emplace_back([&voter, person] { voter.vote_on_and_on(person); });
  }
  for (auto& thread : running) thread.join();
}

int check_votes(const std::string& database, const std::string& log) {
  Store store(database);
  const auto announced = read_log(log);
  std::map<std::string, int64_t> kept;
  int64_t wrong_counts = 0;
  store.read([&](Connection& connection) {
    auto row = connection.query("SELECT request FROM votes");
    while (row.step()) kept[row.get<std::string>(0)]++;
    wrong_counts = *connection.value<int64_t>(
        "SELECT count(*) FROM comparisons c WHERE votes <> (SELECT count(*) FROM votes v WHERE "
        "v.comparison = c.id)");
  });
  int64_t acknowledged = 0, lost = 0, doubled = 0;
  for (const auto& [request, vote] : announced) {
    acknowledged += vote.acknowledged;
    lost += vote.acknowledged && !kept.contains(request);
  }
  for (const auto& [request, count] : kept) doubled += count > 1 || !announced.contains(request);
  const auto problems = integrity_problems(store);
  for (const auto& problem : problems) fmt::print("{}\n", problem);
  fmt::print("announced {} acknowledged {} kept {} lost {} doubled {}\n", announced.size(),
             acknowledged, kept.size(), lost, doubled);
  return lost + doubled + wrong_counts + int64_t(problems.size()) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc == 4 ? argv[1] : "";
    if (what == "check") return check_votes(argv[2], argv[3]);
    if (what == "vote") vote(argv[2], argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "store_writer: {}\n", error.what());
    return 1;
  }
  fmt::print(stderr, "store_writer: expected vote or check, a database and a log\n");
  return 2;
}
