// Numbers in words, zh and en. Ages and distances are rounded so that they stop changing faster than one can read.
import { language, t } from '../i18n.js';

const zh = () => language() !== 'en';
/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/** Running clock: 01:25, 34:10, 2:00:00; days once hours stop meaning anything.
 * @param {number} seconds
 */
export function clockText(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s >= 172800) return t('console.days', { n: Math.floor(s / 86400) });
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return h ? `${h}:${rest}` : rest;
}

/** How long something takes or took: 40 秒, 2 分 10 秒, 1 小时 5 分. Above two minutes in steps of ten
 * seconds, above ten in whole minutes.
 * @param {number | null | undefined} seconds
 */
export function durationText(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '—';
  let s = Math.max(0, Math.round(seconds));
  if (s >= 120) s = Math.round(s / 10) * 10;
  if (s >= 600) s = Math.round(s / 60) * 60;
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  const rest = s % 60;
  if (h) return zh() ? `${h} 小时${m ? ` ${m} 分` : ''}` : `${h} h${m ? ` ${m} min` : ''}`;
  if (m) return zh() ? `${m} 分${rest ? ` ${rest} 秒` : ''}` : `${m} min${rest ? ` ${rest} s` : ''}`;
  return zh() ? `${rest} 秒` : `${rest} s`;
}

/** @param {number | null | undefined} seconds */
export function ageText(seconds) {
  if (seconds === null || seconds === undefined) return t('console.age.none');
  return t('console.age.ago', { age: durationText(seconds) });
}

/** @param {number | null | undefined} metres */
export function distanceText(metres) {
  if (metres === null || metres === undefined) return '—';
  if (metres < 95) return `${Math.round(metres / 5) * 5} m`;
  return metres < 9950 ? `${(metres / 1000).toFixed(1)} km` : `${Math.round(metres / 1000)} km`;
}

/** Eight compass points, for "which way is it".
 * @param {number} degrees clockwise from north
 */
export const bearingText = (degrees) => t(`console.bearing.${Math.round((((degrees % 360) + 360) % 360) / 45) % 8}`);

/** A label that must fit: cut with an ellipsis, never shrunk. @param {string} text @param {number} most characters */
export const cutText = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
