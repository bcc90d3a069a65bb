// The frame of every page: bar with the pages, language, theme and who is signed in.
import { add_words, language, recall, remember, set_language, t, translate } from './i18n.js';
import { by_id, el, fill, icon } from './dom.js';
import { api, get, on_unauthorized, post } from './api.js';
import { ask_to_sign_in, message_of, toast } from './dialogs.js';
import words from './words_shell.js';

add_words(words);

const pages = [['compare', '/'], ['chat', '/chat'], ['runs', '/runs'], ['manage', '/manage']];
const themes = ['auto', 'light', 'dark'];

function theme_button() {
  const button = el('button', { type: 'button', id: 'theme', class: 'quiet square' });
  const show = () => {
    const wish = recall('theme') || 'auto';
    fill(button, icon(wish));
    button.dataset.t_label = `theme_${wish}`;
    button.dataset.t_title = `theme_${wish}`;
    translate(button);
  };
  button.addEventListener('click', () => {
    const next = themes[(themes.indexOf(recall('theme') || 'auto') + 1) % themes.length];
    remember('theme', next === 'auto' ? null : next);
    document.dispatchEvent(new Event('theme_wish'));
    show();
  });
  show();
  return button;
}

function language_button() {
  const button = el('button', { type: 'button', id: 'language', class: 'quiet',
    t: 'other_language', t_title: 'switch_language' });
  const mark = () => {  // the button speaks the other language
    button.lang = language() === 'zh' ? 'en' : 'zh-CN';
  };
  button.addEventListener('click', () => set_language(language() === 'zh' ? 'en' : 'zh'));
  document.addEventListener('language', mark);
  mark();
  return button;
}

function name_page(page) {
  document.title = `${t(`nav_${page}`)} · rlhf.cpp`;
}

function build_bar(page) {
  const links = pages.map(([name, path]) => el('a', { href: path, t: `nav_${name}`,
    'aria-current': name === page && 'page', data: { page: name } }));
  const account = el('span', { class: 'who', id: 'who' });
  const leave = el('button', { type: 'button', class: 'quiet square', id: 'sign_out',
    t_label: 'sign_out', t_title: 'sign_out', on: { click: sign_out } }, icon('out'));
  leave.hidden = true;
  fill(by_id('top'), el('div', { class: 'bar' },
    el('a', { class: 'brand', href: '/' },
      el('img', { src: '/static/icon.svg', alt: '', width: 26, height: 26 }), 'rlhf.cpp'),
    el('nav', { t_label: 'nav' }, links),
    el('div', { class: 'tools' }, account, leave, language_button(), theme_button())));
}

async function sign_out() {
  try {
    await api('DELETE', '/api/session', undefined, { ask: false });
  } catch (gone) {
    // Signed out is what was wanted.
  }
  location.reload();
}

// A link with #token=... signs in; the token leaves the address at once.
async function use_token_of_address() {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    await post('/api/session', { token: decodeURIComponent(match[1]) }, { ask: false });
  } catch (refused) {
    toast('sign_in_refused', { message: message_of(refused) }, 'bad');
  }
}

async function who_am_i() {
  for (;;) {
    try {
      return await get('/api/me');
    } catch (broken) {
      if (!broken.passing) throw broken;
      toast('no_answer', {}, 'bad');
      await new Promise((go_on) => { setTimeout(go_on, 2000); });
    }
  }
}

let person = null;  // whom the page was built for

// A page on which somebody else signs in begins anew: what it shows and what it is about to send are
// not theirs.
async function sign_in_again() {
  await ask_to_sign_in();
  if (person === null || (await who_am_i()).id === person) return;
  location.reload();
  await new Promise(() => {});  // the call that waits is never made
}

// Builds the frame, waits for a sign-in where one is needed, and returns what /api/me says. The
// page is shown before, so that it must look right without data.
export async function start(page) {
  build_bar(page);
  name_page(page);
  document.addEventListener('language', () => name_page(page));
  translate(document.documentElement);
  document.documentElement.classList.remove('starting');
  on_unauthorized(sign_in_again);
  await use_token_of_address();
  const me = await who_am_i();
  person = me.id;
  const who = by_id('who');
  who.textContent = me.name;
  who.title = me.name;
  by_id('sign_out').hidden = false;
  if (me.role !== 'admin') document.querySelector('nav a[data-page="manage"]').remove();
  document.documentElement.dataset.role = me.role;
  return me;
}
