// The Manage page: a tab for each thing an administrator looks after.
import { by_id, el, fill } from './dom.js';
import { add_words } from './i18n.js';
import { message_of, tell_failure } from './dialogs.js';
import { start } from './shell.js';
import { audit_tab, data_tab, guidelines_tab } from './manage_records.js';
import { learning_panel } from './manage_learning.js';
import { people_panel } from './manage_people.js';
import { statistics_panel } from './manage_statistics.js';
import { versions_panel } from './manage_versions.js';
import data_words from './words_data.js';
import words from './words_manage.js';

add_words(words);
add_words(data_words);

// Each gives the elements of its panel: panel(refresh, on_leave, me).
const tabs = { versions: versions_panel, learning: learning_panel, people: people_panel,
  statistics: statistics_panel, data: data_tab, guidelines: guidelines_tab, audit: audit_tab };

let me = null;
let current = '';
let leave = [];  // what to do when the panel goes

const tab_of_address = () => {
  const name = location.hash.slice(1);
  return Object.hasOwn(tabs, name) ? name : 'versions';
};

async function show(name) {
  for (const end of leave.splice(0)) end();
  const changed = current !== name;
  current = name;
  for (const tab of by_id('tabs').children) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute('aria-selected', String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
  const panel = by_id('panel');
  panel.setAttribute('aria-labelledby', `tab_${name}`);
  if (changed) fill(panel, el('p', { class: 'empty', t: 'loading' }));
  try {
    const parts = await tabs[name](() => show(name), (end) => leave.push(end), me);
    if (current !== name) return;
    const inside = panel.contains(document.activeElement);
    fill(panel, parts);
    if (inside) panel.focus();  // what had the focus is gone
  } catch (error) {
    if (current === name) fill(panel, el('p', { class: 'notice bad', role: 'alert',
      text: message_of(error) }));
  }
}

function build_tabs() {
  const names = Object.keys(tabs);
  fill(by_id('tabs'), names.map((name) => el('button', { type: 'button', role: 'tab',
    id: `tab_${name}`, class: 'quiet', 'aria-controls': 'panel', data: { tab: name },
    t: `tab_${name}`, on: { click: () => { location.hash = name; } } })));
  by_id('tabs').addEventListener('keydown', (event) => {
    const at = names.indexOf(current);
    const place = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (place === undefined) return;
    event.preventDefault();
    const next = names[(place + names.length) % names.length];
    location.hash = next;
    by_id(`tab_${next}`).focus();
  });
}

async function main() {
  build_tabs();
  me = await start('manage');
  if (me.role !== 'admin') {
    by_id('tabs').hidden = true;
    fill(by_id('panel'), el('p', { class: 'notice warn', t: 'admins_only' }));
    return;
  }
  addEventListener('hashchange', () => show(tab_of_address()));
  document.addEventListener('language', () => show(current));
  await show(tab_of_address());
}

main().catch(tell_failure);
