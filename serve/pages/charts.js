// Curves and bars in the colours of the page, drawn by Chart.js, which leaves a global Chart.
import './chart.min.js';
import { el, fill } from './dom.js';
import { figure, number } from './format.js';
import { t } from './i18n.js';
import { smoothed } from './curve_data.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const series_colour = (i) => colour(`--series-${i % 6}`);
const dashes = [[], [8, 5], [2, 4], [10, 4, 2, 4]];

function axis(extra = {}) {
  return { grid: { color: colour('--grid'), drawBorder: false },
    ticks: { color: colour('--soft'), maxTicksLimit: 6, maxRotation: 0, font: { size: 11.5 },
      callback: (value) => figure(value) }, ...extra };
}

function options(scales) {
  return { animation: false, responsive: true, maintainAspectRatio: false, parsing: false,
    normalized: true, interaction: { mode: 'index', intersect: false, axis: 'x' }, scales,
    elements: { point: { radius: 0, hoverRadius: 4, hitRadius: 8 } },
    plugins: { legend: { display: false }, decimation: { enabled: true, algorithm: 'min-max' },
      tooltip: { backgroundColor: colour('--ink'), titleColor: colour('--card'),
        bodyColor: colour('--card'), padding: 10, cornerRadius: 8,
        filter: (item) => !item.dataset.faint,
        callbacks: { title: (items) => (items.length
          ? t('step', { step: number(items[0].parsed.x) }) : ''),
        label: (item) => `${item.dataset.label}: ${figure(item.parsed.y)}` } } } };
}

function line(label, data, i, faint) {
  const base = series_colour(i);
  return { label, data, faint, borderColor: faint ? `${base}55` : base,
    backgroundColor: base, borderWidth: faint ? 1 : 2, borderDash: dashes[Math.floor(i / 6) % 4],
    order: faint ? 1 : 0, pointRadius: data.length === 1 ? 3 : 0 };
}

// One metric of all chosen runs.
export class CurveChart {
  constructor(metric) {
    this.metric = metric;
    this.canvas = el('canvas', { role: 'img' });
    this.legend = el('ul', { class: 'legend' });
    this.element = el('figure', { class: 'card chart', data: { metric } },
      el('figcaption', { text: metric }), this.legend, el('div', { class: 'plot' }, this.canvas));
  }

  // curves: [{name, data: CurveData, colour: index}, ...]
  draw(curves, smoothing, log) {
    const sets = [];
    const last = [];
    for (const curve of curves) {
      const points = curve.data.points(this.metric).filter(({ y }) => !log || y > 0);
      if (!points.length) continue;
      if (smoothing > 0) sets.push(line(curve.name, points, curve.colour, true));
      sets.push(line(curve.name, smoothing > 0 ? smoothed(points, smoothing) : points, curve.colour,
        false));
      last.push({ name: curve.name, value: points[points.length - 1].y, i: curve.colour });
    }
    fill(this.legend, last.map(({ name, value, i }) => {
      const key = el('i', { class: 'key' });
      key.style.background = series_colour(i);
      return el('li', {}, key, `${name} `, el('b', { text: figure(value) }));
    }));
    this.canvas.setAttribute('aria-label', t('chart_label', { metric: this.metric,
      values: last.map(({ name, value }) => `${name}: ${figure(value)}`).join(', ') }));
    const scales = { x: axis({ type: 'linear' }),
      y: axis({ type: log ? 'logarithmic' : 'linear' }) };
    if (!this.chart) {
      this.chart = new Chart(this.canvas, { type: 'line', data: { datasets: sets },
        options: options(scales) });
      return;
    }
    this.chart.options = options(scales);
    this.chart.data.datasets = sets;
    this.chart.update('none');
  }

  remove() {
    this.chart?.destroy();
    this.element.remove();
  }
}

// Bars over the intervals between edges.
export class Histogram {
  constructor() {
    this.canvas = el('canvas', { role: 'img' });
    this.title = el('figcaption');
    this.element = el('figure', { class: 'chart' }, this.title,
      el('div', { class: 'plot low' }, this.canvas));
  }

  draw(step, edges, counts) {
    this.title.textContent = t('rewards_at', { step: number(step) });
    this.canvas.setAttribute('aria-label', `${this.title.textContent}: `
      + counts.map((n, i) => `${figure(edges[i])}–${figure(edges[i + 1])}: ${n}`).join(', '));
    const data = { labels: counts.map((unused, i) => figure((edges[i] + edges[i + 1]) / 2)),
      datasets: [{ data: counts, backgroundColor: series_colour(0), borderRadius: 3,
        categoryPercentage: 1, barPercentage: 0.92 }] };
    this.chart?.destroy();
    this.chart = new Chart(this.canvas, { type: 'bar', data, options: { animation: false,
      responsive: true, maintainAspectRatio: false, plugins: { legend: { display: false },
        tooltip: { callbacks: { label: (item) => `${item.parsed.y} ${t('rewards_count')}` } } },
      scales: { x: { grid: { display: false }, ticks: { color: colour('--soft'), maxRotation: 0,
        autoSkip: true, font: { size: 11.5 } } },
      y: { grid: { color: colour('--grid'), drawBorder: false }, beginAtZero: true,
        ticks: { color: colour('--soft'), precision: 0, maxTicksLimit: 5 } } } } });
  }
}
