// Who may vote and who may decide.
import { el } from './dom.js';
import { get, post } from './api.js';
import { time } from './format.js';
import { t } from './i18n.js';
import { ask, close_of, show_dialog, show_once, tell_failure, toast } from './dialogs.js';
import { action, table } from './tables.js';

async function show_token(name, token) {
  const shown = show_once('token_title', 'token_once', token);
  const title = document.querySelector('dialog[open] h2');
  title.textContent = t('token_title', { name });
  title.dataset.args = JSON.stringify({ name });
  await shown;
}

function add_form(refresh) {
  const name = el('input', { id: 'person_name', required: true, maxlength: 64,
    autocomplete: 'off' });
  const password = el('input', { id: 'person_password', type: 'password',
    autocomplete: 'new-password' });
  const role = el('select', { id: 'person_role' }, ['annotator', 'admin'].map((value) =>
    el('option', { value, t: `role_${value}` })));
  const field = (input) => el('div', { class: 'field grow' },
    el('label', { for: input.id, t: input.id }), input);
  const form = el('form', { class: 'card stack' }, el('h2', { t: 'person_add' }),
    el('div', { class: 'row bottom' }, field(name), field(role), field(password),
      el('button', { type: 'submit', class: 'primary', t: 'add', id: 'person_add' })));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = { name: name.value.trim(), role: role.value };
    if (password.value) body.password = password.value;
    try {
      const made = await post('/api/people', body);
      form.reset();
      if (made.token) await show_token(body.name, made.token);
      refresh();
    } catch (error) {
      tell_failure(error);
    }
  });
  return form;
}

async function password_dialog(person, refresh) {
  const input = el('input', { id: 'new_password', type: 'password', required: true,
    autocomplete: 'new-password' });
  const form = el('form', { class: 'stack' },
    el('div', { class: 'field' }, el('label', { for: 'new_password', t: 'password' }), input),
    el('div', { class: 'row end' },
      el('button', { type: 'button', t: 'cancel', on: { click: () => close_of(form) } }),
      el('button', { type: 'submit', class: 'primary', t: 'save' })));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    close_of(form);
    change(person, { password: input.value }, refresh);
  });
  await show_dialog({ t: 'set_password' }, form);
}

async function change(person, what, refresh) {
  try {
    const answer = await post(`/api/people/${person.id}`, what);
    if (answer.token) await show_token(person.name, answer.token);
    else toast('done');
    refresh();
  } catch (error) {
    tell_failure(error);
  }
}

async function renew_token(person, refresh) {
  const sure = await ask('new_token', t('new_token_text', { name: person.name }));
  if (sure) await change(person, { new_token: true }, refresh);
}

async function erase(person, refresh) {
  const answer = await ask('erase', t('erase_text', { name: person.name }), { danger: true,
    action: 'erase', choices: [['keep', 'erase_keep'], ['delete', 'erase_delete']] });
  if (!answer) return;
  try {
    await post(`/api/people/${person.id}/erase`, { votes: answer.choice });
    toast('done');
    refresh();
  } catch (error) {
    tell_failure(error);
  }
}

function actions(person, me, refresh) {
  const other = person.id !== me.id;
  const role = person.role === 'admin' ? 'annotator' : 'admin';
  return el('details', { class: 'menu' }, el('summary', { class: 'button tiny', t: 'actions',
    t_label: 'actions_for', args: { name: person.name } }),
    el('div', { class: 'row' },
      action('new_token', () => renew_token(person, refresh)),
      action('set_password', () => password_dialog(person, refresh)),
      el('a', { class: 'button tiny', href: `/api/people/${person.id}/data`,
        download: `person_${person.id}.json`, t: 'person_data' }),
      other ? action(`make_${role}`, () => change(person, { role }, refresh)) : null,
      other ? action(person.active ? 'deactivate' : 'activate',
        () => change(person, { active: !person.active }, refresh)) : null,
      other ? action('erase', () => erase(person, refresh), 'danger') : null));
}

export async function people_panel(refresh, on_leave, me) {
  const { people } = await get('/api/people');
  return [
    table('tab_people', [
      { t: 'person_name', head: true, cell: ({ name }) =>
        el('span', { class: 'text', text: name }) },
      { t: 'person_role', cell: ({ role }) => el('span', { t: `role_${role}` }) },
      { t: 'person_state', cell: ({ active }) => el('span', {
        class: `badge ${active ? 'good' : ''}`, t: active ? 'active' : 'inactive' }) },
      { t: 'version_created', cell: ({ created }) => time(created) },
      { t: 'actions', cell: (person) => actions(person, me, refresh) },
    ], people),
    add_form(refresh),
  ];
}
