// Prompts, backups, guidelines and the audit log.
import { el, fill } from './dom.js';
import { api, get, post } from './api.js';
import { time } from './format.js';
import { t } from './i18n.js';
import { tell_failure, toast } from './dialogs.js';
import { export_links, import_form } from './data_panel.js';
import { somebody, table } from './tables.js';

// A list that grows by a button. load(last row or null) -> rows; show(rows) -> element
function growing(load, show, size) {
  const box = el('div', { class: 'stack' });
  const rows = [];
  const more = el('button', { type: 'button', t: 'more' });
  const go_on = async () => {
    more.disabled = true;
    try {
      const found = await load(rows.at(-1) ?? null);
      rows.push(...found);
      more.hidden = found.length < size;
      fill(box, show(rows), el('div', { class: 'row' }, more));
    } catch (error) {
      tell_failure(error);
    }
    more.disabled = false;
  };
  more.addEventListener('click', go_on);
  go_on();
  return box;
}

const prompt_text = ({ text, messages }) =>
  (messages ? messages.map(({ role, content }) => `${role}: ${content}`).join('\n') : text);

const short = (text) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);

function prompts_list() {
  const size = 50;
  return growing(
    async (last) => (await get(`/api/prompts?after=${last ? last.id : 0}&limit=${size}`)).prompts,
    (rows) => table('prompts', [
      { t: 'id', head: true, cell: ({ id }) => String(id) },
      { t: 'prompt', cell: (row) => el('div', { class: 'text', dir: 'auto',
        text: short(prompt_text(row)) }) },
      { t: 'source', cell: ({ source }) => source ?? '' },
      { t: 'when', cell: ({ created }) => time(created) },
    ], rows), size);
}

function backup_card() {
  const result = el('p', { class: 'notice good', role: 'status', hidden: true });
  const button = el('button', { type: 'button', t: 'backup_action', id: 'backup' });
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const { file } = await post('/api/backup');
      result.textContent = t('backup_done', { file });
      result.hidden = false;
    } catch (error) {
      tell_failure(error);
    }
    button.disabled = false;
  });
  return el('section', { class: 'card stack' }, el('h2', { t: 'backup' }),
    el('p', { class: 'soft', t: 'backup_hint' }), el('div', { class: 'row' }, button), result);
}

export async function data_tab() {
  const list = el('div', {}, prompts_list());
  return [el('div', { class: 'halves' },
    el('div', { class: 'card' }, import_form(() => fill(list, prompts_list()))),
    el('div', { class: 'stack' }, el('div', { class: 'card' }, export_links()), backup_card())),
  list];
}

export async function guidelines_tab() {
  const { text } = await get('/api/guidelines');
  const field = el('textarea', { id: 'guidelines', rows: 14, value: text ?? '',
    t_label: 'tab_guidelines' });
  const form = el('form', { class: 'card stack' }, el('p', { class: 'soft', t: 'guidelines_hint' }),
    field, el('div', { class: 'row' },
      el('button', { type: 'submit', class: 'primary', t: 'save' })));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await api('PUT', '/api/guidelines', { text: field.value });
      toast('saved');
    } catch (error) {
      tell_failure(error);
    }
  });
  return [form];
}

const detail_text = (detail) => (typeof detail === 'string' ? detail
  : detail === null || detail === undefined ? '' : JSON.stringify(detail));

export async function audit_tab() {
  const size = 100;
  return [growing(
    async (last) => {
      const { entries } = await get(`/api/audit?limit=${size}${last ? `&before=${last.id}` : ''}`);
      return entries;
    },
    (rows) => table('tab_audit', [
      { t: 'when', cell: ({ created }) => time(created) },
      { t: 'who', cell: ({ who }) => somebody(who) },
      { t: 'what', head: true, cell: ({ what }) => what },
      { t: 'detail', cell: ({ detail }) =>
        el('span', { class: 'text', text: detail_text(detail) }) },
    ], rows), size)];
}
