// How a camera does, as a shape and a colour: full disc live, half disc faulty, dashed ring late, ring with a cross
// offline, ring with a bar switched off, small ring not looked at yet.
import { t } from '../i18n.js';
import { html } from './h.js';

/** @typedef {'live' | 'degraded' | 'stale' | 'offline' | 'disabled' | 'unknown'} Health */

const KNOWN = new Set(['live', 'degraded', 'stale', 'offline', 'disabled', 'unknown']);

/** @param {string} status @returns {Health} */
export function healthOf(status) {
  if (status === 'online') return 'live';
  return KNOWN.has(status) ? /** @type {Health} */ (status) : 'unknown';
}

/** @type {Record<Health, string>} */
const PATHS = {
  live: 'M1.5 6A4.5 4.5 0 1 0 10.5 6A4.5 4.5 0 1 0 1.5 6Z',
  degraded: 'M6 1.5A4.5 4.5 0 0 1 6 10.5Z',
  stale: '',
  offline: 'M3 3 9 9M9 3 3 9',
  disabled: 'M3 6H9',
  unknown: '',
};

/** @param {{status: string, size?: number}} props */
export function CameraMark({ status, size = 12 }) {
  const health = healthOf(status);
  return html`<svg class=${`cam-mark ${health}`} width=${size} height=${size} viewBox="0 0 12 12" role="img" aria-label=${t(`camera.status.${health}`)}>
    <circle cx="6" cy="6" r=${health === 'unknown' ? 3 : 4.8} />${PATHS[health] && html`<path d=${PATHS[health]} />`}</svg>`;
}
