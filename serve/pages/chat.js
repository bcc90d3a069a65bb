// The Chat page: the chats of a person, one of them open, and the answer that is being written.
import { by_id, el, fill, icon, icon_button } from './dom.js';
import { api, get, new_request_id, post } from './api.js';
import { add_words, t, translate } from './i18n.js';
import { announce, ask, tell_failure } from './dialogs.js';
import { ChatTree } from './chat_tree.js';
import { build_settings, sampling, show_system, system_message } from './chat_settings.js';
import { edit_in_place, message_element } from './chat_message.js';
import { start } from './shell.js';
import { stream_answer } from './chat_stream.js';
import { token_card } from './chat_tokens.js';
import words from './words_chat.js';

add_words(words);

let chats = [];
let open = null;       // id of the chat on the page; null: one that is yet to begin
let tree = new ChatTree();
let abort = null;      // ends the answer that is being written
let drafts = 0;        // messages without an id of the server have names: draft_1, ...

const title_of = (chat) => chat.title || t('untitled');

function show_chats() {
  const entry = (chat) => el('li', {},
    el('button', { type: 'button', class: 'quiet chat_link', data: { chat: chat.id },
      'aria-current': chat.id === open && 'true', text: title_of(chat),
      on: { click: () => open_chat(chat.id) } }),
    icon_button('trash', 'delete_chat', () => remove_chat(chat)));
  fill(by_id('chats'), el('div', { class: 'stack' },
    el('button', { type: 'button', id: 'new_chat', on: { click: new_chat } }, icon('plus'),
      el('span', { t: 'new_chat' })),
    chats.length ? el('ul', { class: 'chat_list' }, chats.map(entry))
      : el('p', { class: 'soft small', t: 'no_chats' })));
  const chat = chats.find(({ id }) => id === open);
  const title = by_id('chat_title');
  if (chat) {
    delete title.dataset.t;
    title.textContent = title_of(chat);
  } else {
    title.dataset.t = 'new_chat';
    translate(title);
  }
}

async function load_chats() {
  chats = (await get('/api/chats')).chats;
  show_chats();
}

// Gives the focus back to the button of the same name in the message at the same place, once the
// messages were made anew; null when none had it.
function focus_in(box) {
  const button = document.activeElement;
  const at = [...box.children].findIndex((message) => message.contains(button));
  if (at < 0) return null;
  const name = button.dataset.t_label;
  return () => {
    box.children[at]?.querySelector(`[data-t_label="${name}"]`)?.focus({ preventScroll: true });
    if (!box.contains(document.activeElement)) box.focus({ preventScroll: true });
  };
}

function show_messages() {
  const path = tree.path();
  const box = by_id('messages');
  const held = focus_in(box);
  if (!path.length) {
    fill(box, el('div', { class: 'welcome' }, el('b', { t: 'welcome' }),
      el('span', { t: 'welcome_more' })));
    return;
  }
  fill(box, path.map((message) => message_element(message, tree, actions)));
  held?.();
}

function to_end() {
  const box = by_id('messages');
  box.scrollTop = box.scrollHeight;
}

const panels = ['chats', 'settings'];  // at the sides, or called where there is no room

function close_panels() {
  for (const name of panels) {
    by_id(name).classList.remove('shown');
    by_id(`show_${name}`).setAttribute('aria-expanded', 'false');
  }
}

function call_panel(name) {
  const shown = by_id(name).classList.contains('shown');
  close_panels();
  if (shown) return;
  by_id(name).classList.add('shown');
  by_id(`show_${name}`).setAttribute('aria-expanded', 'true');
  by_id(name).querySelector('button, input').focus();
}

// Escape leaves a panel that was called.
function leave_panel(event) {
  const name = panels.find((one) => by_id(one).classList.contains('shown'));
  if (event.key !== 'Escape' || !name || document.querySelector('dialog[open]')) return;
  close_panels();
  by_id(`show_${name}`).focus();
}

function new_chat() {
  if (abort) abort.abort();
  open = null;
  tree = new ChatTree();
  show_system('', false);
  show_chats();
  show_messages();
  close_panels();
  by_id('question').focus();
}

async function open_chat(id) {
  if (abort) abort.abort();
  close_panels();
  try {
    await load_chat(id);
    to_end();
    by_id('question').focus();
  } catch (error) {
    tell_failure(error);
  }
}

async function load_chat(id) {
  const chat = await get(`/api/chats/${id}`);
  const known = open === id ? tree.by_id : new Map();
  const tokens = (message) => {  // kept while the page is open: the server tells them once
    const old = known.get(message.id);
    return old?.content === message.content ? { tokens: old.tokens, usage: old.usage } : {};
  };
  open = id;
  tree = new ChatTree(chat.messages.map((message) => ({ ...tokens(message), ...message,
    finish_reason: message.role === 'assistant' && message.ended === false
      ? known.get(message.id)?.finish_reason ?? 'unfinished' : undefined })));
  const first = chat.messages.find(({ role }) => role === 'system');
  show_system(first?.content ?? chat.system ?? '', true);
  show_chats();
  show_messages();
}

async function remove_chat(chat) {
  const sure = await ask('delete_chat', t('delete_chat_text', { title: title_of(chat) }),
    { danger: true, action: 'delete' });
  if (!sure) return;
  try {
    await api('DELETE', `/api/chats/${chat.id}`);
    chats = chats.filter(({ id }) => id !== chat.id);
    if (open === chat.id) {
      new_chat();
    } else {
      show_chats();
      by_id('new_chat').focus();  // what had the focus is gone
    }
  } catch (error) {
    tell_failure(error);
  }
}

// The last message on the page that the server knows.
const last_kept = () => tree.path().filter(({ id }) => typeof id === 'number').at(-1)?.id ?? null;

function writing(yes) {
  const [goes, comes] = [by_id(yes ? 'send' : 'stop'), by_id(yes ? 'stop' : 'send')];
  const held = document.activeElement === goes;
  comes.hidden = false;
  if (held) comes.focus();
  goes.hidden = true;
  by_id('messages').setAttribute('aria-busy', String(yes));
}

// An answer that was stopped gets its id from the server, which writes it down a little later.
async function reload_after_stop() {
  const chat = open;
  for (let looks = 0; looks < 5; ++looks) {
    await new Promise((go_on) => { setTimeout(go_on, 200); });
    if (open !== chat) return;
    await load_chat(chat);
    const last = tree.path().at(-1);
    if (last?.role !== 'assistant') continue;
    last.finish_reason = 'stopped';
    show_messages();
    to_end();
    return;
  }
}

// Asks for an answer to `question` (a new message of the user) or to the message `parent` again.
async function answer(question, parent) {
  if (abort) return;
  abort = new AbortController();
  const mine = abort;
  writing(true);
  try {
    if (open === null) {
      const system = system_message();
      const title = question.replace(/\s+/g, ' ').slice(0, 60);
      const made = await post('/api/chats', system ? { title, system } : { title });
      open = made.id;
      await load_chat(open);
      chats = [{ id: open, title }, ...chats.filter(({ id }) => id !== open)];
      parent = last_kept();  // the system message, where it is one of the messages
      show_chats();
    }
    await stream(question, parent, mine.signal);
    if (mine.signal.aborted) await reload_after_stop();
  } catch (error) {
    tell_failure(error);
  }
  abort = null;
  writing(false);
}

async function stream(question, parent, signal) {
  const chat = open;
  const asked = question === null ? tree.by_id.get(parent)
    : { id: `draft_${++drafts}`, parent, role: 'user', content: question };
  const reply = { id: `draft_${++drafts}`, parent: asked.id, role: 'assistant', content: '',
    tokens: [] };
  if (question !== null) tree.add(asked);
  tree.add(reply);
  show_messages();
  to_end();
  const element = by_id('messages').lastElementChild;
  element.classList.add('writing');
  const body = question === null ? { parent, regenerate: true } : { parent, content: question };
  const names = {};
  await stream_answer(`/api/chats/${chat}/messages`, { ...body, ...sampling() }, reply,
    element.querySelector('.text'), by_id('messages'),
    (named) => Object.assign(names, named), signal);
  if (open !== chat) return;  // another chat was opened meanwhile
  const old = tree;
  tree = new ChatTree([...old.by_id.values()].filter(({ id }) => !String(id).startsWith('draft')));
  for (const [key, id] of old.chosen) if (tree.by_id.has(id)) tree.chosen.set(key, id);
  if (question !== null && names.id !== undefined) tree.add({ ...asked, id: names.id });
  tree.add({ ...reply, parent: question === null ? parent : names.id ?? null });
  show_messages();
  to_end();
  announce(t(reply.finish_reason === 'stopped' ? 'stopped' : 'answer_complete'));
}

const actions = {
  turn(message, steps) {
    tree.turn(message, steps);
    show_messages();
  },
  again(message) {
    answer(null, message.parent);
  },
  edit(message) {
    const element = by_id('messages').querySelector(`[data-id="${message.id}"]`);
    edit_in_place(element, message, (text) => answer(text, message.parent ?? null), show_messages);
  },
  async rate(message, value) {
    try {
      await post('/api/ratings', { request_id: new_request_id(), message: message.id,
        kind: 'thumb', value });
      message.thumb = value;
      tree.by_id.get(message.id).thumb = value;
      show_messages();
      announce(t('saved'));
    } catch (error) {
      tell_failure(error);
    }
  },
};

function grow(field) {
  field.style.height = 'auto';
  field.style.height = `${Math.min(field.scrollHeight + 2, 200)}px`;
}

function build_composer() {
  const field = by_id('question');
  const send = () => {
    const text = field.value.trim();
    if (!text || abort) return;
    field.value = '';
    grow(field);
    answer(text, last_kept());
  };
  field.dataset.t_placeholder = 'write_here';
  field.addEventListener('input', () => grow(field));
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  by_id('composer').addEventListener('submit', (event) => { event.preventDefault(); send(); });
  by_id('stop').addEventListener('click', () => abort && abort.abort());
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && abort && !document.querySelector('dialog[open]')) abort.abort();
  });
  for (const [id, sign] of [['send', 'send'], ['stop', 'stop'], ['show_chats', 'list'],
    ['show_settings', 'tune']]) {
    const button = by_id(id);
    button.append(icon(sign));
    button.dataset.t_label = button.dataset.t_title = id;
  }
  for (const name of panels) {
    by_id(`show_${name}`).addEventListener('click', () => call_panel(name));
  }
  addEventListener('keydown', leave_panel);
}

async function main() {
  build_composer();
  build_settings((yes) => by_id('messages').classList.toggle('coloured', yes));
  document.body.append(token_card());
  show_chats();
  show_messages();
  document.addEventListener('language', show_chats);
  await start('chat');
  await load_chats();
  by_id('question').focus();
}

main().catch(tell_failure);
