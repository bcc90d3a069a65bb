// The Runs page: which runs there are, their curves as they grow, samples and the machine.
import { by_id, el, fill, percent_style } from './dom.js';
import { add_words, recall, remember } from './i18n.js';
import { build_samples, offer_runs, refresh_samples } from './samples.js';
import { close_of, show_dialog, tell_failure } from './dialogs.js';
import { CurveChart, series_colour } from './charts.js';
import { CurveData, path_of } from './curve_data.js';
import { first_choice, grouped, groups } from './metric_groups.js';
import { get } from './api.js';
import { number } from './format.js';
import { show_machine } from './machine.js';
import { start } from './shell.js';
import words from './words_runs.js';

add_words(words);

const every = 2000;  // milliseconds between two looks

let runs = [];
let smoothing = 0.6;
let log = false;
let wanted = null;           // metrics that were chosen by hand; null: a first choice
let machine = null;
const chosen = new Map();    // run id: {data, colour}
const charts = new Map();    // metric: CurveChart

const selected_runs = () => runs.filter(({ id }) => chosen.has(id));

function choose(id, yes) {
  if (yes && !chosen.has(id)) {
    const used = new Set([...chosen.values()].map(({ colour }) => colour));
    let colour = 0;
    while (used.has(colour)) ++colour;
    chosen.set(id, { data: new CurveData(id), colour });
  } else if (!yes) {
    chosen.delete(id);
  }
}

async function show_config(run) {
  const config = await get(`${path_of(run.id)}/config`);
  const content = el('div', { class: 'stack' },
    el('pre', { tabindex: 0, text: JSON.stringify(config, null, 2) }),
    el('div', { class: 'row end' }, el('button', { type: 'button', t: 'close',
      on: { click: () => close_of(content) } })));
  show_dialog({ t: 'config_of', args: { name: run.name } }, content, { wide: true });
}

function run_entry(run) {
  const id = `run_${run.id.replace(/[^\w-]/g, '_')}`;
  const box = el('input', { type: 'checkbox', id, checked: chosen.has(run.id),
    data: { run: run.id, focus: `${run.id} box` } });
  box.addEventListener('change', () => {
    choose(run.id, box.checked);
    refresh().catch(tell_failure);
  });
  const key = el('i', { class: 'key', 'aria-hidden': 'true' });
  if (chosen.has(run.id)) key.style.background = series_colour(chosen.get(run.id).colour);
  const kind = { running: 'good', ended: '', stopped: 'warn' }[run.state] ?? '';
  const step = number(run.steps);
  const total = run.total_steps;
  const at = total ? { t: 'step_of', args: { step, total: number(total) } }
    : { t: 'step', args: { step } };
  const share = total && run.state === 'running' ? run.steps / total : null;
  return el('li', { class: 'run' }, box,
    el('div', {}, el('label', { for: id }, key, run.name),
      el('p', { class: 'small soft' }, run.command ? `${run.command} · ` : null, el('span', at)),
      share === null ? null : el('div', { class: 'meter', role: 'progressbar', 'aria-valuemin': 0,
        'aria-valuemax': 100, 'aria-valuenow': Math.round(Math.min(1, share) * 100),
        'aria-label': run.name }, percent_style(el('i'), 'width', share)),
      el('p', { class: 'row small' },
        el('span', { class: `badge ${kind}`, t: `state_${run.state}` }),
        run.problem ? el('span', { class: 'bad', text: run.problem }) : null,
        run.state === 'running' ? null : el('a', { href: `${path_of(run.id)}/report`,
          target: '_blank', rel: 'noopener', t: 'report', t_label: 'report_of',
          args: { name: run.name }, data: { focus: `${run.id} report` } }),
        el('button', { type: 'button', class: 'link', t: 'config',
          t_label: 'config_of', args: { name: run.name },
          data: { focus: `${run.id} config` },
          on: { click: () => show_config(run).catch(tell_failure) } }))));
}

function show_runs() {
  const focused = document.activeElement?.dataset?.focus;  // made anew below
  fill(by_id('runs'), runs.length ? el('ul', { class: 'run_list' }, runs.map(run_entry))
    : el('p', { class: 'empty', t: 'no_runs' }));
  if (focused) by_id('runs').querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function metrics_there() {
  return [...new Set(selected_runs().flatMap(({ metrics }) => metrics || []))];
}

function metrics_shown() {
  const there = metrics_there();
  const shown = new Set(wanted ?? first_choice(there));
  const by_group = grouped(there);
  return groups.flatMap((group) => by_group[group].filter((metric) => shown.has(metric)));
}

function show_picker() {
  const there = metrics_there();
  const picker = by_id('picker');
  const stamp = there.join('\n');
  if (picker.dataset.stamp === stamp) return;
  picker.dataset.stamp = stamp;
  const shown = new Set(metrics_shown());
  const by_group = grouped(there);
  const entry = (metric) => {
    const box = el('input', { type: 'checkbox', checked: shown.has(metric), data: { metric } });
    box.addEventListener('change', () => {
      wanted = [...picker.querySelectorAll('input:checked')].map((input) => input.dataset.metric);
      show_charts();
    });
    return el('label', { class: 'check small' }, box, el('span', { text: metric }));
  };
  fill(picker, groups.filter((group) => by_group[group].length).map((group) =>
    el('fieldset', {}, el('legend', { class: 'label', t: `group_${group}` }),
      by_group[group].map(entry))));
}

function show_charts() {
  const metrics = metrics_shown();
  for (const [metric, chart] of charts) {
    if (metrics.includes(metric)) continue;
    chart.remove();
    charts.delete(metric);
  }
  const box = by_id('charts');
  const curves = selected_runs().map(({ id, name }) => ({ name, ...chosen.get(id) }));
  box.querySelector('.empty')?.remove();
  if (!metrics.length) box.append(el('p', { class: 'empty card', t: 'choose_run' }));
  metrics.forEach((metric, i) => {
    if (!charts.has(metric)) charts.set(metric, new CurveChart(metric));
    const chart = charts.get(metric);
    if (box.children[i] !== chart.element) box.insertBefore(chart.element, box.children[i] ?? null);
    chart.draw(curves, smoothing, log);
  });
}

function build_controls() {
  smoothing = Number(recall('smoothing') ?? smoothing) || 0;
  const value = el('output', { for: 'smoothing', text: smoothing.toFixed(2) });
  const slider = el('input', { type: 'range', id: 'smoothing', min: 0, max: 0.99, step: 0.01,
    value: smoothing });
  slider.addEventListener('input', () => {
    smoothing = Number(slider.value);
    value.textContent = smoothing.toFixed(2);
    remember('smoothing', slider.value);
    show_charts();
  });
  const scale = el('input', { type: 'checkbox', id: 'log_scale' });
  scale.addEventListener('change', () => { log = scale.checked; show_charts(); });
  fill(by_id('controls'), el('div', { class: 'control_row' },
    el('div', { class: 'smoothing' }, el('label', { for: 'smoothing', t: 'smoothing' }), slider,
      value),
    el('label', { class: 'check' }, scale, el('span', { t: 'log_scale' }))),
  el('details', { id: 'metrics' }, el('summary', { t: 'metrics' }),
    el('div', { id: 'picker', class: 'picker' })));
}

function choose_first() {
  const asked = /^#run=(.+)$/.exec(location.hash);
  const id = asked ? decodeURIComponent(asked[1]) : runs[0]?.id;
  if (runs.some((run) => run.id === id)) choose(id, true);
}

async function refresh() {
  const first = !runs.length;
  runs = (await get('/api/runs')).runs;
  if (first && !chosen.size) choose_first();
  for (const id of [...chosen.keys()]) if (!runs.some((run) => run.id === id)) chosen.delete(id);
  show_runs();
  await Promise.all(selected_runs().map(({ id, metrics, updated }) =>
    chosen.get(id).data.follow(metrics.length > 0, updated)));
  show_picker();
  show_charts();
  offer_runs(selected_runs().map(({ id, name }) =>
    ({ id, name, era: chosen.get(id).data.era })));
  await refresh_samples();
}

async function look() {
  if (!document.hidden) {
    try {
      machine = await get('/api/machine');
      show_machine(machine);
      await refresh();
      by_id('main').classList.remove('arriving');
    } catch (error) {
      tell_failure(error);
    }
  }
  setTimeout(look, every);
}

function redraw() {
  show_runs();
  show_charts();
  if (machine) show_machine(machine);
  refresh_samples(true).catch(tell_failure);
}

async function main() {
  build_controls();
  build_samples();
  await start('runs');
  document.addEventListener('theme', redraw);
  document.addEventListener('language', redraw);
  await look();
}

main().catch(tell_failure);
