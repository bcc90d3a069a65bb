// The ballot: buttons and keys of a vote, how much better, a note, and what became of it.
import { by_id, el, fill, icon } from './dom.js';
import { letter } from './format.js';
import { close_of, show_dialog } from './dialogs.js';
import { try_now } from './vote_sender.js';

// The choices for k answers, in the order of their keys: 1 to k an answer, then tie, then all bad.
export function choices_for(k) {
  const choices = Array.from({ length: k }, (unused, place) => ({ choice: 'better', place }));
  choices.push({ choice: 'tie' }, { choice: 'both_bad' });
  return choices.map((choice, i) => ({ ...choice, key: i < 9 ? String(i + 1) : '' }));
}

function choice_button({ choice, place, key }, k, vote) {
  const words = choice === 'better' ? { t: 'is_better', args: { name: letter(place) } }
    : { t: choice === 'both_bad' && k > 2 ? 'all_bad' : choice };
  return el('button', { type: 'button', class: choice === 'better' ? 'win' : '',
    'aria-keyshortcuts': key || null, data: { choice, place: place ?? '' },
    on: { click: () => vote({ choice, place }) } },
  key ? el('kbd', { text: key, 'aria-hidden': 'true' }) : null, el('span', words));
}

function strength() {
  const option = (value) => el('label', {},
    el('input', { type: 'radio', name: 'strength', value }),
    el('span', { t: `strength_${value}` }));
  const box = el('fieldset', { class: 'segments' }, el('legend', { t: 'strength' }),
    option(1), option(2));
  box.addEventListener('click', (event) => {  // a second click takes it back
    if (event.target.name !== 'strength') return;
    const again = event.target.dataset.was === 'yes';
    for (const input of box.querySelectorAll('input')) input.dataset.was = '';
    event.target.checked = !again;
    event.target.dataset.was = again ? '' : 'yes';
  });
  return box;
}

function extra(name, sign, key, listener) {
  return el('button', { type: 'button', id: name, class: 'quiet tiny', 'aria-keyshortcuts': key,
    t_label: name, t_title: name, on: { click: listener } }, icon(sign), el('span', { t: name }),
  el('kbd', { text: key, 'aria-hidden': 'true' }));
}

// actions: vote({choice, place}), undo()
export function build_ballot(k, actions) {
  const choices = choices_for(k);
  const order = k === 2 ? [0, 2, 3, 1] : choices.map((unused, i) => i);  // A left, B right
  const note = el('input', { id: 'note', class: 'note', maxlength: 2000, autocomplete: 'off',
    t_label: 'note', t_placeholder: 'note' });
  note.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' || event.key === 'Enter') {
      event.preventDefault();
      note.blur();
    }
  });
  fill(by_id('ballot'),
    el('div', { class: k === 2 ? 'choices' : 'choices many' },
      order.map((i) => choice_button(choices[i], k, actions.vote))),
    el('div', { class: 'extras' }, strength(), note),
    el('div', { class: 'state' },
      el('span', { id: 'vote_state', role: 'status', 'aria-live': 'polite', t: 'ready' }),
      el('button', { type: 'button', class: 'tiny', id: 'try_now', t: 'try_now', hidden: true,
        on: { click: try_now } }),
      el('span', { class: 'spring' }),
      extra('skip', 'skip', 's', () => actions.vote({ choice: 'skip' })),
      extra('undo', 'undo', 'u', actions.undo),
      extra('help', 'help', '?', () => show_keys(k))));
}

export const note_text = () => by_id('note').value.trim();
export const chosen_strength = () =>
  Number(by_id('ballot').querySelector('[name="strength"]:checked')?.value) || null;

// For the next comparison: nothing chosen, nothing written.
export function clear_ballot() {
  by_id('ballot').reset();
  for (const input of by_id('ballot').querySelectorAll('[name="strength"]')) input.dataset.was = '';
}

let pressed = null;  // the button that loses the focus while it cannot be pressed

// While a vote is on its way, its buttons cannot be pressed again.
export function lock_ballot(locked) {
  const buttons = [...by_id('ballot').querySelectorAll('.choices button, #skip, #undo')];
  if (locked) pressed = buttons.find((button) => button === document.activeElement) ?? null;
  for (const button of buttons) button.disabled = locked;
  if (!locked && document.activeElement === document.body) pressed?.focus({ preventScroll: true });
}

export function say_state(key, args = {}, trouble = false) {
  const state = by_id('vote_state');
  const words = el('span', { t: key, args, class: trouble ? 'bad' : '' });
  fill(state, words);
  by_id('try_now').hidden = !trouble;
}

export function show_keys(k) {
  const keys = choices_for(k).filter(({ key }) => key);
  const rows = keys.map(({ choice, place, key }) => [key, choice === 'better'
    ? { t: 'is_better', args: { name: letter(place) } }
    : { t: choice === 'both_bad' && k > 2 ? 'all_bad' : choice }]);
  rows.push(['⇧', { t: 'key_much' }], ['s', { t: 'skip' }], ['u', { t: 'undo' }],
    ['n', { t: 'key_note' }], ['g', { t: 'key_guidelines' }], ['?', { t: 'key_help' }]);
  const content = el('div', { class: 'stack' },
    el('div', { class: 'keys' }, rows.flatMap(([key, words]) =>
      [el('kbd', { text: key }), el('span', words)])),
    el('div', { class: 'row end' }, el('button', { type: 'button', class: 'primary', t: 'close',
      autofocus: true, on: { click: () => close_of(content) } })));
  return show_dialog({ t: 'keys_title' }, content);
}
