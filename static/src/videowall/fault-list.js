// The fault list as data: filters, and what the measures mean in words. Pure.
import { t } from '../i18n.js';
import { faultWords } from '../video/words.js';

/** @import {FaultItem} from '../../types/video.d.ts' */
/** @import {Camera} from '../../types/wire.d.ts' */

/** In the order they are listed. */
export const FAULTS = [
  'signal_lost', 'unauthorized', 'no_signal', 'black', 'frozen', 'covered', 'moved', 'blurred', 'colour_cast', 'noise',
];

/** Since when, epoch ms; what has no verdict yet stands last. @param {FaultItem} item */
const begun = (item) => (item.since ? Date.parse(item.since) : Number.MAX_SAFE_INTEGER);

/** What is wrong, in words: the fault, or that its checks fail. @param {FaultItem} item */
export const troubleText = (item) => (item.fault ? faultWords(item.fault) : t(`camera.status.${item.camera.status}`));

/**
 * @param {FaultItem[]} items
 * @param {{fault: string, area: string}} filter "" for every; an area is its division code
 * @param {(camera: Camera) => string[]} codesOf areas a camera lies in
 * @returns {FaultItem[]} the oldest first
 */
export function filterFaults(items, { fault, area }, codesOf) {
  const root = area.replace(/(?:000)+$/, '');
  return items
    .filter((item) => (!fault || item.fault === fault) && (!root || codesOf(item.camera).some((code) => code.startsWith(root))))
    .sort((a, b) => begun(a) - begun(b) || (a.camera.id < b.camera.id ? -1 : 1));
}

/** How each measure is written. @type {Record<string, 'share' | 'level' | 'number'>} */
const MEASURES = {
  mean: 'level', sigma: 'level', dark_share: 'share', bright_share: 'share', flat_share: 'share', sharpness: 'number',
  sharpness_ratio: 'share', lost_share: 'share', flat_gain: 'share', cast_shift: 'number', edge_match: 'share',
  shift: 'share', noise: 'number', change_p99: 'number',
};

/** The measures each fault rests on; the others only fill the page. @type {Record<string, string[]>} */
const RELEVANT = {
  black: ['mean', 'sigma', 'dark_share'],
  no_signal: ['sigma', 'flat_share', 'mean'],
  frozen: ['change_p99', 'mean'],
  blurred: ['sharpness_ratio', 'sharpness', 'lost_share'],
  covered: ['flat_share', 'lost_share', 'flat_gain'],
  colour_cast: ['cast_shift', 'mean'],
  noise: ['noise', 'sharpness'],
  moved: ['shift', 'edge_match', 'lost_share'],
};

/** @param {number} value */
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {string} key @param {number} value */
function written(key, value) {
  if (MEASURES[key] === 'share') return `${Math.round(value * 100)} %`;
  return MEASURES[key] === 'level' ? `${Math.round(value)} / 255` : short(value);
}

/**
 * What the verdict rests on, in words.
 * @param {string | null} fault
 * @param {Record<string, number | string | null> | null | undefined} measures
 */
export function measureRows(fault, measures) {
  const rows = [];
  for (const key of RELEVANT[fault ?? ''] ?? []) {
    const value = measures?.[key];
    if (typeof value === 'number' && Number.isFinite(value))
      rows.push({ key, label: t(`video.measure.${key}`), value: written(key, value) });
  }
  return rows;
}
