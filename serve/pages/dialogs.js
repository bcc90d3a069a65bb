// What stands above a page: sign-in, questions, passing messages. Built of <dialog>, which keeps
// the focus inside and gives it back.
import { t } from './i18n.js';
import { el, fill, icon } from './dom.js';
import { post } from './api.js';

// Shows a dialog until it is closed; resolves to its returnValue ('' when left by Escape).
export function show_dialog(title, content, { wide = false, fixed = false } = {}) {
  const heading = el('h2', { id: `dialog_${Math.random().toString(36).slice(2)}`, ...title });
  const dialog = el('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': heading.id },
    el('div', { class: 'stack' }, heading, content));
  document.body.append(dialog);
  if (fixed) dialog.addEventListener('cancel', (event) => event.preventDefault());
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

export const close_of = (inside, value = '') => inside.closest('dialog').close(value);

// A message that goes by itself; screen readers say it.
export function toast(key, args = {}, kind = '') {
  let box = document.getElementById('toasts');
  if (!box) {
    box = el('div', { id: 'toasts', role: 'status', 'aria-live': 'polite' });
    document.body.append(box);
  }
  const text = t(key, args);
  for (const old of box.children) if (old.textContent === text) old.remove();
  const item = el('div', { class: `toast ${kind}`, text });
  box.append(item);
  setTimeout(() => item.remove(), kind === 'bad' ? 6000 : 2500);
}

// What a person is told of an error: a server that is not there has no words of its own.
export const message_of = (error) => (error.status === 0 ? t('unreachable') : error.message);

export const tell_failure = (error) => toast('failed', { message: message_of(error) }, 'bad');

// Says something to screen readers alone.
export function announce(text) {
  let box = document.getElementById('announcer');
  if (!box) {
    box = el('div', { id: 'announcer', class: 'sr', role: 'status', 'aria-live': 'polite' });
    document.body.append(box);
  }
  box.textContent = text;
}

// Asks before something is done. Resolves to null (no), or to {reason, choice}.
//   text: what will happen; reason: whether to ask for one; choices: [[value, key], ...]
export async function ask(title, text, { danger = false, reason = false, choices = null,
  action = 'confirm' } = {}) {
  const why = el('input', { id: 'ask_reason', maxlength: 500, autocomplete: 'off' });
  const which = el('select', { id: 'ask_choice', t_label: title },
    (choices || []).map(([value, key]) => el('option', { value, t: key })));
  const content = el('form', { class: 'stack', method: 'dialog' },
    el('p', { class: 'soft', text }),
    reason ? el('div', { class: 'field' }, el('label', { for: 'ask_reason', t: 'reason' }), why)
      : null,
    choices ? which : null,
    el('div', { class: 'row end' },
      el('button', { type: 'button', t: 'cancel', on: { click: () => close_of(content) } }),
      el('button', { type: 'submit', class: danger ? 'danger' : 'primary', t: action,
        value: 'yes' })));
  const answer = await show_dialog({ t: title }, content);
  return answer === 'yes' ? { reason: why.value.trim(), choice: which.value } : null;
}

// Shows a secret that will not be shown again.
export function show_once(title, hint, secret) {
  const copy = el('button', { type: 'button', class: 'primary', t: 'copy' });
  const box = el('div', { class: 'token mono', id: 'secret', tabindex: 0, text: secret });
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(secret);
      fill(copy, icon('copy'), t('copied'));
    } catch (forbidden) {
      getSelection().selectAllChildren(box);
    }
  });
  const content = el('div', { class: 'stack' }, el('p', { class: 'soft', t: hint }), box,
    el('div', { class: 'row end' }, copy,
      el('button', { type: 'button', t: 'close', on: { click: () => close_of(content) } })));
  return show_dialog({ t: title }, content, { fixed: true });
}

let signing_in = null;

// The sign-in panel; calls that come while it is open share it.
export function ask_to_sign_in() {
  signing_in ??= sign_in_panel().finally(() => { signing_in = null; });
  return signing_in;
}

async function sign_in_panel() {
  const field = (name, options) => el('div', { class: 'field' },
    el('label', { for: `sign_in_${name}`, t: name }),
    el('input', { id: `sign_in_${name}`, name, ...options }));
  const problem = el('p', { class: 'notice bad', role: 'alert' });
  problem.hidden = true;
  const button = el('button', { type: 'submit', class: 'primary', t: 'sign_in' });
  const form = el('form', { class: 'stack', id: 'sign_in' },
    el('p', { class: 'soft', t: 'sign_in_hint' }),
    field('name', { autocomplete: 'username', autofocus: true }),
    field('password', { type: 'password', autocomplete: 'current-password' }),
    el('div', { class: 'or', t: 'or' }),
    field('token', { type: 'password', autocomplete: 'off', spellcheck: 'false' }),
    problem, button);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { name, password, token } = Object.fromEntries(new FormData(form));
    problem.hidden = true;
    if (!token && !(name && password)) {
      problem.textContent = t('sign_in_incomplete');
      problem.hidden = false;
      return;
    }
    button.disabled = true;
    try {
      await post('/api/session', token ? { token: token.trim() } : { name, password },
        { ask: false });
      close_of(form);
    } catch (refused) {
      problem.textContent = t('sign_in_refused', { message: message_of(refused) });
      problem.hidden = false;
    }
    button.disabled = false;
  });
  await show_dialog({ t: 'sign_in' }, form, { fixed: true });
}
