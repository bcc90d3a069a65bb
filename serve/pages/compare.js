// The Compare page: asks for a comparison, takes a vote, sends it until it is saved, goes on.
import { by_id, fill } from './dom.js';
import { get, new_request_id, post } from './api.js';
import { add_words, t } from './i18n.js';
import { announce, message_of, tell_failure, toast } from './dialogs.js';
import { build_ballot, choices_for, chosen_strength, clear_ballot, lock_ballot, note_text,
  say_state, show_keys } from './ballot.js';
import { mark_choice, mark_rating, show_comparison, show_waiting } from './compare_view.js';
import { send_kept_votes, send_vote } from './vote_sender.js';
import { show_progress } from './compare_numbers.js';
import { data_panel } from './data_panel.js';
import { start } from './shell.js';
import data_words from './words_data.js';
import words from './words_compare.js';

add_words(words);
add_words(data_words);

let me = null;
let shown = null;    // the comparison on the page
let sending = false;
let answers_built = 0;
let last_progress = null;
const clock = { seen: 0, since: 0 };  // time for which the page was in view, in milliseconds

function start_clock() {
  clock.seen = 0;
  clock.since = performance.now();
}

function clock_time() {
  return Math.round(clock.seen + (document.hidden ? 0 : performance.now() - clock.since));
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clock.seen += performance.now() - clock.since;
  else clock.since = performance.now();
});

async function refresh_progress() {
  try {
    last_progress = await get('/api/progress');
    show_progress(last_progress);
  } catch (later) {
    // The next vote asks again.
  }
}

function show(comparison) {
  shown = { ...comparison, request_id: new_request_id() };
  const k = comparison.answers.length;
  if (k !== answers_built) build_ballot(k, { vote, undo });
  answers_built = k;
  clear_ballot();
  mark_choice(null);
  show_comparison(comparison, rate);
  lock_ballot(false);
  start_clock();
}

// Shows the next comparison, or that there is none and asks again after a while.
async function next() {
  shown = null;
  for (;;) {
    let comparison;
    try {
      comparison = await post('/api/comparisons/next');
    } catch (error) {
      tell_failure(error);
      await new Promise((go_on) => { setTimeout(go_on, 3000); });
      continue;
    }
    if (shown) return;  // undo was faster
    if (!comparison.waiting) {
      show(comparison);
      return;
    }
    show_waiting(comparison.reason, me.role, undo);
    const pause = comparison.reason === 'making_answers' ? 1000 : 4000;
    await new Promise((go_on) => { setTimeout(go_on, pause); });
    if (shown) return;
  }
}

async function vote({ choice, place }, strength = chosen_strength()) {
  if (!shown || sending) return;
  sending = true;
  lock_ballot(true);
  mark_choice(choice === 'better' ? place : null);
  say_state('sending');
  const body = { request_id: shown.request_id, lease: shown.lease, choice, note: note_text(),
    milliseconds: clock_time() };
  if (choice === 'better') body.place = place;
  if (choice === 'better' && strength) body.strength = strength;
  try {
    const saved = await send_vote(me.id, body, (error, n) =>
      say_state('not_saved', { message: message_of(error), n }, true));
    say_state('vote_saved', { mine: saved.mine, today: saved.today });
    refresh_progress();
  } catch (refused) {
    say_state('vote_refused', { message: refused.message });
    toast('vote_refused', { message: refused.message }, 'bad');
  }
  sending = false;
  await next();
}

async function undo() {
  if (sending) return;
  try {
    const back = await post('/api/votes/undo', { request_id: new_request_id() });
    show(back.comparison || back);
    say_state('undone');
    refresh_progress();
  } catch (refused) {
    toast('nothing_to_undo', { message: refused.message }, 'bad');
  }
}

async function rate(button, place, kind, value) {
  if (!shown) return;
  try {
    await post('/api/ratings', { request_id: new_request_id(), lease: shown.lease, place, kind,
      value });
    mark_rating(button);
    announce(t('rating_saved'));
  } catch (error) {
    tell_failure(error);
  }
}

function toggle_guidelines() {
  const panel = by_id('guidelines');
  panel.open = !panel.open;
  if (panel.open) panel.scrollIntoView({ block: 'nearest' });
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (event.target.closest('input:not([type="radio"]), textarea, select, dialog')) return;
  if (document.querySelector('dialog[open]')) return;
  if (event.key === 'u') undo();
  if (event.key === 'g') toggle_guidelines();
  if (!shown) return;
  const k = shown.answers.length;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] || event.key;
  const choice = choices_for(k).find(({ key }) => key === digit);
  if (choice) vote(choice, event.shiftKey && choice.choice === 'better' ? 2 : chosen_strength());
  else if (event.key === 's') vote({ choice: 'skip' });
  else if (event.key === '?') show_keys(k);
  else if (event.key === 'n') by_id('note').focus();
  else return;
  event.preventDefault();
});

document.addEventListener('language', () => last_progress && show_progress(last_progress));

async function main() {
  by_id('prompt').hidden = by_id('answers').hidden = true;
  show_progress({});
  me = await start('compare');
  if (me.role === 'admin') {
    by_id('data').hidden = false;
    fill(by_id('data_panel'), data_panel(() => refresh_progress()));
  }
  await send_kept_votes(me.id, (error) => tell_failure(error));
  refresh_progress();
  setInterval(() => document.hidden || refresh_progress(), 15000);
  await next();
}

main().catch(tell_failure);
