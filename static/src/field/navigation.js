// Where on the line am I, what comes next: plain geometry on a route that the server computed.

import { metresBetween } from '../map/sphere.js';

/** @import {Closure, Route, RouteStep} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Progress
 * @property {number} off_m how far from the line
 * @property {number} along_m how far along it
 * @property {number} left_m how far to its end
 * @property {[number, number][]} ahead the part not yet travelled
 */

/**
 * Project a position onto a line.
 * @param {readonly [number, number][]} line lon, lat degrees
 * @param {readonly [number, number]} here lon, lat degrees
 * @returns {Progress | null} null for a line of fewer than two points
 */
export function progressAlong(line, here) {
  if (line.length < 2) return null;
  const squeeze = Math.cos((here[1] * Math.PI) / 180);
  let best = { off_m: Infinity, along_m: 0, index: 0, point: /** @type {[number, number]} */ (line[0]) };
  let travelled = 0;
  for (let index = 0; index + 1 < line.length; index += 1) {
    const [a, b] = [line[index], line[index + 1]];
    const dx = (b[0] - a[0]) * squeeze;
    const dy = b[1] - a[1];
    const square = dx * dx + dy * dy;
    const share = square ? (((here[0] - a[0]) * squeeze * dx + (here[1] - a[1]) * dy) / square) : 0;
    const clamped = Math.max(0, Math.min(1, share));
    /** @type {[number, number]} */
    const point = [a[0] + (b[0] - a[0]) * clamped, a[1] + (b[1] - a[1]) * clamped];
    const off_m = metresBetween(here, point);
    const length = metresBetween(a, b);
    if (off_m < best.off_m) best = { off_m, along_m: travelled + length * clamped, index, point };
    travelled += length;
  }
  return {
    off_m: best.off_m,
    along_m: best.along_m,
    left_m: Math.max(0, travelled - best.along_m),
    ahead: [best.point, ...line.slice(best.index + 1)],
  };
}

/**
 * The next thing to do on a route: the first step that starts ahead of us.
 * @param {Route} route
 * @param {readonly [number, number]} here
 * @returns {{step: RouteStep, in_m: number} | null}
 */
export function nextTurn(route, here) {
  const progress = progressAlong(route.coordinates, here);
  if (!progress) return null;
  for (const step of route.steps) {
    const at = progressAlong(route.coordinates, [step.lon, step.lat]);
    if (at && at.along_m > progress.along_m + 8) return { step, in_m: at.along_m - progress.along_m };
  }
  return null;
}

const NEAR_ME_M = 800;
const NEAR_WAY_M = 150;

/**
 * The closure in force that is nearest to me or to my way, where one is near enough to matter.
 * @param {readonly Closure[]} closures
 * @param {readonly [number, number] | null} here
 * @param {readonly [number, number][]} way still to go
 * @returns {Closure | null}
 */
export function nearClosure(closures, here, way) {
  let best = null;
  let least = 1;
  for (const closure of closures) {
    if (closure.state !== 'in_force') continue;
    const { coordinates } = closure;
    const toMe = here ? (progressAlong(coordinates, here)?.off_m ?? metresBetween(here, coordinates[0])) : Infinity;
    const toWay = Math.min(...coordinates.map((at) => progressAlong(way, at)?.off_m ?? Infinity));
    const share = Math.min(toMe / NEAR_ME_M, toWay / NEAR_WAY_M);
    if (share <= least) [best, least] = [closure, share];
  }
  return best;
}

/**
 * Time left on a route: its own time for the part that is left.
 * @param {Route} route
 * @param {Progress} progress
 */
export const secondsLeft = (route, progress) =>
  route.distance_m > 0 ? route.duration_s * Math.min(1, progress.left_m / route.distance_m) : 0;
