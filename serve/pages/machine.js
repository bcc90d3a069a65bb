// How busy the machine is.
import { by_id, el, fill, percent_style } from './dom.js';
import { number } from './format.js';

const gigabytes = (megabytes) => number(megabytes / 1024, 1);

function gauge(key, share, text) {
  return el('div', { class: 'gauge' }, el('span', { t: key }), text,
    el('div', { class: 'meter', 'aria-hidden': 'true' }, percent_style(el('i'), 'width', share)));
}

const words = (t, args) => el('span', { class: 'figure soft', t, args });

export function show_machine({ cpu, gpu, engine }) {
  const parts = [];
  if (cpu) {
    parts.push(el('p', { class: 'small soft', text: cpu.name || '' }),
      gauge('cpu_load', cpu.load / cpu.cores,
        words('load_of', { load: number(cpu.load, 1), cores: cpu.cores })),
      gauge('memory', cpu.rss_mb / cpu.total_mb, words('memory_of',
        { used: gigabytes(cpu.rss_mb), total: gigabytes(cpu.total_mb) })));
  }
  if (!gpu) {
    parts.push(el('div', { class: 'gauge' }, el('span', { t: 'gpu' }), words('no_gpu')));
  } else {
    parts.push(el('p', { class: 'small soft', text: gpu.name || '' }));
    const used = gpu.used_mb ?? gpu.rss_mb;
    if (Number.isFinite(used) && gpu.total_mb) {
      parts.push(gauge('gpu', used / gpu.total_mb, words('memory_of',
        { used: gigabytes(used), total: gigabytes(gpu.total_mb) })));
    }
  }
  if (engine) {
    parts.push(gauge('engine', engine.slots ? engine.running / engine.slots : 0,
      words('engine_of', { running: engine.running, slots: engine.slots,
        waiting: engine.waiting })),
    el('div', { class: 'gauge' }, el('span', { t: 'speed' }), words('tokens_per_second',
      { n: number(engine.tokens_per_second, 0) })));
  }
  fill(by_id('machine'), parts);
}
