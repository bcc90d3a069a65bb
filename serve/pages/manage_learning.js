// Learning from the votes: what goes on, what came of it, when it starts by itself.
import { el, fill, percent_style } from './dom.js';
import { api, get, post } from './api.js';
import { figure, number, seconds, time } from './format.js';
import { has_words, t } from './i18n.js';
import { ask, tell_failure, toast } from './dialogs.js';
import { action, flat, table } from './tables.js';

const kinds = { done: 'good', failed: 'bad', running: 'accent' };
const methods = ['dpo', 'ppo'];

const method_options = () =>
  methods.map((name) => el('option', { value: name, text: name.toUpperCase() }));

function running_card(running, refresh) {
  const share = running.total ? running.done / running.total : 0;
  const cancel = async () => {
    if (!await ask('learning_cancel', t('learning_cancel_text'), { danger: true,
      action: 'learning_cancel' })) return;
    await act(() => api('DELETE', '/api/learning'), refresh);
  };
  return el('div', { class: 'stack' },
    el('div', { class: 'row apart' },
      el('b', { t: 'learning_stage', args: { method: running.method, stage: running.stage } }),
      el('span', { class: 'soft', t: 'learning_of', args: { done: number(running.done),
        total: number(running.total), eta: seconds(running.eta_seconds) } })),
    el('div', { class: 'meter', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100,
      'aria-valuenow': Math.round(share * 100), t_label: 'tab_learning' },
    percent_style(el('i'), 'width', share)),
    el('p', { class: 'small soft mono' }, Object.entries(running.metrics || {}).slice(0, 6)
      .map(([name, value]) => `${name} ${figure(value)}`).join('   ')),
    el('div', { class: 'row' },
      running.run ? el('a', { class: 'button tiny', t: 'learning_run',
        href: `/runs#run=${encodeURIComponent(running.run)}` }) : null,
      action('learning_cancel', cancel, 'danger')));
}

async function act(call, refresh) {
  try {
    await call();
    toast('done');
    refresh();
  } catch (error) {
    tell_failure(error);
  }
}

function now_card(learning, refresh) {
  const { running, since: votes, needed, settings } = learning;
  const box = el('section', { class: 'card stack' }, el('h2', { t: 'learning_now' }));
  if (running) {
    box.append(running_card(running, refresh));
    return box;
  }
  const method = el('select', { id: 'method', t_label: 'method' },
    method_options());
  method.value = settings.method;
  const start = () => act(() => post('/api/learning', { method: method.value }), refresh);
  box.append(el('p', { class: 'soft', t: 'learning_idle' }),
    el('div', { class: 'meter', 'aria-hidden': 'true' },
      percent_style(el('i'), 'width', needed ? votes / needed : 1)),
    el('p', { t: 'new_votes', args: { votes: number(votes), needed: number(needed) } }),
    el('div', { class: 'row' }, el('div', { class: 'method' }, method),
      el('button', { type: 'button', class: 'primary', id: 'learning_start', t: 'learning_start',
        on: { click: start } })));
  return box;
}

// A field for each setting, by the kind of its value.
function settings_form(settings, refresh) {
  const inputs = {};
  const field = ([name, value]) => {
    const id = `setting_${name}`;
    const words = has_words(id) ? { t: id } : { text: name };
    if (typeof value === 'boolean') {
      inputs[name] = el('input', { type: 'checkbox', id, checked: value });
      return el('label', { class: 'check' }, inputs[name], el('span', words));
    }
    inputs[name] = name === 'method'
      ? el('select', { id }, method_options())
      : el('input', { id, autocomplete: 'off', type: typeof value === 'number' ? 'number' : 'text',
        step: 'any' });
    inputs[name].value = value ?? '';
    return el('div', { class: 'field' }, el('label', { for: id, ...words }), inputs[name]);
  };
  const known = Object.entries(settings).filter(([, value]) =>
    ['boolean', 'number', 'string'].includes(typeof value));
  const form = el('form', { class: 'card stack' }, el('h2', { t: 'learning_settings' }),
    el('div', { class: 'fields' }, known.map(field)),
    el('div', { class: 'row' }, el('button', { type: 'submit', t: 'save' })));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const changed = Object.fromEntries(known.map(([name, value]) => [name,
      typeof value === 'boolean' ? inputs[name].checked
        : typeof value === 'number' ? Number(inputs[name].value) : inputs[name].value]));
    act(() => api('PUT', '/api/learning/settings', changed), refresh);
  });
  return form;
}

const figures_text = (figures) => flat(figures).slice(0, 6)
  .map(([name, value]) => `${name} ${typeof value === 'number' ? figure(value) : value}`).join(', ');

function history_table(history) {
  return table('learning_history', [
    { t: 'id', head: true, cell: ({ id }) => String(id) },
    { t: 'when', cell: ({ started }) => time(started) },
    { t: 'method', cell: ({ method }) => method },
    { t: 'state', cell: ({ state }) =>
      el('span', { class: `badge ${kinds[state] ?? ''}`, t: `state_${state}` }) },
    { t: 'result', cell: ({ result, error, figures }) => el('div', {},
      result ? el('span', { t: 'version_number', args: { id: result } }) : null,
      el('div', { class: 'small soft text', text: error || figures_text(figures) })) },
  ], history);
}

export async function learning_panel(refresh, on_leave) {
  const learning = await get('/api/learning');
  const now = el('div', {}, now_card(learning, refresh));
  const history = el('div', {}, history_table(learning.history));
  let before = JSON.stringify(learning);
  const timer = setInterval(async () => {
    if (document.hidden || document.querySelector('dialog[open]')) return;
    try {
      const fresh = await get('/api/learning');
      const text = JSON.stringify(fresh);
      if (text === before) return;
      before = text;
      fill(now, now_card(fresh, refresh));
      fill(history, history_table(fresh.history));
    } catch (later) {
      // The next look tells.
    }
  }, 2000);
  on_leave(() => clearInterval(timer));
  return [el('div', { class: 'halves' }, now, settings_form(learning.settings, refresh)), history];
}
