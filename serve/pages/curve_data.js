// What the server has told of a run so far, and the same smoothed.
import { get } from './api.js';

export const path_of = (id) => `/api/runs/${encodeURIComponent(id)}`;

export class CurveData {
  constructor(id) {
    this.id = id;
    this.clear();
  }

  clear() {
    this.steps = [];
    this.metrics = new Map();  // name: values, as long as steps, null where unknown
  }

  get last() { return this.steps.length ? this.steps[this.steps.length - 1] : -1; }

  // Asks for what came after the last step. Returns whether something did.
  async grow() {
    const more = await get(`${path_of(this.id)}/metrics?after_step=${this.last}`);
    if (Number.isFinite(more.last_step) && more.last_step < this.last) {  // it was started anew
      this.clear();
      return this.grow();
    }
    const first = more.steps.findIndex((step) => step > this.last);
    if (first < 0) return false;
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
    return true;
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
