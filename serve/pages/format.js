// Figures as people read them, in the language of the page.
import { locale, t } from './i18n.js';

const none = '–';
const known = (value) => typeof value === 'number' && Number.isFinite(value);

export function number(value, digits = 0) {
  if (!known(value)) return none;
  return value.toLocaleString(locale(), { maximumFractionDigits: digits });
}

// Three significant digits, whatever the size: 0.000213 is 2.13e-4.
export function figure(value) {
  if (!known(value)) return none;
  const size = Math.abs(value);
  if (size < 1e-12) return '0';  // axes may have -0
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return value.toLocaleString(locale(), { maximumSignificantDigits: size >= 1000 ? 5 : 3 });
}

export const percent = (share, digits = 0) =>
  (known(share) ? `${number(share * 100, digits)} %` : none);

// A Unix time in microseconds.
export function time(microseconds) {
  if (!known(microseconds) || microseconds <= 0) return none;
  return new Date(microseconds / 1000).toLocaleString(locale(),
    { dateStyle: 'medium', timeStyle: 'short' });
}

export function seconds(value) {
  if (!known(value)) return none;
  if (value < 10) return t('n_seconds', { n: number(value, 1) });
  if (value < 90) return t('n_seconds', { n: number(value) });
  if (value < 5400) return t('n_minutes', { n: number(value / 60) });
  return t('n_hours', { n: number(value / 3600, 1) });
}

export function probability(p) {
  if (!known(p)) return none;
  return p < 0.001 ? 'p < 0.001' : `p = ${number(p, 3)}`;
}

// The name of an answer by its place, counted from 0: A, B, ...
export const letter = (place) => String.fromCharCode(65 + place);
