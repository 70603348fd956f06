// Where everybody was at a second of a replay. Pure.

/** @import {Replay} from '../../types/lead.d.ts' */

/** @typedef {Replay['units'][0]['points']} Points */

/** Longer without a report, nobody knows where somebody was: the mark waits, and says so. */
const SILENT_S = 60;

/** The number of the last point at or before a second, -1 before the first. @param {Points} points @param {number} at_s */
export function lastAt(points, at_s) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= at_s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * @param {Points} points @param {number} at_s
 * @returns {{lon: number, lat: number, silent: boolean} | null} null before the first report
 */
export function placeAt(points, at_s) {
  const n = lastAt(points, at_s);
  if (n < 0) return null;
  const [from_s, lon, lat] = points[n];
  const next = points[n + 1];
  if (!next) return { lon, lat, silent: at_s - from_s > SILENT_S };
  const [to_s, nextLon, nextLat] = next;
  if (to_s - from_s > SILENT_S) return { lon, lat, silent: at_s - from_s > SILENT_S };
  const share = to_s > from_s ? (at_s - from_s) / (to_s - from_s) : 0;
  return { lon: lon + (nextLon - lon) * share, lat: lat + (nextLat - lat) * share, silent: false };
}

/** The way so far, to where it is now. @param {Points} points @param {number} at_s @returns {[number, number][]} */
export function wayTo(points, at_s) {
  const n = lastAt(points, at_s);
  const way = points.slice(0, n + 1).map(([, lon, lat]) => /** @type {[number, number]} */ ([lon, lat]));
  const now = placeAt(points, at_s);
  if (now && way.length) way.push([now.lon, now.lat]);
  return way;
}

/** Straight-line metres, good to a percent within a district. @param {[number, number]} a @param {[number, number]} b lon, lat */
function metresBetween(a, b) {
  const x = (b[0] - a[0]) * Math.cos(((a[1] + b[1]) / 2) * (Math.PI / 180));
  return Math.hypot(x, b[1] - a[1]) * 111_195;
}

/** Metres of a way. @param {[number, number][]} way */
export const lengthOfWay = (way) => way.slice(1).reduce((sum, at, n) => sum + metresBetween(way[n], at), 0);

/** The number of the last event that has happened, -1 before the first. @param {Replay} replay @param {number} at_s */
export function eventAt(replay, at_s) {
  const now = Date.parse(replay.start) + at_s * 1000;
  return replay.events.findLastIndex((event) => Date.parse(event.at) <= now);
}
