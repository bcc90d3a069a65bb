// The versions of the model: how candidates fare, and who decided what about them.
import { el } from './dom.js';
import { get, post } from './api.js';
import { figure, time } from './format.js';
import { has_words, t } from './i18n.js';
import { ask, tell_failure, toast } from './dialogs.js';
import { action, flat, interval, somebody, table } from './tables.js';

const kinds = { promoted: 'good', candidate: 'accent', rejected: 'bad' };
const verdicts = { better: 'good', worse: 'bad' };

async function decide(version, verb, title, refresh) {
  const text = t(verb === 'reject' ? 'reject_text' : 'promote_text', { name: version.name });
  const answer = await ask(title, text, { reason: true, action: title, danger: verb === 'reject' });
  if (!answer) return;
  try {
    await post(`/api/versions/${version.id}/${verb}`, { reason: answer.reason });
    toast('done');
    refresh();
  } catch (error) {
    tell_failure(error);
  }
}

function figures(metrics) {
  const entries = flat(metrics);
  if (!entries.length) return null;
  return el('details', { class: 'small' }, el('summary', { t: 'metrics_of' }),
    el('dl', { class: 'flags mono' }, entries.flatMap(([name, value]) =>
      [el('dt', { text: name }),
        el('dd', { text: typeof value === 'number' ? figure(value) : value })])));
}

function fared({ comparison }) {
  if (!comparison) return el('span', { class: 'soft', text: '–' });
  const { wins, losses, ties, win_rate, low, high, decision } = comparison;
  return el('div', { class: 'stack tight' },
    interval(win_rate, low, high),
    el('span', { class: 'small soft', t: 'version_votes', args: { wins, losses, ties } }),
    el('span', {}, el('span', { class: `badge ${verdicts[decision] ?? ''}`,
      t: `decision_${decision}` })));
}

function buttons(version, refresh) {
  const of = (verb, title, classes) =>
    action(title, () => decide(version, verb, title, refresh), classes);
  const choices = {
    candidate: () => [of('promote', 'promote', 'primary'), of('reject', 'reject', 'danger')],
    retired: () => [of('promote', 'roll_back', '')],
    rejected: () => [of('promote', 'promote', '')],
  }[version.state];
  return choices
    ? el('div', { class: 'row', role: 'group', 'aria-label': version.name }, choices()) : null;
}

export async function versions_panel(refresh) {
  const { versions, decisions: made } = await get('/api/versions');
  const names = new Map(versions.map(({ id, name }) => [id, name]));
  const origin = (version) => el('div', {}, version.method,
    version.parent ? el('div', { class: 'small soft', t: 'child_of',
      args: { parent: names.get(version.parent) ?? version.parent } }) : null);
  const verb = ({ what }) =>
    (has_words(`decided_${what}`) ? el('span', { t: `decided_${what}` }) : what);
  return [
    el('p', { class: 'soft', t: 'versions_hint' }),
    table('tab_versions', [
      { t: 'version_name', head: true, cell: (version) => el('div', {}, version.name,
        version.note ? el('div', { class: 'small soft text', text: version.note }) : null,
        figures(version.metrics)) },
      { t: 'version_state', cell: ({ state }) =>
        el('span', { class: `badge ${kinds[state] ?? ''}`, t: `state_${state}` }) },
      { t: 'version_rate', cell: fared },
      { t: 'version_method', cell: origin },
      { t: 'version_created', cell: ({ created }) => time(created) },
      { t: 'actions', cell: (version) => buttons(version, refresh) },
    ], versions),
    table('decisions', [
      { t: 'when', cell: ({ created }) => time(created) },
      { t: 'version_name', head: true, cell: ({ version }) => names.get(version) ?? version },
      { t: 'what', cell: verb },
      { t: 'who', cell: ({ by }) => somebody(by) },
      { t: 'reason', cell: ({ reason }) => el('span', { class: 'text', text: reason }) },
    ], made),
  ];
}
