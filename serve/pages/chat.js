// The Chat page: the chats of a person, one of them open, and the answer that is being written.
import { by_id, el, fill, icon, icon_button } from './dom.js';
import { api, get, new_request_id, post } from './api.js';
import { add_words, t, translate } from './i18n.js';
import { announce, ask, tell_failure, toast } from './dialogs.js';
import { ChatTree, real } from './chat_tree.js';
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
let visit = 0;         // counts how often the page has turned to a chat
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

// Before the page turns to another chat: an answer that is being written ends, and nothing that was
// asked for before touches the page any more.
function leave_chat() {
  ++visit;
  abort?.abort();
  abort = null;
  writing(false);
}

function new_chat() {
  leave_chat();
  open = null;
  tree = new ChatTree();
  show_system('', false);
  show_chats();
  show_messages();
  close_panels();
  by_id('question').focus();
}

async function open_chat(id) {
  close_panels();
  if (abort && id === open) return;  // its answer is being written
  leave_chat();
  const mine = visit;
  try {
    const chat = await get(`/api/chats/${id}`);
    if (visit !== mine) return;
    leave_chat();  // what was asked of the chat before while this one was on its way
    show_chat(chat);
    to_end();
    by_id('question').focus();
  } catch (error) {
    tell_failure(error);
  }
}

function show_chat(chat) {
  const known = open === chat.id ? tree.by_id : new Map();
  const tokens = (message) => {  // kept while the page is open: the server tells them once
    const old = known.get(message.id);
    return old?.content === message.content ? { tokens: old.tokens, usage: old.usage } : {};
  };
  open = chat.id;
  tree = new ChatTree(chat.messages.map((message) => ({ ...tokens(message), ...message,
    finish_reason: message.role === 'assistant' && message.ended === false
      ? known.get(message.id)?.finish_reason ?? 'unfinished' : undefined })));
  show_system(chat.system, true);
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

// The last answer on the page that the server has: what a new question goes on from.
const last_answer = () =>
  tree.path().filter((message) => message.role === 'assistant' && real(message)).at(-1)?.id ?? null;

// The tree without what the server does not have.
function real_tree() {
  const kept = new ChatTree([...tree.by_id.values()].filter(real));
  for (const [key, id] of tree.chosen) if (kept.by_id.has(id)) kept.chosen.set(key, id);
  return kept;
}

function writing(yes) {
  const [goes, comes] = [by_id(yes ? 'send' : 'stop'), by_id(yes ? 'stop' : 'send')];
  const held = document.activeElement === goes;
  comes.hidden = false;
  if (held) comes.focus();
  goes.hidden = true;
  by_id('messages').setAttribute('aria-busy', String(yes));
}

// An answer that was stopped gets its id from the server, which writes it down a little later: it is
// none of those `before`. here(): whether the page still shows the chat.
async function reload_after_stop(before, here) {
  for (let looks = 0; looks < 5; ++looks) {
    await new Promise((go_on) => { setTimeout(go_on, 200); });
    if (!here()) return;
    const chat = await get(`/api/chats/${open}`);
    if (!here()) return;
    show_chat(chat);
    const last = tree.path().at(-1);
    if (last?.role !== 'assistant' || before.has(last.id)) continue;
    last.finish_reason = 'stopped';
    show_messages();
    to_end();
    return;
  }
}

// Asks for an answer to `question` (a new message of the user) or to the message `parent` again.
// give_back(question) is called when the server did not take it.
async function answer(question, parent, give_back) {
  if (abort) return;
  const mine = new AbortController();
  abort = mine;
  const began = visit;
  const here = () => visit === began;
  let taken = question === null;
  writing(true);
  try {
    if (open === null) {
      const system = system_message();
      const made = await post('/api/chats', system ? { system } : {}, { signal: mine.signal });
      if (!here()) return;
      open = made.id;
      chats = [{ id: open, title: '' }, ...chats];
      show_system(system, true);
      show_chats();
    }
    const before = real_tree().by_id;
    taken = await stream(question, parent, mine.signal, here) || taken;
    if (mine.signal.aborted) await reload_after_stop(before, here);
  } catch (error) {
    if (error.name !== 'AbortError') tell_failure(error);
  }
  if (!here()) return;
  abort = null;
  writing(false);
  if (!taken) give_back(question);
}

// Returns whether the server has named the question.
async function stream(question, parent, signal, here) {
  const chat = open;
  const before = real_tree();
  tree = real_tree();
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
  let named = null;
  await stream_answer(`/api/chats/${chat}/messages`, { ...body, ...sampling() }, reply,
    element.querySelector('.text'), by_id('messages'), ({ id }) => {
      named = id;
      const titled = chats.some((one) => one.id === chat && one.title);
      if (!titled) load_chats().catch(tell_failure);  // the server makes it of the first question
    }, signal);
  if (!here()) return named !== null;
  tree = real_tree();
  if (question !== null && named !== null) tree.add({ ...asked, id: named });
  put_reply({ ...reply, parent: named ?? parent }, before);
  show_messages();
  to_end();
  return named !== null;
}

// Puts an answer that has ended on the page. One of which there is nothing does not push aside what
// stood at its place before.
function put_reply(reply, before) {
  const stopped = reply.finish_reason === 'stopped';
  const failed = reply.error !== undefined;
  const empty = !real(reply) && !reply.content;
  if (empty && !stopped && !failed) reply.finish_reason = 'empty';
  const instead = empty && before.after(reply.parent);
  if (!instead) tree.add(reply);
  else tree.add(instead);
  if (instead && failed) toast('answer_failed', { message: reply.error }, 'bad');
  else if (instead && !stopped) toast('empty_answer', {}, 'bad');
  else if (!failed) announce(t(stopped ? 'stopped' : empty ? 'empty_answer' : 'answer_complete'));
}

const actions = {
  turn(message, steps) {
    tree.turn(message, steps);
    show_messages();
  },
  again(message) {
    answer(null, message.parent);
  },
  edit(message, text = message.content) {
    const element = by_id('messages').querySelector(`[data-id="${message.id}"]`);
    const again = (refused) => actions.edit(message, refused);
    edit_in_place(element, text, (wording) => answer(wording, message.parent ?? null, again),
      show_messages);
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
    answer(text, last_answer(), (refused) => {
      field.value = field.value ? `${refused}\n${field.value}` : refused;  // typed meanwhile
      grow(field);
    });
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
