// An answer as its tokens: each can be looked at, with the mouse or the arrow keys, to see how
// probable it was and what else the model might have said.
import { by_id, el, fill, percent_style } from './dom.js';
import { percent } from './format.js';

// What a token looks like in a list: spaces and line ends become visible.
export const visible = (text) =>
  (text.replace(/\n/g, '⏎').replace(/\t/g, '⇥').replace(/ /g, '␣') || '∅');

const level = (log_prob) => {
  const p = Math.exp(log_prob);
  return p >= 0.8 ? 4 : p >= 0.5 ? 3 : p >= 0.2 ? 2 : p >= 0.05 ? 1 : 0;
};

// The span of one token; its figures are kept on it.
export function token_span(token) {
  const span = el('span', { class: `token_${level(token.log_prob)}`, text: token.text });
  span.figures = token;
  return span;
}

function hide_card() {
  by_id('token_card').hidden = true;
}

function show_card(span) {
  const card = by_id('token_card');
  const { text, log_prob, top = [] } = span.figures;
  const row = (name, value, chosen) => el('li', { class: chosen ? 'chosen' : '' },
    el('code', { text: visible(name) }),
    el('span', { class: 'meter', 'aria-hidden': 'true' },
      percent_style(el('i'), 'width', Math.exp(value))),
    el('span', { class: 'figure', text: percent(Math.exp(value), 1) }));
  const listed = top.some((other) => other.text === text);
  fill(card, el('ol', {}, listed ? null : row(text, log_prob, true),
    top.map((other) => row(other.text, other.log_prob, other.text === text))));
  card.hidden = false;
  const place = span.getClientRects()[0] || span.getBoundingClientRect();
  const width = card.offsetWidth;
  const left = Math.max(8, Math.min(place.left, document.documentElement.clientWidth - width - 8));
  const below = place.bottom + 6 + card.offsetHeight < innerHeight;
  card.style.left = `${left}px`;
  card.style.top = `${below ? place.bottom + 6 : place.top - card.offsetHeight - 6}px`;
}

// Makes the tokens in an element ones to look at.
export function watch_tokens(body) {
  const mark = (span) => {
    body.querySelector('.looked_at')?.classList.remove('looked_at');
    if (!span) return hide_card();
    span.classList.add('looked_at');
    return show_card(span);
  };
  const of = (event) => (event.target.figures ? event.target : null);
  body.addEventListener('mouseover', (event) => mark(of(event)));
  body.addEventListener('mouseleave', () => mark(null));
  body.addEventListener('blur', () => mark(null));
  body.addEventListener('focus', () => {
    if (body.matches(':focus-visible')) mark(body.querySelector('span'));
  });
  body.addEventListener('keydown', (event) => {
    const now = body.querySelector('.looked_at');
    if (event.key === 'Escape') mark(null);
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const next = !now ? body.querySelector('span')
      : event.key === 'ArrowRight' ? now.nextElementSibling : now.previousElementSibling;
    event.preventDefault();
    if (!next) return;
    next.scrollIntoView({ block: 'nearest' });
    mark(next);
  });
  addEventListener('scroll', hide_card, { passive: true });
}

export function token_card() {
  return el('div', { id: 'token_card', class: 'token_card', role: 'status', hidden: true });
}
