// What a run's model wrote at a step, and how its rewards were spread.
import { by_id, el, fill, plain } from './dom.js';
import { figure } from './format.js';
import { get } from './api.js';
import { Histogram } from './charts.js';
import { path_of } from './curve_data.js';
import { add_words } from './i18n.js';
import { tell_failure } from './dialogs.js';
import words from './words_runs.js';

add_words(words);

const histogram = new Histogram();
const run_box = el('select', { id: 'samples_run' });
const step_box = el('input', { id: 'samples_step', type: 'range', min: 0, max: 0, step: 1,
  value: 0 });
const step_name = el('output', { for: 'samples_step' });
const newest = el('input', { type: 'checkbox', id: 'newest', checked: true });
const rows_box = el('div', { class: 'sample_rows' });
let eras = new Map();  // of the runs: how often each was started anew
let steps = [];
let shown = '';  // what the rows belong to

function sample(row) {
  const marks = [Number.isFinite(row.score)
    ? el('span', { class: 'badge accent', t: 'score_is', args: { score: figure(row.score) } })
    : null,
  Number.isFinite(row.kl)
    ? el('span', { class: 'badge', t: 'kl_is', args: { kl: figure(row.kl) } }) : null];
  const prompt = typeof row.prompt === 'string' ? row.prompt
    : row.prompt.map(({ content }) => content).join('\n');
  return el('article', { class: 'sample' },
    el('div', {}, el('h3', { class: 'eyebrow', t: 'prompt' }), plain(prompt, 'div', 'soft')),
    el('div', {}, el('div', { class: 'row apart' }, el('h3', { class: 'eyebrow', t: 'response' }),
      el('span', { class: 'row' }, marks)), plain(row.response)));
}

function chosen_step() {
  return steps[Number(step_box.value)];
}

async function show_step(force) {
  const run = run_box.value;
  const step = chosen_step();
  if (!run || step === undefined) {
    fill(rows_box, el('p', { class: 'empty', t: 'no_samples' }));
    histogram.element.hidden = true;
    step_name.textContent = '';
    shown = '';
    return;
  }
  step_name.textContent = step;
  step_box.setAttribute('aria-valuetext', step);
  const wanted = `${run} ${eras.get(run)} ${step}`;
  if (shown === wanted && !force) return;
  shown = wanted;
  const { rows } = await get(`${path_of(run)}/samples?after=${step - 1}&limit=16`);
  if (shown !== wanted) return;  // the slider went on
  fill(rows_box, rows.filter((row) => row.step === step).map(sample));
  try {
    const { edges, counts } = await get(`${path_of(run)}/rewards?step=${step}`);
    if (shown !== wanted) return;
    histogram.element.hidden = !counts.length;
    if (counts.length) histogram.draw(step, edges, counts);
  } catch (none) {
    histogram.element.hidden = true;
  }
}

export function build_samples() {
  histogram.element.hidden = true;
  step_box.addEventListener('input', () => {
    newest.checked = Number(step_box.value) === steps.length - 1;
    show_step().catch(tell_failure);
  });
  for (const box of [run_box, newest]) {
    box.addEventListener('change', () => refresh_samples().catch(tell_failure));
  }
  fill(by_id('samples'), el('div', { class: 'row apart' },
    el('h2', { id: 'samples_title', t: 'samples' }),
    el('div', { class: 'sample_tools' },
      el('label', { for: 'samples_run', t: 'samples_run' }), run_box,
      el('label', { for: 'samples_step' }, el('span', { t: 'samples_step' }), ' ', step_name),
      step_box, el('label', { class: 'check' }, newest, el('span', { t: 'newest' })))),
  el('div', { class: 'sample_board' }, histogram.element, rows_box));
}

// The runs one can look at: [{id, name, era}, ...].
export function offer_runs(runs) {
  eras = new Map(runs.map(({ id, era }) => [id, era]));
  const names = runs.map(({ id }) => id).join('\n');
  if (run_box.dataset.names === names) return;
  run_box.dataset.names = names;
  const before = run_box.value;
  fill(run_box, runs.map(({ id, name }) => el('option', { value: id, text: name })));
  if (runs.some(({ id }) => id === before)) run_box.value = before;
}

async function steps_of(run) {
  try {
    return (await get(`${path_of(run)}/samples?limit=1`)).steps;
  } catch (error) {
    if (error.status === 404) return [];  // it keeps none
    throw error;
  }
}

// Asks which steps there are, goes to the newest when it is to be followed.
export async function refresh_samples(redraw = false) {
  const run = run_box.value;
  const found = run ? await steps_of(run) : [];
  if (run !== run_box.value) return;
  steps = found;
  step_box.max = Math.max(0, steps.length - 1);
  step_box.disabled = steps.length < 2;
  if (newest.checked) step_box.value = step_box.max;
  await show_step(redraw);
}
