// What a comparison looks like: the prompt or conversation, and a card for each answer.
import { by_id, el, fill, icon, plain } from './dom.js';
import { letter } from './format.js';
import { t } from './i18n.js';

const roles = new Set(['system', 'user', 'assistant']);

// Elements that show a prompt, which is a text or a list of messages.
export function prompt_elements(prompt) {
  if (!prompt.messages) {
    const text = plain(prompt.text ?? '');
    text.tabIndex = 0;  // it may scroll
    return text;
  }
  return el('div', { class: 'turns', tabindex: 0 }, prompt.messages.map(({ role, content }) =>
    el('div', { class: `turn ${role === 'user' ? 'user' : ''}` },
      roles.has(role) ? el('b', { t: `role_${role}` }) : el('b', { text: role }),
      plain(content))));
}

function thumb(direction, place, rate) {
  const key = direction > 0 ? 'thumb_up' : 'thumb_down';
  return el('button', { type: 'button', class: 'quiet tiny square', 'aria-pressed': 'false',
    t_label: key, t_title: key, data: { kind: 'thumb', value: direction },
    on: { click: (event) => rate(event.currentTarget, place, 'thumb', direction) } },
  icon(direction > 0 ? 'up' : 'down'));
}

function scores(place, rate) {
  return el('div', { class: 'scores', role: 'group', t_label: 'score' },
    el('span', { class: 'label', t: 'score' }),
    [1, 2, 3, 4, 5].map((value) => el('button', { type: 'button', class: 'quiet tiny square',
      'aria-pressed': 'false', t_label: 'score_of', args: { value }, text: value,
      data: { kind: 'score', value },
      on: { click: (event) => rate(event.currentTarget, place, 'score', value) } })));
}

function answer_card({ place, text }, rate) {
  const body = plain(text);
  body.tabIndex = 0;
  const title = el('h2', { class: 'sign', id: `answer_${place}` },
    el('b', { text: letter(place), 'aria-hidden': 'true' }),
    el('span', { class: 'sr', t: 'answer_name', args: { name: letter(place) } }));
  return el('article', { class: 'card answer', 'aria-labelledby': title.id, data: { place } },
    el('header', {}, title), body,
    el('footer', {}, el('div', { class: 'row' }, thumb(1, place, rate), thumb(-1, place, rate)),
      scores(place, rate)));
}

// rate(button, place, kind, value) is called when an answer is rated.
export function show_comparison(comparison, rate) {
  by_id('main').classList.remove('arriving');
  fill(by_id('prompt_text'), prompt_elements(comparison.prompt));
  fill(by_id('answers'), comparison.answers.map((answer) => answer_card(answer, rate)));
  fill(by_id('guidelines_text'), comparison.guidelines || t('no_guidelines'));
  by_id('prompt').hidden = by_id('answers').hidden = by_id('ballot').hidden = false;
  by_id('waiting').hidden = true;
  const turns = by_id('prompt_text').querySelector('.turns');
  if (turns) turns.scrollTop = turns.scrollHeight;  // the last turn is what is answered
}

// undo: called when the last vote is to be taken back.
export function show_waiting(reason, role, undo) {
  by_id('main').classList.remove('arriving');
  by_id('prompt').hidden = by_id('answers').hidden = by_id('ballot').hidden = true;
  const box = by_id('waiting');
  if (!box.hidden && box.dataset.reason === reason) return;  // said already
  box.hidden = false;
  box.dataset.reason = reason;
  if (reason === 'no_prompts') by_id('data').open = true;
  fill(box, reason === 'making_answers' ? el('div', { class: 'pulse' }) : null,
    el('b', { t: `waiting_${reason}` }),
    el('span', { t: reason === 'no_prompts' && role === 'admin' ? 'import_first'
      : `waiting_${reason}_more` }),
    reason === 'no_prompts' ? null
      : el('button', { type: 'button', class: 'tiny', t: 'undo', on: { click: undo } }));
}

// Marks the rating that the server has acknowledged.
export function mark_rating(button) {
  const { kind } = button.dataset;
  for (const other of button.closest('footer').querySelectorAll(`[data-kind="${kind}"]`)) {
    other.setAttribute('aria-pressed', String(other === button));
  }
}

export function mark_choice(place) {
  for (const card of by_id('answers').children) {
    card.classList.toggle('chosen', Number(card.dataset.place) === place);
  }
}
