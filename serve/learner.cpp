#include "serve/learner.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"
#include "rl/run/checkpoint_folder.h"
#include "serve/store/audit.h"
#include "serve/store/export.h"
#include "serve/store/prompts.h"
#include "serve/store/settings.h"
#include "serve/store/votes.h"
#include "serve/weights_digest.h"

namespace rlhf::serve {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::string_view kChoices = "learning";
constexpr int64_t kMostDeaths = 5;

/// What PPO is to answer: all prompts, but those that are held out.
void write_prompts(store::Store& store, double held_out, const fs::path& file) {
  std::string lines;
  int64_t after = 0;
  for (;;) {
    const auto some = store::list_prompts(store, after, 1000);
    for (const store::Prompt& prompt : some) {
      after = prompt.id;
      if (store::is_held_out(prompt, held_out)) continue;
      lines += nlohmann::ordered_json{{"prompt", store::value_of(prompt)}}.dump() + "\n";
    }
    if (some.size() < 1000) break;
  }
  atomic_write(file, lines);
}

LearningMethod method_in(const json& value, LearningMethod otherwise) {
  return value.contains("method") ? learning_method(value["method"].get<std::string>()) : otherwise;
}

}  // namespace

Learner::Learner(store::Store& store, LearnerOptions options, RunCommand run_command,
                 OnCandidate on_candidate, Complain complain)
    : store_(store),
      options_(std::move(options)),
      run_command_(std::move(run_command)),
      on_candidate_(std::move(on_candidate)),
      complain_(std::move(complain)),
      choices_{options_.settings.method, options_.automatic, options_.least_votes} {
  if (const auto saved = store::setting(store_, kChoices)) {
    choices_.method = method_in(*saved, choices_.method);
    choices_.automatic = saved->value("automatic", choices_.automatic);
    choices_.least_votes = saved->value("least_votes", choices_.least_votes);
  }
  watch_.on_progress = [this](const ProgressState& state) {
    const std::lock_guard lock(mutex_);
    if (!progress_) return;
    progress_->done = state.done;
    progress_->total = state.total;
    const double rate = state.steps_per_second;
    progress_->eta_seconds = rate > 0 ? double(state.total - state.done) / rate : 0;
    progress_->metrics = state.metrics;
  };
}

Learner::~Learner() { stop(); }

int64_t Learner::start(int64_t by, std::optional<LearningMethod> method) {
  const std::lock_guard lock(mutex_);
  if (progress_) throw store::Conflict("[learning] expected none to be running, got one");
  if (ending_) throw store::Conflict("[learning] expected a server that stays, got one that stops");
  if (thread_.joinable()) thread_.join();
  save_end();
  const auto base = store::promoted_version(store_);
  if (!base) throw store::Conflict("[learning] expected a promoted version, found none");
  store::Learning learning{.method = name_of(method.value_or(choices_.method)),
                           .votes_until = store::last_vote(store_),
                           .base_version = base->id,
                           .figures = json::object()};
  const int64_t votes = store::votes_after(store_, 0);
  if (votes < 1) input_error("learning", "expected votes to learn from, found none");
  learning.id = store::start_learning(
      store_, by,
      {.method = learning.method, .votes_until = learning.votes_until, .base_version = base->id});
  begin(learning);
  return learning.id;
}

void Learner::go_on() {
  const std::lock_guard lock(mutex_);
  auto learning = store::running_learning(store_);
  if (!learning || progress_) return;
  const int64_t deaths = learning->figures.value("interrupted", int64_t{0}) + 1;
  learning->figures["interrupted"] = deaths;
  if (deaths >= kMostDeaths) {
    store::end_learning(store_, learning->id,
                        {.state = store::LearningState::failed,
                         .figures = learning->figures,
                         .error = fmt::format("the server ended {} times while it ran", deaths)});
    return;
  }
  store::update_learning(store_, learning->id, learning->run, learning->figures);
  store::add_audit(store_, store::the_program, "resume_learning", {{"learning", learning->id}});
  begin(std::move(*learning));
}

/// REQUIRES: the mutex is held, and nothing runs.
void Learner::begin(store::Learning learning) {
  progress_ = LearningProgress{.id = learning.id, .method = learning.method, .stage = "files"};
  watch_.stop = cancelled_ = false;
  thread_ = std::thread([this, learning = std::move(learning)] {
    try {
      learn(learning);
    } catch (const std::exception& error) {
      complain_(fmt::format("learning {}: {}", learning.id, error.what()));
    }
    const std::lock_guard done(mutex_);
    progress_.reset();
  });
}

void Learner::cancel() {
  const std::lock_guard lock(mutex_);
  if (!progress_) throw store::Conflict("[learning] expected one that is running, found none");
  watch_.stop = cancelled_ = true;
}

void Learner::consider() {
  {
    const std::lock_guard lock(mutex_);
    if (progress_ || ending_) return;
    try {
      save_end();
    } catch (const std::exception&) {  // as was said when it ended
      return;
    }
    if (!choices_.automatic) return;
  }
  if (store::new_votes(store_) >= choices().least_votes) start(store::the_program);
}

std::optional<LearningProgress> Learner::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

LearningChoices Learner::choices() const {
  const std::lock_guard lock(mutex_);
  return choices_;
}

void Learner::choose(int64_t by, const LearningChoices& choices) {
  if (choices.least_votes < 1 || choices.least_votes > 1'000'000) {
    input_error("least_votes", "expected 1 to 1000000, got {}", choices.least_votes);
  }
  store::set_setting(store_, by, kChoices,
                     {{"method", name_of(choices.method)},
                      {"automatic", choices.automatic},
                      {"least_votes", choices.least_votes}});
  const std::lock_guard lock(mutex_);
  choices_ = choices;
}

void Learner::end() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  watch_.stop = true;
}

void Learner::stop() {
  end();
  if (thread_.joinable()) thread_.join();
}

void Learner::learn(store::Learning learning) {
  omp_set_num_threads(std::max(1, options_.threads));
  store::LearningEnd end;
  try {
    end.result_version = make_candidate(learning);
  } catch (const std::exception& error) {
    if (ending_ && !cancelled_) {
      learning.figures.erase("interrupted");  // nothing has died
      store::update_learning(store_, learning.id, learning.run, learning.figures);
      return;
    }
    end.state = cancelled_ ? store::LearningState::cancelled : store::LearningState::failed;
    end.error = cancelled_ ? "" : error.what();
  }
  end.figures = learning.figures;
  conclude(learning.id, end);
}

void Learner::conclude(int64_t id, const store::LearningEnd& end) {
  try {
    store::end_learning(store_, id, end);
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    unsaved_ = {id, end};
    throw;
  }
  if (end.result_version) on_candidate_(*end.result_version);
}

/// REQUIRES: the mutex is held, and nothing runs. @throws as the store does, as long as there is no
/// room.
void Learner::save_end() {
  if (!unsaved_) return;
  const auto [id, end] = *unsaved_;
  store::end_learning(store_, id, end);
  unsaved_.reset();
  if (end.result_version) on_candidate_(*end.result_version);
}

int64_t Learner::make_candidate(store::Learning& learning) {
  LearningFiles files = files_of(learning);
  const bool goes_on = !learning.run.empty();  // the files are there
  if (!goes_on) {
    write_files(files, learning);
    learning.run = files.output.string();
    store::update_learning(store_, learning.id, learning.run, learning.figures);
  }
  if (learning.figures["held_out"] == 0) files.held_out.clear();
  LearningSettings settings = options_.settings;
  settings.method = learning_method(learning.method);
  const std::vector<LearningStage> stages = learning_plan(settings, files);
  for (const LearningStage& stage : stages) {
    run_stage(stage, goes_on, learning.figures);
    store::update_learning(store_, learning.id, learning.run, learning.figures);
  }
  return add_candidate(learning, stages.back().output);
}

LearningFiles Learner::files_of(const store::Learning& learning) const {
  const auto base = store::find_version(store_, learning.base_version);
  check(base.has_value(), "learning", "expected version {}, found none", learning.base_version);
  const fs::path folder = learning.run.empty()
                              ? options_.folder / fmt::format("learning-{}", learning.id)
                              : fs::path(learning.run);
  return {.base = base->path,
          .preferences = folder / "preferences.jsonl",
          .held_out = folder / "held_out.jsonl",
          .prompts = folder / "prompts.jsonl",
          .output = folder,
          .seed = options_.seed + uint64_t(learning.id)};
}

void Learner::write_files(const LearningFiles& files, store::Learning& learning) const {
  fs::create_directories(files.output);
  store::ExportOptions options{.votes_until = learning.votes_until,
                               .held_out = false,
                               .held_out_fraction = options_.held_out};
  json& figures = learning.figures;
  figures["preferences"] = store::export_file(store_, options, files.preferences);
  options.held_out = true;
  figures["held_out"] = store::export_file(store_, options, files.held_out);
  if (figures["preferences"] == 0) {
    input_error("learning", "expected votes that prefer an answer, found none");
  }
  write_prompts(store_, options_.held_out, files.prompts);
}

void Learner::run_stage(const LearningStage& stage, bool goes_on, json& figures) {
  {
    const std::lock_guard lock(mutex_);
    progress_->stage = stage.command;
    progress_->output = stage.output;
    progress_->done = progress_->total = 0;
    progress_->metrics.clear();
  }
  const fs::path summary = stage.output / "summary.json";  // written last
  if (!goes_on || !fs::exists(summary)) {
    const bool saved = goes_on && !checkpoint_steps(stage.output).empty();
    // A run that goes on has the flags that it began with.
    const std::vector<std::string> arguments =
        saved ? std::vector<std::string>{stage.command, "--resume_from_checkpoint",
                                         stage.output.string()}
              : stage.arguments;
    const int code = run_command_(arguments, watch_);
    check(code == 0, stage.command, "expected exit code 0, got {}", code);
  }
  figures[stage.command] = parse_json(read_text(summary), summary.string());
}

int64_t Learner::add_candidate(const store::Learning& learning, const fs::path& folder) const {
  const std::string digest = weights_digest(folder), note = fmt::format("learning {}", learning.id);
  const auto known = store::find_version_of_digest(store_, digest);
  if (known && known->note == note) return known->id;  // the process ended just then
  return store::add_version(store_, store::the_program,
                            {.parent = learning.base_version,
                             .path = fs::absolute(folder).string(),
                             .digest = digest,
                             .method = learning.method,
                             .note = note,
                             .metrics = learning.figures});
}

}  // namespace rlhf::serve
