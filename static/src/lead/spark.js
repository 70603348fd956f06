// Beside a figure: a small curve without axes of how it got there, what changed, and what it ought to be. Gaps stay gaps.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';

const WIDE = 96;
const HIGH = 30;
const EDGE = 4;

/** @param {{values: (number | null)[], label: string}} props */
export function Spark({ values, label }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const x = (/** @type {number} */ n) => EDGE + (n / (values.length - 1)) * (WIDE - 2 * EDGE);
  // A figure that never changed runs through the middle.
  const y = (/** @type {number} */ value) => (span < 1e-9 ? HIGH / 2 : HIGH - EDGE - ((value - low) / span) * (HIGH - 2 * EDGE));
  let path = '';
  let drawing = false;
  let last = -1;
  values.forEach((value, n) => {
    if (value === null) {
      drawing = false;
      return;
    }
    path += `${drawing ? 'L' : 'M'}${x(n).toFixed(1)} ${y(value).toFixed(1)}`;
    if (!drawing && values[n + 1] === null) path += 'h.01'; // an hour alone is a dot
    drawing = true;
    last = n;
  });
  return html`<svg class="spark" width=${WIDE} height=${HIGH} viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${label}><path d=${path} /><circle cx=${x(last)} cy=${y(/** @type {number} */ (values[last]))} r="3" /></svg>`;
}

/**
 * The change since then: what got better and what got worse differ in shape, not in colour alone.
 * @param {{now: number | null, then: number | null | undefined, digits?: number, unit?: string, lower?: boolean, title: string}} props lower: less is better
 */
export function Delta({ now, then, digits = 1, unit = '', lower = false, title }) {
  if (now === null || then === null || then === undefined) return null;
  const change = Number((now - then).toFixed(digits));
  if (change === 0) return html`<em class="delta" title=${title}>＝</em>`;
  const good = change > 0 !== lower;
  return html`<em class=${`delta ${good ? 'good' : 'bad'}`} title=${title}><i aria-hidden="true">${change > 0 ? '▲' : '▼'}</i>${Math.abs(change).toFixed(digits)}${unit}</em>`;
}

/**
 * What the centre has set itself, and how much is missing: said in words, in points and no less than the last digit.
 * @param {{share: number | null | undefined, n: number, d: number}} props share: 0 to 1, null without a target
 */
export function Target({ share, n, d }) {
  if (!share) return null;
  const aim = t('lead.target', { share: `${Number((share * 100).toFixed(1))}%` });
  if (!d) return html`<em class="target">${aim}</em>`;
  const short = share - n / d;
  if (short <= 1e-9) return html`<em class="target met">${aim} ${t('lead.target.met')}</em>`;
  return html`<em class="target short">${aim} ${t('lead.target.short', { n: Math.max(0.1, short * 100).toFixed(1) })}</em>`;
}
