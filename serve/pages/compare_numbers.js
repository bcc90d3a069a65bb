// How far the votes are, how much people agree, and whether a side is favoured.
import { by_id, el, fill, percent_style } from './dom.js';
import { number, percent, probability, seconds } from './format.js';

const line = (key, value) => el('div', { class: 'pair' }, el('dt', { t: key }),
  el('dd', { text: value }));
const big = (key, value) => el('div', {}, el('dt', { t: key }), el('dd', { text: value }));

export function show_progress(progress) {
  const { agreement = {}, position = {}, choices = {}, my = {} } = progress;
  const wanted = Math.max(progress.wanted || 0, progress.done || 0);
  const share = wanted ? progress.done / wanted : 0;
  const sides = (position.left || 0) + (position.right || 0);
  fill(by_id('progress'), el('div', { class: 'numbers' },
    el('dl', { class: 'big' }, big('votes_mine', number(progress.mine)),
      big('votes_today', number(progress.today)), big('votes_total', number(progress.total))),
    el('div', { class: 'stack small' },
      el('div', { class: 'meter', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100,
        'aria-valuenow': Math.round(share * 100), t_label: 'progress' },
      percent_style(el('i'), 'width', share)),
      el('span', { class: 'soft', t: 'done_of',
        args: { done: number(progress.done), wanted: number(wanted) } })),
    el('dl', { class: 'list' },
      line('waiting_pairs', number(progress.waiting)),
      line('agreement', percent(agreement.percent, 1)),
      Number.isFinite(agreement.kappa) ? line('kappa', number(agreement.kappa, 2)) : null,
      Number.isFinite(agreement.alpha) ? line('alpha', number(agreement.alpha, 2)) : null,
      line('my_speed', seconds(my.median_seconds)),
      line('my_left', percent(my.left_share))),
    el('div', { class: 'stack small' }, el('span', { t: 'position' }),
      el('div', { class: 'sides', 'aria-hidden': 'true' },
        percent_style(el('i'), 'width', sides ? position.left / sides : 0),
        percent_style(el('i'), 'width', sides ? position.right / sides : 0)),
      el('span', { class: 'soft', t: 'position_text', args: { left: number(position.left || 0),
        right: number(position.right || 0), p: probability(position.p) } })),
    el('dl', { class: 'list' }, line('choice_better', number(choices.better || 0)),
      line('tie', number(choices.tie || 0)), line('both_bad', number(choices.both_bad || 0)),
      line('skip', number(choices.skip || 0)))));
}
