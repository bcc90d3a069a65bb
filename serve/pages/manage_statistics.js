// How people vote: how many, how fast, how alike, and whether a side is favoured.
import { el } from './dom.js';
import { get } from './api.js';
import { number, percent, probability, seconds } from './format.js';
import { has_words } from './i18n.js';
import { interval, table } from './tables.js';

const finite = (value, show) => (Number.isFinite(value) ? show(value) : '–');

function choices_table(choices) {
  const entries = Object.entries(choices);
  const total = entries.reduce((sum, [, n]) => sum + n, 0);
  return table('stat_choices', [
    { t: 'stat_choices', head: true, cell: ([name]) =>
      (has_words(`choice_${name}`) ? el('span', { t: `choice_${name}` }) : name) },
    { t: 'stat_votes', figure: true, cell: ([, n]) => number(n) },
    { t: 'stat_share', figure: true, cell: ([, n]) => (total ? percent(n / total, 1) : '–') },
  ], entries);
}

export async function statistics_panel() {
  const [{ people, choices, agreement, position }, { versions }] =
    await Promise.all([get('/api/statistics'), get('/api/versions')]);
  const candidates = versions.filter(({ comparison }) => comparison);
  const facts = (caption, rows) => table(caption, [
    { t: caption, head: true, cell: ([key]) => el('span', { t: key }) },
    { t: 'stat_value', figure: true, cell: ([, value]) => value },
  ], rows);
  return [
    table('stat_people', [
      { t: 'person_name', head: true, cell: ({ name }) =>
        el('span', { class: 'text', text: name }) },
      { t: 'stat_votes', figure: true, cell: ({ votes }) => number(votes) },
      { t: 'stat_seconds', figure: true, cell: (row) => seconds(row.median_seconds) },
      { t: 'stat_left', figure: true, cell: ({ position: { left, right } }) =>
        percent(left / (left + right)) },
      { t: 'stat_p', figure: true, cell: ({ position: { p } }) =>
        el('span', { class: p < 0.05 ? 'warn' : '', text: probability(p) }) },
      { t: 'stat_agreement', figure: true, cell: (row) => percent(row.agreement) },
    ], people),
    el('div', { class: 'halves' }, choices_table(choices),
      el('div', { class: 'stack' },
        facts('stat_agreement', [
          ['stat_percent', percent(agreement.percent, 1)],
          ['stat_kappa', finite(agreement.kappa, (value) => number(value, 2))],
          ['stat_alpha', finite(agreement.alpha, (value) => number(value, 2))]]),
        facts('stat_position', [['stat_side_left', number(position.left)],
          ['stat_side_right', number(position.right)], ['stat_p', probability(position.p)]]))),
    table('stat_candidates', [
      { t: 'version_name', head: true, cell: ({ name }) => name },
      { t: 'version_rate', cell: ({ comparison: { win_rate, low, high } }) =>
        interval(win_rate, low, high) },
      { t: 'stat_votes', cell: ({ comparison: { wins, losses, ties } }) =>
        el('span', { t: 'version_votes', args: { wins, losses, ties } }) },
    ], candidates),
  ];
}
