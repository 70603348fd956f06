// The few charts of the wall, as plain SVG. Bars start at zero; an hour that is not over is a dashed frame.

import { html } from '../ui/h.js';
import { axisSteps, percent } from './figures.js';

const WIDTH = 430;
const HEIGHT = 172;
const LEFT = 34;
const BOTTOM = 28;
const TOP = 24;

/**
 * Reports by hour of the day.
 * @param {{hours: number[], now: number, label: (hour: number) => string}} props now: the running hour, 0 … 23
 */
export function HourBars({ hours, now, label }) {
  const most = Math.max(...hours, 1);
  const steps = axisSteps(most);
  const top = steps[steps.length - 1];
  const wide = (WIDTH - LEFT) / 24;
  /** @param {number} value */
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  const peak = hours.indexOf(most);
  return html`<svg width=${WIDTH} height=${HEIGHT} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img">
    ${steps.map((step) => html`<g key=${step}><line class="rule" x1=${LEFT} x2=${WIDTH} y1=${y(step)} y2=${y(step)} />
      <text class="axis" x=${LEFT - 8} y=${y(step) + 6} text-anchor="end">${step}</text></g>`)}
    ${hours.map((value, hour) => {
      const x = LEFT + hour * wide + 2;
      if (hour > now) return null;
      const frame = hour === now;
      return html`<rect key=${hour} class=${frame ? 'bar running' : hour === peak ? 'bar peak' : 'bar'} x=${x} width=${wide - 4}
        y=${y(value)} height=${Math.max(frame ? 2 : 0, HEIGHT - BOTTOM - y(value))} />`;
    })}
    ${most > 0 && hours[peak] > 0 && html`<text class="value" x=${LEFT + (peak + 0.5) * wide} y=${y(most) - 6} text-anchor="middle">${most}</text>`}
    ${[0, 6, 12, 18].map((hour) => html`<text key=${hour} class="axis" x=${LEFT + hour * wide} y=${HEIGHT - 6}>${label(hour)}</text>`)}
  </svg>`;
}

/** The day's incidents in one bar. @param {{groups: {group: string, n: number}[]}} props */
export function StackedBar({ groups }) {
  const all = groups.reduce((sum, item) => sum + item.n, 0);
  return html`<div class="stack">${all > 0 && groups.filter((item) => item.n > 0).map((item) => html`<i key=${item.group} class=${`g-${item.group}`} style=${{ flexGrow: item.n }}></i>`)}</div>`;
}

/** @param {{n: number, d: number, tone?: string, from?: number, target?: number}} props from: where the axis is cut, 0 … 1 */
export function Track({ n, d, tone = '', from = 0, target }) {
  const share = d ? Math.max(0, (n / d - from) / (1 - from)) : 0;
  return html`<div class="track"><i class=${tone} style=${{ width: `${Math.min(100, share * 100)}%` }}></i>
    ${target !== undefined && html`<u style=${{ left: `${((target - from) / (1 - from)) * 100}%` }}></u>`}</div>`;
}

/** n/d and the rate, as every rate is shown. @param {{n: number, d: number}} props */
export const RateText = ({ n, d }) => html`<span class="nd">${n}/${d}</span><b>${percent({ n, d })}</b>`;

/** A median against its limit: dot and line on one scale, the limit at three quarters. @param {{median_s: number, limit_s: number}} props */
export function LimitRow({ median_s, limit_s }) {
  const share = Math.min(1, (median_s / limit_s) * 0.75);
  const late = median_s > limit_s;
  return html`<svg width="190" height="24" viewBox="0 0 190 24" aria-hidden="true">
    <line class="rule thick" x1="6" x2="184" y1="12" y2="12" />
    <line class="limit" x1=${6 + 178 * 0.75} x2=${6 + 178 * 0.75} y1="2" y2="22" />
    ${late ? html`<rect class="dot" x=${share * 178} y="6" width="12" height="12" />` : html`<circle class="dot" cx=${6 + share * 178} cy="12" r="6.5" />`}
  </svg>`;
}
