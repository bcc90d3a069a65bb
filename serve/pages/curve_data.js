// What the server has told of a run so far, and the same smoothed.
import { get } from './api.js';

export const path_of = (id) => `/api/runs/${encodeURIComponent(id)}`;

export class CurveData {
  constructor(id) {
    this.id = id;
    this.era = 0;  // how often the run was started anew
    this.updated = null;  // when it had last logged at the last look
    this.clear();
  }

  clear() {
    if (this.steps?.length) ++this.era;
    this.steps = [];
    this.metrics = new Map();  // name: values, as long as steps, null where unknown
  }

  get last() { return this.steps.length ? this.steps[this.steps.length - 1] : -1; }

  // What the list of runs says: whether there are metrics, and when the last were logged.
  async follow(has_metrics, updated) {
    if (!has_metrics) this.clear();
    else if (updated !== this.updated) await this.grow();
    this.updated = updated;
  }

  // Asks for the last step and what came after it. A last step that is no longer what it was means
  // that the run was started anew.
  async grow() {
    const more = await get(
      `${path_of(this.id)}/metrics?after_step=${Math.max(-1, this.last - 1)}`);
    if (this.steps.length && !this.ends_like(more)) {
      this.clear();
      await this.grow();
      return;
    }
    const first = more.steps.findIndex((step) => step > this.last);
    if (first < 0) return;
    const before = this.steps.length;
    const steps = more.steps.slice(first);
    this.steps.push(...steps);
    for (const [name, values] of Object.entries(more.metrics)) {
      if (!this.metrics.has(name)) this.metrics.set(name, Array(before).fill(null));
      this.metrics.get(name).push(...values.slice(first));
    }
    for (const values of this.metrics.values()) {
      while (values.length < this.steps.length) values.push(null);
    }
  }

  ends_like({ steps, metrics }) {
    const at = steps.indexOf(this.last);
    return at >= 0 && [...this.metrics].every(([name, values]) =>
      (metrics[name]?.[at] ?? null) === values[values.length - 1]);
  }

  // [{x, y}, ...] of a metric, without what is no number.
  points(metric) {
    const values = this.metrics.get(metric) || [];
    const points = [];
    for (let i = 0; i < values.length; ++i) {
      if (Number.isFinite(values[i])) points.push({ x: this.steps[i], y: values[i] });
    }
    return points;
  }
}

// TensorBoard's smoothing: an exponential average without its bias towards 0 at the start.
export function smoothed(points, weight) {
  let sum = 0;
  let total = 0;
  return points.map(({ x, y }) => {
    sum = sum * weight + y;
    total = total * weight + 1;
    return { x, y: sum / total };
  });
}
