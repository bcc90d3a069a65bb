#include "serve/policies.h"

#include "core/check.h"
#include "serve/openai/errors.h"
#include "serve/weights_digest.h"

namespace rlhf::serve {

Policies::Policies(store::Store& store, PolicyOptions options)
    : store_(store), options_(std::move(options)) {
  follow();
}

Policies::~Policies() = default;

Policy Policies::promoted() const {
  const std::lock_guard lock(mutex_);
  return loaded_.at(promoted_);
}

std::vector<Policy> Policies::loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<Policy> all;
  for (const auto& [id, policy] : loaded_) all.push_back(policy);
  return all;
}

std::vector<Policy> Policies::by_name() const {
  std::vector<Policy> all{promoted()};
  all[0].name = options_.name;
  for (Policy& policy : loaded()) all.push_back(std::move(policy));
  return all;
}

std::string Policies::name_of_version(int64_t id) const {
  return fmt::format("{}-v{}", options_.name, id);
}

Policy Policies::load(const store::ModelVersion& version) const {
  if (weights_digest(version.path) != version.digest) {
    input_error(version.path, "expected the weights of version {} (digest {}...), got others",
                version.id, version.digest.substr(0, 12));
  }
  auto model = std::make_shared<const LoadedLanguageModel>(options_.load(version.path));
  auto engine = std::make_shared<engine::Engine>(model, options_.engine);
  return {.name = name_of_version(version.id),
          .version = version.id,
          .created = version.created / 1'000'000,
          .engine = std::move(engine),
          .model = std::move(model)};
}

Policy Policies::version(int64_t id) {
  const std::lock_guard loading(loading_);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = loaded_.find(id); found != loaded_.end()) return found->second;
  }
  const auto version = store::find_version(store_, id);
  if (!version)
    throw store::NotFound(fmt::format("[version] expected one that is there, got {}", id));
  const Policy policy = load(*version);
  const std::lock_guard lock(mutex_);
  return loaded_[id] = policy;
}

Policy Policies::named(const std::string& name) {
  if (name.empty() || name == options_.name) return promoted();
  for (const Policy& policy : loaded()) {
    if (policy.name == name) return policy;
  }
  throw openai::no_such_model(name);
}

void Policies::follow() {
  const auto promoted = store::promoted_version(store_);
  if (!promoted) input_error("version", "expected a promoted version, found none");
  version(promoted->id);
  std::vector<Policy> gone;
  {
    const std::lock_guard lock(mutex_);
    promoted_ = promoted->id;
    for (const store::ModelVersion& version : store::versions(store_)) {
      const auto found = loaded_.find(version.id);
      const bool stays = version.state == store::VersionState::promoted ||
                         version.state == store::VersionState::candidate;
      if (stays || found == loaded_.end()) continue;
      gone.push_back(std::move(found->second));
      loaded_.erase(found);
    }
  }
  for (Policy& policy : gone) retire(std::move(policy));
}

void Policies::retire(Policy policy) {
  const std::lock_guard lock(mutex_);
  retiring_.emplace_back(
      [policy = std::move(policy), drain = options_.drain] { policy.engine->drain(drain); });
}

void Policies::drain(std::chrono::milliseconds at_most) {
  for (const Policy& policy : loaded()) policy.engine->drain(at_most);
}

}  // namespace rlhf::serve
