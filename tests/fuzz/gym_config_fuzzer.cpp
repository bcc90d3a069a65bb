// config.json of an agent of `rlhf gym`.
#include "apps/gym_folder.h"

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(gym_config) {
  using namespace rlhf;
  const auto config = fuzz::accepted([&] { return parse_gym_config(bytes, "config.json"); });
  if (!config) return;
  fuzz::expect(config->hyperparameters.is_object(), "hyper-parameters have names");
  fuzz::expect(parse_gym_config(config->json().dump(), "again").json() == config->json(),
               "an agent's configuration survives being written");
}
