// For administrators: prompts in, votes out.
import { el, fill } from './dom.js';
import { api } from './api.js';
import { number } from './format.js';
import { t } from './i18n.js';
import { tell_failure } from './dialogs.js';

// What is written by hand: lines that are JSON objects stay, others are prompts as they stand.
export function as_json_lines(text) {
  return text.split('\n').map((line) => line.trim()).filter((line) => line)
    .map((line) => (/^\{.*\}$/.test(line) ? line : JSON.stringify({ prompt: line }))).join('\n');
}

function report(box, { added, duplicates, refused, refused_total: all }) {
  fill(box, el('p', { t: 'imported', args: { added: number(added), duplicates: number(duplicates),
    refused: number(all ?? refused.length) } }),
  refused.slice(0, 20).map(({ line, message }) =>
    el('p', { class: 'small', t: 'refused_line', args: { line, message } })));
  box.className = refused.length ? 'notice warn' : 'notice good';
  box.hidden = false;
}

export function import_form(on_import) {
  const file = el('input', { type: 'file', id: 'import_file',
    accept: '.jsonl,.json,.ndjson,.txt,application/x-ndjson' });
  const text = el('textarea', { id: 'import_text', rows: 3 });
  const result = el('div', { role: 'status', 'aria-live': 'polite' });
  result.hidden = true;
  const button = el('button', { type: 'submit', class: 'primary', t: 'import_action',
    id: 'import_action' });
  const form = el('form', { class: 'stack' },
    el('h3', { t: 'import_prompts' }),
    el('div', { class: 'field' }, el('label', { for: 'import_file', t: 'import_file' }), file,
      el('span', { class: 'small soft', t: 'import_hint' })),
    el('div', { class: 'field' }, el('label', { for: 'import_text', t: 'import_text' }), text),
    el('div', { class: 'row' }, button), result);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const lines = file.files.length ? await file.files[0].text() : as_json_lines(text.value);
    if (!lines.trim()) {
      fill(result, t('import_nothing'));
      result.className = 'notice warn';
      result.hidden = false;
      return;
    }
    button.disabled = true;
    try {
      report(result, await api('POST', '/api/prompts', lines, { type: 'application/x-ndjson' }));
      form.reset();
      on_import();
    } catch (error) {
      tell_failure(error);
    }
    button.disabled = false;
  });
  return form;
}

export function export_links() {
  const part = el('select', { id: 'export_part' }, el('option', { value: '', t: 'export_all' }),
    el('option', { value: '0', t: 'export_training' }),
    el('option', { value: '1', t: 'export_held_out' }));
  const links = ['preferences', 'kto', 'scores', 'ties', 'log'].map((name) =>
    el('a', { class: 'button tiny', download: `${name}.jsonl`, href: `/api/export/${name}.jsonl`,
      t: `export_${name}`, data: { file: name } }));
  const names = el('input', { type: 'checkbox', id: 'export_names' });
  const point = () => {
    const asked = new URLSearchParams();
    if (part.value !== '') asked.set('held_out', part.value);
    if (names.checked) asked.set('names', '1');
    for (const link of links) {
      link.href = `/api/export/${link.dataset.file}.jsonl${asked.size ? `?${asked}` : ''}`;
    }
  };
  part.addEventListener('change', point);
  names.addEventListener('change', point);
  return el('div', { class: 'stack' }, el('h3', { t: 'export_title' }),
    el('div', { class: 'field' }, el('label', { for: 'export_part', t: 'export_part' }), part),
    el('label', { class: 'check' }, names, el('span', { t: 'export_names' })),
    el('div', { class: 'row' }, links));
}

export function data_panel(on_import) {
  return el('div', { class: 'stack' }, import_form(on_import), export_links());
}
