// Which metrics belong together, by their names, and which are shown when nobody has chosen.
const rules = [  // the first that fits counts
  ['kl', /(^|[/_])(approx)?kl/],
  ['loss', /loss|perplexity|nll|cross_entropy/],
  ['length', /(^|[/_])(len|length|lengths|tokens)([/_]|$)|eos/],
  ['reward', /reward|score|return|margin|accurac|win_rate|chosen|rejected/],
];

export const groups = ['reward', 'kl', 'length', 'loss', 'other'];

export function group_of(metric) {
  const name = metric.toLowerCase();
  return (rules.find(([, pattern]) => pattern.test(name)) || ['other'])[0];
}

// {reward: [names], kl: [...], ...}, each sorted.
export function grouped(metrics) {
  const found = Object.fromEntries(groups.map((group) => [group, []]));
  for (const metric of [...metrics].sort()) found[group_of(metric)].push(metric);
  return found;
}

const favourites = ['objective/rlhf_reward', 'objective/scores', 'reward', 'rewards/margins',
  'objective/kl', 'tokens/responses_len_mean', 'loss', 'loss/policy_avg', 'train_loss'];

// One of each group but the last: a known one if it is there.
export function first_choice(metrics) {
  const by_group = grouped(metrics);
  return groups.slice(0, 4).flatMap((group) => {
    const names = by_group[group];
    return names.find((name) => favourites.includes(name)) ?? names[0] ?? [];
  });
}
