// Figures in words.
import { t } from '../i18n.js';

/** What is not quite all or not quite nothing is never written as all or nothing.
 * @param {number | null | undefined} share @param {number} [digits]
 */
export function percent(share, digits = 1) {
  if (share === null || share === undefined) return '—';
  const least = 10 ** -digits;
  const value = share > 0 && share < 1 ? Math.min(Math.max(share * 100, least), 100 - least) : share * 100;
  return `${value.toFixed(digits)}%`;
}

/** @param {number} n @param {number} d */
export const rate = (n, d) => (d ? percent(n / d) : '—');

/** Travel time in minutes, one decimal. @param {number | null} seconds */
export const minutesOf = (seconds) => (seconds === null ? '—' : (seconds / 60).toFixed(1));

/** Length of road, or ground where no roads are known. @param {number} metres @param {string} method */
export function lengthOf(metres, method) {
  if (method === 'straight_line') return `${(metres / 1e6).toFixed(metres < 1e7 ? 2 : 0)} km²`;
  return metres < 1000 ? t('lead.metres', { n: Math.round(metres) }) : t('lead.kilometres', { n: (metres / 1000).toFixed(1) });
}
