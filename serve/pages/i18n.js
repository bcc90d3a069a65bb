// English and Chinese. Elements remember the key of their words, so that a change of the language
// changes them where they stand and loses nothing that was typed.
const words = new Map();
const attributes = { t_label: 'aria-label', t_title: 'title', t_placeholder: 'placeholder',
  t_column: 'data-column' };

// {key: ['English', '中文'], ...}
export function add_words(dictionary) {
  for (const [key, pair] of Object.entries(dictionary)) words.set(key, pair);
}

export const language = () => (document.documentElement.lang.startsWith('zh') ? 'zh' : 'en');
export const locale = () => (language() === 'zh' ? 'zh-CN' : 'en-GB');

// The words of a key; {name} in them becomes args.name.
export function t(key, args = {}) {
  const pair = words.get(key);
  if (!pair) {
    console.error(`no words for "${key}"`);
    return key;
  }
  return pair[language() === 'zh' ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name) =>
    (args[name] === undefined ? whole : String(args[name])));
}

export const has_words = (key) => words.has(key);

// Gives an element its words and lets it remember them; see el() in dom.js for the options.
export function put_words(element, options) {
  if (options.t) element.dataset.t = options.t;
  if (options.args) element.dataset.args = JSON.stringify(options.args);
  for (const name of Object.keys(attributes)) {
    if (options[name]) element.dataset[name] = options[name];
  }
  translate_one(element);
}

function translate_one(element) {
  const data = element.dataset;
  const args = data.args ? JSON.parse(data.args) : {};
  if (data.t) element.textContent = t(data.t, args);
  for (const [name, attribute] of Object.entries(attributes)) {
    if (data[name]) element.setAttribute(attribute, t(data[name], args));
  }
}

export function translate(root) {
  const marked = '[data-t], [data-t_label], [data-t_title], [data-t_placeholder], [data-t_column]';
  if (root.matches && root.matches(marked)) translate_one(root);
  for (const element of root.querySelectorAll(marked)) translate_one(element);
}

export function set_language(name) {
  remember('language', name);
  document.documentElement.lang = name === 'zh' ? 'zh-CN' : 'en';
  translate(document.documentElement);
  document.dispatchEvent(new Event('language'));
}

// What the browser keeps for this person; it may be forbidden to.
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`rlhf_${name}`);
    else localStorage.setItem(`rlhf_${name}`, value);
  } catch (blocked) {
    // Works without.
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(`rlhf_${name}`);
  } catch (blocked) {
    return null;
  }
}
