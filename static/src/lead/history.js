// How the area looked at was covered before: the curve beside a figure, and the figure of the same hour yesterday or a week ago.
import { rateOf } from './figures.js';
import { ui } from './state.js';

/** @import {HourRow} from '../../types/lead.d.ts' */
/** @import {Measure} from './figures.js' */

/** @typedef {'day' | 'week'} Compare */

const HOUR_MS = 3_600_000;
export const COMPARES = /** @type {const} */ (['day', 'week']);
const LEAST = 3;
const HOURS = { day: 24, week: 168 };

/** The beginning of the hour a moment lies in. @param {number} ms */
const hourOf = (ms) => ms - (ms % HOUR_MS);

/** The hour compared with, epoch ms. */
export const hourBefore = () => hourOf(ui.feed.serverNow()) - HOURS[ui.compare] * HOUR_MS;

/** The figures of that hour, or null where none were kept. @returns {HourRow | null} */
export function rowBefore() {
  const wanted = hourBefore();
  return ui.history?.items.find((row) => Date.parse(row.hour) === wanted) ?? null;
}

/**
 * A figure of each hour as far back as it is compared with; null where there is none, so that a curve shows a gap.
 * @param {(row: HourRow) => number | null} pick
 * @returns {(number | null)[]} from the first that is known; empty with fewer than three
 */
export function curve(pick) {
  const last = hourOf(ui.feed.serverNow());
  const hours = HOURS[ui.compare];
  /** @type {(number | null)[]} */
  const values = Array(hours + 1).fill(null);
  for (const row of ui.history?.items ?? []) {
    const at = hours - (last - Date.parse(row.hour)) / HOUR_MS;
    if (at >= 0 && at <= hours) values[at] = pick(row);
  }
  const first = values.findIndex((value) => value !== null);
  return values.filter((value) => value !== null).length < LEAST ? [] : values.slice(first);
}

/** Whether hours are kept for the number of minutes chosen. @param {number} minutes */
export const kept = (minutes) => [3, 5, 10].includes(minutes);

/** The share of a measure in a row of the history. @param {Measure} measure @param {HourRow} row @param {number} minutes */
export function shareThen(measure, row, minutes) {
  const { n, d } = rateOf(measure, /** @type {any} */ (row), minutes);
  return d ? n / d : null;
}
