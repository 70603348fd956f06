// The shapes as SVG: level marks, people, and the clock lamp.
import { html } from './h.js';
import { KIND_PATHS, groupOf, levelOf } from './levels.js';

/** @param {{level: string, hollow?: boolean, size?: number}} props */
export function LevelMark({ level, hollow = false, size = 20 }) {
  const { rank, path } = levelOf(level);
  return html`<svg class=${`mark lv${rank} ${hollow ? 'hollow' : 'solid'}`} width=${size} height=${size}
    viewBox="-11 -11 22 22" aria-hidden="true"><path d=${path} /></svg>`;
}

/** @param {{kind: string, hollow?: boolean, stale?: boolean, size?: number}} props */
export function KindMark({ kind, hollow = false, stale = false, size = 20 }) {
  const group = groupOf(kind);
  return html`<svg class=${`kind k-${group} ${hollow ? 'hollow' : 'solid'} ${stale ? 'stale' : ''}`} width=${size}
    height=${size} viewBox="-11 -11 22 22" aria-hidden="true"><path d=${KIND_PATHS[group]} /></svg>`;
}

/**
 * The clock lamp: a pie of the share used; from 100 % a square, so the difference does not hang on colour.
 * @param {{used: number, tone: 'ok' | 'warn' | 'late' | 'idle'}} props
 */
export function Lamp({ used, tone }) {
  if (tone === 'late')
    return html`<svg class="lamp late" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
    <rect width="12" height="12" rx="2" /></svg>`;
  const share = Math.max(0, Math.min(0.999, used));
  const angle = share * 2 * Math.PI;
  const wedge = `M6 6V0.75A5.25 5.25 0 ${share > 0.5 ? 1 : 0} 1 ${6 + 5.25 * Math.sin(angle)} ${6 - 5.25 * Math.cos(angle)}Z`;
  return html`<svg class=${`lamp ${tone}`} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
    <circle cx="6" cy="6" r="5.25" />${share > 0.01 && html`<path d=${wedge} />`}</svg>`;
}
