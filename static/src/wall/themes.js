// Which theme the wall shows. Pure: what somebody chose, the time and the alarms go in.

/** @typedef {'overview' | 'coverage'} Theme */
/** @typedef {Theme | 'rotate'} Choice */

export const THEMES = /** @type {const} */ (['overview', 'coverage']);
const CHOICES = new Set(['overview', 'coverage', 'rotate']);
const KEYS = /** @type {Record<string, Choice>} */ ({ 0: 'rotate', 1: 'overview', 2: 'coverage' });
export const TURN_MS = 60_000;

/** @param {string | null | undefined} text @returns {Choice | null} */
export const choiceOf = (text) => (CHOICES.has(text ?? '') ? /** @type {Choice} */ (text) : null);

/** @param {string} key @returns {Choice | null} */
export const choiceOfKey = (key) => KEYS[key] ?? null;

/**
 * What somebody chose stays: an open alarm stands in the ticker and on the map of every theme. A wall that takes turns
 * rests on the overview while there is one. Walls take turns together, by the clock.
 * @param {Choice} choice @param {number} nowMs server time @param {boolean} alarm
 * @returns {Theme}
 */
export function themeAt(choice, nowMs, alarm) {
  if (choice !== 'rotate') return choice;
  return alarm ? 'overview' : THEMES[Math.floor(nowMs / TURN_MS) % THEMES.length];
}
