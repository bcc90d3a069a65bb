// Elements by one call. All text becomes text nodes: nothing that a model, a person or a file says
// is ever read as markup.
import { put_words } from './i18n.js';

const special = new Set(['text', 't', 'args', 't_label', 't_title', 't_placeholder', 't_column',
  'on', 'data', 'class']);

// el('button', {class: 'primary', t: 'send', on: {click: f}}, child, 'text', ...)
//   text: its text; t, args: a key of the dictionary and what stands in its braces; t_label,
//   t_title, t_placeholder, t_column: the same for attributes; on: listeners; data: data-...
//   true and false set and leave out an attribute; null children are left out.
export function el(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  if (options.class) element.className = options.class;
  for (const [name, value] of Object.entries(options)) {
    if (special.has(name) || value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) throw new Error(`${name}: listeners go into "on"`);
    if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [name, value] of Object.entries(options.data || {})) element.dataset[name] = value;
  for (const [name, listener] of Object.entries(options.on || {})) {
    element.addEventListener(name, listener);
  }
  if (options.text !== undefined) element.textContent = String(options.text);
  put_words(element, options);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const by_id = (id) => document.getElementById(id);

export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined));
}

// Text of foreign origin: as it is, in the direction of its first letter.
export function plain(text, name = 'div', classes = '') {
  return el(name, { class: `text ${classes}`.trim(), dir: 'auto', text });
}

const shapes = {
  up: 'M7 10v11H4V10zM7 10l4-8c1.7 0 3 1.3 3 3l-1 4h6a2 2 0 0 1 2 2.4l-1.5 7.6a2 2 0 0 1-2 1.6H7',
  down: 'M17 14V3h3v11zM17 14'
    + 'l-4 8c-1.7 0-3-1.3-3-3l1-4H5a2 2 0 0 1-2-2.4l1.5-7.6a2 2 0 0 1 2-1.6H17',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2'
    + 'M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5',
  auto: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 3v18M15 4v16M18 6.5v11',
  undo: 'M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  skip: 'M5 5l8 7-8 7zM18 5v14',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4'
    + 'M12 17.5v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  again: 'M20 11a8 8 0 1 0-2.3 5.7M20 4v7h-7',
  stop: 'M7 7h10v10H7z',
  send: 'M4 12 20 4l-6 16-3-7zM11 13l9-9',
  left: 'M15 5l-7 7 7 7', right: 'M9 5l7 7-7 7',
  plus: 'M12 5v14M5 12h14',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  list: 'M4 6h16M4 12h16M4 18h16',
  tune: 'M4 7h9M17 7h3M4 17h3M11 17h9'
    + 'M13 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0M7 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0',
  out: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
};

export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', shapes[name]);
  svg.append(path);
  return svg;
}

// A button that is an icon; its name is what screen readers say and the mouse shows.
export function icon_button(name, key, listener, classes = 'quiet tiny square') {
  return el('button', { type: 'button', class: classes, t_label: key, t_title: key,
    on: { click: listener } }, icon(name));
}

// Sets a width or a place in percent; styles set so are not inline styles to a content policy.
export function percent_style(element, property, share) {
  element.style.setProperty(property, `${Math.min(100, Math.max(0, share * 100)).toFixed(2)}%`);
  return element;
}
