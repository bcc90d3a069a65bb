// Tables, whose rows become cards on narrow screens, and the bar of an interval.
import { el, percent_style } from './dom.js';
import { percent } from './format.js';

// columns: [{t, cell(row) -> element or text, figure: whether it is a number, head: whether it
// names the row}, ...]
export function table(caption, columns, rows) {
  const cell = (column, row) => {
    const content = column.cell(row);
    return el(column.head ? 'th' : 'td', { scope: column.head && 'row', t_column: column.t,
      class: column.figure ? 'figure' : '' }, content ?? '');
  };
  return el('div', { class: 'table', tabindex: 0, role: 'region', t_label: caption },
    el('table', {}, el('caption', { t: caption }),
      el('thead', {}, el('tr', {}, columns.map((column) =>
        el('th', { scope: 'col', class: column.figure ? 'figure' : '', t: column.t })))),
      el('tbody', {}, rows.length ? rows.map((row) =>
        el('tr', {}, columns.map((column) => cell(column, row))))
        : el('tr', {}, el('td', { colspan: columns.length, class: 'soft', t: 'nothing' })))));
}

// A rate between 0 and 1 with its interval, against the line of one half.
export function interval(rate, low, high) {
  const bar = percent_style(percent_style(el('i'), 'left', low), 'width', high - low);
  const dot = percent_style(el('b'), 'left', rate);
  return el('div', { class: 'interval' },
    el('div', { class: 'interval_bar', 'aria-hidden': 'true' }, bar, dot),
    el('span', { text: `${percent(rate)} (${percent(low)} – ${percent(high)})` }));
}

// Nested figures as rows [['dpo.loss', 0.4], ...]; what is neither number nor text is left out.
export function flat(figures, before = '') {
  return Object.entries(figures || {}).flatMap(([name, value]) => {
    if (['number', 'string'].includes(typeof value)) return [[before + name, value]];
    return value && typeof value === 'object' && !Array.isArray(value)
      ? flat(value, `${before}${name}.`) : [];
  });
}

// Who did something; what nobody did, the server did by itself.
export const somebody = (name) => (name ? el('span', { class: 'text', text: name })
  : el('span', { class: 'soft', t: 'by_server' }));

export const action = (key, listener, classes = '') =>
  el('button', { type: 'button', class: `tiny ${classes}`, t: key, on: { click: listener } });
