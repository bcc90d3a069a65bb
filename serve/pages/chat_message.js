// One message on the page: who said it, its text, and what can be done with it.
import { el, fill, icon_button, plain } from './dom.js';
import { t } from './i18n.js';
import { toast } from './dialogs.js';
import { real } from './chat_tree.js';
import { token_span, watch_tokens } from './chat_tokens.js';

function branches(message, tree, actions) {
  const siblings = tree.siblings(message);
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(message.id);
  const step = (direction, name, key) => {
    const button = icon_button(name, key, () => actions.turn(message, direction));
    button.disabled = at + direction < 0 || at + direction >= siblings.length;
    return button;
  };
  return el('span', { class: 'branches', role: 'group', t_label: 'branch',
    args: { n: at + 1, of: siblings.length } },
  step(-1, 'left', 'branch_previous'),
  el('span', { text: `${at + 1}/${siblings.length}`, 'aria-hidden': 'true' }),
  step(1, 'right', 'branch_next'));
}

function thumb(message, value, actions) {
  const button = icon_button(value > 0 ? 'up' : 'down', value > 0 ? 'thumb_up' : 'thumb_down',
    () => actions.rate(message, value));
  button.setAttribute('aria-pressed', String(message.thumb === value));
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('copied');
  } catch (forbidden) {
    toast('failed', { message: forbidden.message }, 'bad');
  }
}

function tools(message, tree, actions) {
  const mine = message.role === 'user';
  const asked = tree.by_id.get(message.parent)?.role === 'user';  // not so where that was refused
  return el('div', { class: 'tools_of_message' },
    branches(message, tree, actions),
    !mine && real(message) ? [thumb(message, 1, actions), thumb(message, -1, actions)] : null,
    mine && real(message) ? icon_button('edit', 'edit', () => actions.edit(message)) : null,
    !mine && asked ? icon_button('again', 'regenerate', () => actions.again(message))
      : null,
    icon_button('copy', 'copy_message', () => copy(message.content)),
    message.usage ? el('span', { class: 'small soft', t: 'usage', args: message.usage }) : null);
}

// The text of a message; of an answer that came while the page was open, as its tokens.
export function message_body(message) {
  const body = plain('');
  if (message.tokens?.length) {
    body.append(...message.tokens.map(token_span));
    body.tabIndex = 0;
    watch_tokens(body);
  } else {
    body.textContent = message.content;
  }
  return body;
}

const states = { cancelled: 'stopped', stopped: 'stopped', length: 'cut',
  unfinished: 'unfinished', empty: 'empty_answer' };

export function message_element(message, tree, actions) {
  const state = states[message.finish_reason];
  return el('article', { class: `message ${message.role}`, data: { id: message.id } },
    el('header', { class: 'small soft' }, el('b', { t: `role_${message.role}` }),
      message.version ? el('span', { class: 'badge', t: 'version', args: { id: message.version } })
        : null,
      state ? el('span', { class: 'badge warn', t: state }) : null),
    message_body(message),
    message.error ? el('p', { class: 'notice bad small', role: 'alert', t: 'answer_failed',
      args: { message: message.error } }) : null,
    tools(message, tree, actions));
}

// Turns a message of the user into a field with `wording`. send(text) is called when it is sent.
export function edit_in_place(element, wording, send, cancel) {
  const field = el('textarea', { rows: Math.min(12, wording.split('\n').length + 1),
    t_label: 'edit', value: wording });
  const form = el('form', { class: 'stack editing' }, field, el('div', { class: 'row' },
    el('button', { type: 'submit', class: 'primary tiny', t: 'edit_send' }),
    el('button', { type: 'button', class: 'tiny', t: 'cancel', on: { click: cancel } })));
  const submit = () => field.value.trim() && send(field.value.trim());
  form.addEventListener('submit', (event) => { event.preventDefault(); submit(); });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') cancel();
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  fill(element, el('label', { class: 'sr', text: t('edit') }), form);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
