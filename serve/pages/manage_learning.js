// Learning from the votes: what goes on, what came of it, when it starts by itself.
import { by_id, el, fill, percent_style } from './dom.js';
import { api, get, post } from './api.js';
import { figure, number, seconds, time } from './format.js';
import { has_words, put_words, t } from './i18n.js';
import { ask, tell_failure, toast } from './dialogs.js';
import { action, flat, table } from './tables.js';

const kinds = { done: 'good', failed: 'bad', running: 'accent' };
const methods = ['dpo', 'ppo'];

const method_options = () =>
  methods.map((name) => el('option', { value: name, text: name.toUpperCase() }));

// What goes on. show(running) changes its elements where they stand, so that they keep the focus.
function running_card(refresh) {
  const cancel = async () => {
    if (!await ask('learning_cancel', t('learning_cancel_text'), { danger: true,
      action: 'learning_cancel' })) return;
    await act(() => api('DELETE', '/api/learning'), refresh);
  };
  const stage = el('b');
  const far = el('span', { class: 'soft' });
  const share = el('i');
  const bar = el('div', { class: 'meter', role: 'progressbar', 'aria-valuemin': 0,
    'aria-valuemax': 100, t_label: 'tab_learning' }, share);
  const figures_box = el('p', { class: 'small soft mono' });
  const curves = el('a', { class: 'button tiny', t: 'learning_run' });
  const element = el('div', { class: 'stack' }, el('div', { class: 'row apart' }, stage, far), bar,
    figures_box, el('div', { class: 'row' }, curves, action('learning_cancel', cancel, 'danger')));
  const show = ({ method, stage: name, done, total, eta_seconds: eta, run, metrics }) => {
    put_words(stage, { t: 'learning_stage', args: { method: method.toUpperCase(),
      stage: has_words(`stage_${name}`) ? t(`stage_${name}`) : name } });
    far.hidden = !total;
    put_words(far, { t: 'learning_of', args: { done: number(done), total: number(total),
      eta: seconds(eta) } });
    percent_style(share, 'width', total ? done / total : 0);
    bar.setAttribute('aria-valuenow', total ? Math.round(done / total * 100) : 0);
    figures_box.textContent = Object.entries(metrics || {}).slice(0, 6)
      .map(([metric, value]) => `${metric} ${figure(value)}`).join('   ');
    curves.hidden = !run;
    curves.href = `/runs#run=${encodeURIComponent(run)}`;
  };
  return { element, show };
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

// That nothing goes on, and the button that changes it. show(learning) as above.
function idle_card(settings, refresh) {
  const method = el('select', { id: 'method', t_label: 'method' }, method_options());
  method.value = settings.method;
  const start = () => act(() => post('/api/learning', { method: method.value }), refresh);
  const share = el('i');
  const votes = el('p');
  const none_yet = el('p', { class: 'notice' }, el('span', { t: 'learning_no_votes' }), ' ',
    el('a', { href: '/', t: 'learning_vote' }));
  const element = el('div', { class: 'stack' }, el('p', { class: 'soft', t: 'learning_idle' }),
    el('div', { class: 'meter', 'aria-hidden': 'true' }, share), votes, none_yet,
    el('div', { class: 'row' }, el('div', { class: 'method' }, method),
      el('button', { type: 'button', class: 'primary', id: 'learning_start', t: 'learning_start',
        on: { click: start } })));
  const show = ({ since, needed, history }) => {
    none_yet.hidden = since > 0 || history.length > 0;
    percent_style(share, 'width', needed ? since / needed : 1);
    put_words(votes, { t: 'new_votes', args: { votes: number(since), needed: number(needed) } });
  };
  return { element, show };
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

function tell_end({ state }) {
  if (state === 'done') toast('learning_ended');
  if (state === 'failed') toast('learning_failed', {}, 'bad');
}

export async function learning_panel(refresh, on_leave) {
  const now = el('div');
  const history = el('div');
  let before = null;
  let card = null;
  const show = (learning) => {
    if (JSON.stringify(learning) === JSON.stringify(before)) return;
    const { running, settings } = learning;
    if (!before || Boolean(running) !== Boolean(before.running)) {
      card = running ? running_card(refresh) : idle_card(settings, refresh);
      const held = now.contains(document.activeElement);
      fill(now, card.element);
      if (held) by_id('panel').focus();
    }
    card.show(running ?? learning);
    if (before?.history[0]?.state === 'running') tell_end(learning.history[0]);
    fill(history, history_table(learning.history));
    before = learning;
  };
  const first = await get('/api/learning');
  show(first);
  const timer = setInterval(async () => {
    if (document.hidden || document.querySelector('dialog[open]')) return;
    try {
      show(await get('/api/learning'));
    } catch (later) {
      // The next look tells.
    }
  }, 1000);
  on_leave(() => clearInterval(timer));
  return [el('div', { class: 'halves' },
    el('section', { class: 'card stack' }, el('h2', { t: 'learning_now' }), now),
    settings_form(first.settings, refresh)), history];
}
