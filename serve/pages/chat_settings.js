// How answers are drawn, and the system message a chat begins with. Kept in the browser.
import { by_id, el, fill } from './dom.js';
import { recall, remember } from './i18n.js';

const ranges = [  // name, least, most, step, at first
  ['temperature', 0, 2, 0.05, 0.8],
  ['top_p', 0.05, 1, 0.05, 0.95],
  ['max_tokens', 1, 2048, 1, 128],  // a server's own choice, or what its model has room for
];

function stored() {
  try {
    return JSON.parse(recall('sampling')) || {};
  } catch (broken) {
    return {};
  }
}

const keep = (name, value) =>
  remember('sampling', JSON.stringify({ ...stored(), [name]: value }));

let values = {};

function range_field([name, min, max, step]) {
  const slider = el('input', { type: 'range', id: name, min, max, step, value: values[name] });
  const box = el('input', { type: 'number', id: `${name}_number`, t_label: name, min, max, step,
    value: values[name] });
  const take = (event) => {
    const asked = event.target.value === '' ? values[name] : Number(event.target.value);
    const value = Math.min(max, Math.max(min, asked));
    values[name] = value;
    keep(name, value);
    if (event.target !== slider) slider.value = value;
    if (event.target !== box || event.type === 'change') box.value = value;
  };
  for (const input of [slider, box]) {
    input.addEventListener('input', take);
    input.addEventListener('change', take);
  }
  return el('div', { class: 'range' }, el('label', { for: name, t: name }), box, slider);
}

// on_colours(whether) is called when tokens are to be coloured or not.
export function build_settings(on_colours) {
  values = Object.fromEntries(ranges.map(([name, min, max, step, first]) => [name, first]));
  Object.assign(values, stored());
  const colours = el('input', { type: 'checkbox', id: 'colours',
    checked: Boolean(values.colours) });
  colours.addEventListener('change', () => {
    keep('colours', colours.checked);
    on_colours(colours.checked);
  });
  on_colours(colours.checked);
  fill(by_id('settings'), el('div', { class: 'stack' },
    el('h2', { t: 'settings' }),
    ranges.map(range_field),
    el('div', { class: 'field' }, el('label', { for: 'seed', t: 'seed' }),
      el('input', { id: 'seed', inputmode: 'numeric', pattern: '[0-9]*', autocomplete: 'off' })),
    el('div', { class: 'field' }, el('label', { for: 'system', t: 'system_message' }),
      el('textarea', { id: 'system', rows: 4 }),
      el('span', { class: 'small soft', t: 'system_fixed' })),
    el('div', { class: 'field' }, el('label', { class: 'check' }, colours,
      el('span', { t: 'probabilities' })),
    el('span', { class: 'small soft', t: 'probabilities_hint' }))));
}

export function sampling() {
  const { temperature, top_p, max_tokens } = values;
  const chosen = { temperature, top_p };
  if ('max_tokens' in stored()) chosen.max_tokens = Math.round(max_tokens);  // asked for by hand
  const seed = by_id('seed').value.trim();
  if (/^\d{1,15}$/.test(seed)) chosen.seed = Number(seed);
  return chosen;
}

export const system_message = () => by_id('system').value.trim();

// A chat that has begun shows its system message; it can no longer be changed.
export function show_system(text, begun) {
  by_id('system').value = text;
  by_id('system').readOnly = begun;
}
