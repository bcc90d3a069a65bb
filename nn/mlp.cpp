#include "nn/mlp.h"

#include "nn/init.h"

namespace rlhf {

Tensor MultilayerPerceptron::operator()(const Tensor& x) const {
  Tensor h = x;
  for (size_t i = 0; i < layers.size(); i++) {
    h = layers[i](h);
    if (i + 1 < layers.size()) h = rlhf::activation(h, activation);
  }
  return h;
}

MultilayerPerceptron make_mlp(const MlpConfig& config, uint64_t seed, const std::string& name,
                              DType dtype) {
  std::vector<int64_t> sizes{config.inputs};
  sizes.insert(sizes.end(), config.hidden.begin(), config.hidden.end());
  sizes.push_back(config.outputs);
  for (const int64_t size : sizes) {
    if (size < 1) input_error(name, "expected layers of at least one unit, got {}", size);
  }
  MultilayerPerceptron mlp{.layers = {}, .activation = config.activation};
  for (size_t i = 0; i + 1 < sizes.size(); i++) {
    const Linear layer{Tensor::empty({sizes[i], sizes[i + 1]}, dtype),
                       Tensor::zeros({sizes[i + 1]}, dtype)};
    const bool last = i + 2 == sizes.size();
    fill_orthogonal(layer.weight, last ? config.output_gain : config.hidden_gain, seed,
                    name + ".layers." + std::to_string(i) + ".weight");
    mlp.layers.push_back(layer);
  }
  return mlp;
}

}  // namespace rlhf
