// Closed roads on a map: the stretches that are closed as the server tells them, what was drawn, a sign for each.
//
// Which stretches a drawing closes is the server's answer. Until it is there the drawing itself stands for them.
import { call } from '../api.js';
import { closureLabel, isLive } from '../ui/closures.js';

/** @import {Closure} from '../../types/wire.d.ts' */

/**
 * @typedef {[number, number][]} Line lon, lat
 *
 * @typedef {object} Draft
 * @property {[number, number][]} points
 * @property {'line' | 'polygon'} shape
 * @property {[number, number] | null} next where the pointer is
 * @property {Line[]} roads that would be closed
 * @property {boolean} oneWay
 */

const AGAIN_MS = 5_000;

/** @param {object} properties @param {string} type @param {unknown} coordinates */
const feature = (properties, type, coordinates) => ({ type: 'Feature', properties, geometry: { type, coordinates } });

/** @param {readonly [number, number][]} ring */
const closedRing = (ring) => [...ring, ring[0]];

/** The middle of a line by its length. @param {Line} line @returns {[number, number]} */
export function middleOf(line) {
  const squeeze = Math.cos((line[0][1] * Math.PI) / 180);
  const lengths = line.slice(1).map(([lon, lat], at) => Math.hypot((lon - line[at][0]) * squeeze, lat - line[at][1]));
  let left = lengths.reduce((sum, one) => sum + one, 0) / 2;
  for (const [at, length] of lengths.entries()) {
    if (length && left <= length) {
      const share = left / length;
      const [a, b] = [line[at], line[at + 1]];
      return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
    }
    left -= length;
  }
  return line[0];
}

/** Where a closure's sign stands: on the longest closed stretch, else on the drawing. @param {Closure} closure @param {Line[]} lines */
export function signOf(closure, lines) {
  const size = (/** @type {Line} */ line) => line.slice(1).reduce((sum, [lon, lat], at) => sum + Math.hypot(lon - line[at][0], lat - line[at][1]), 0);
  if (closure.kind === 'polygon') {
    const n = closure.coordinates.length;
    return /** @type {[number, number]} */ ([0, 1].map((axis) => closure.coordinates.reduce((sum, at) => sum + at[axis], 0) / n));
  }
  const longest = lines.reduce((best, line) => (size(line) > size(best) ? line : best), /** @type {Line} */ ([]));
  return middleOf(longest.length ? longest : closure.coordinates);
}

/** @param {Draft} draft */
export function draftFeatures({ points, shape, next, roads, oneWay }) {
  const features = [];
  const ahead = next && points.length ? [points[points.length - 1], next] : null;
  const ring = next ? [...points, next] : points;
  if (shape === 'polygon' && ring.length > 2) features.push(feature({ part: 'area' }, 'Polygon', [closedRing(ring)]));
  if (roads.length) features.push(feature({ part: 'roads' }, 'MultiLineString', roads));
  if (roads.length && oneWay) features.push(feature({ part: 'one_way' }, 'MultiLineString', roads));
  if (points.length > 1) features.push(feature({ part: 'line' }, 'LineString', shape === 'polygon' && !next ? closedRing(points) : points));
  if (ahead) features.push(feature({ part: 'next' }, 'LineString', shape === 'polygon' && points.length > 1 ? [...ahead, points[0]] : ahead));
  for (const at of points) features.push(feature({ part: 'point' }, 'Point', at));
  return features;
}

export class ClosuresLayer {
  #fill;
  /** @type {Map<string, {version: number, lines: Line[]}>} what the server told, by closure */
  #lines = new Map();
  /** @type {Closure[]} */ #shown = [];
  #focus = '';
  #readFor = '';
  #drawnFor = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #again;

  /** @param {(name: string, features: object[]) => void} fill */
  constructor(fill) {
    this.#fill = fill;
  }

  /**
   * After each change; cheap when nothing did. Reads the closed stretches when the closures or the roads changed.
   * @param {Record<string, Closure>} closures
   * @param {number} nowMs server time
   * @param {number} revision of the district
   */
  sync(closures, nowMs, revision = 0) {
    this.#shown = Object.values(closures ?? {}).filter(isLive).sort((a, b) => (a.id < b.id ? -1 : 1));
    const key = `${revision}|${this.#shown.map(({ id, version }) => `${id}:${version}`).join()}`;
    if (key !== this.#readFor) {
      this.#readFor = key;
      clearTimeout(this.#again);
      void this.#read(key);
    }
    this.#draw(nowMs);
  }

  /** The selected one. @param {string} id '' for none */
  setFocus(id) {
    this.#focus = id;
  }

  /** @param {Draft | null} draft */
  setDraft(draft) {
    this.#fill('closure-draft', draft ? draftFeatures(draft) : []);
  }

  /** The stretches that a closure closes, as far as they are known. @param {string} id @returns {Line[]} */
  linesOf(id) {
    return this.#lines.get(id)?.lines ?? [];
  }

  /** @param {string} key */
  async #read(key) {
    if (!this.#shown.length) return;
    try {
      const { features } = await call('GET', '/closures.geojson', undefined, { redirect: false });
      if (key !== this.#readFor) return;
      this.#lines = new Map(features.map((/** @type {any} */ one) => [
        one.properties.id, { version: one.properties.version, lines: one.geometry.coordinates },
      ]));
      this.#drawnFor = '';
      this.#draw(Date.now());
    } catch (error) {
      console.warn('closures', error);
      this.#again = setTimeout(() => key === this.#readFor && void this.#read(key), AGAIN_MS);
    }
  }

  /** @param {number} nowMs */
  #draw(nowMs) {
    const labels = this.#shown.map((one) => closureLabel(one, nowMs));
    const key = JSON.stringify([this.#focus, this.#shown.map(({ id, version, state }) => [id, version, state, this.#lines.get(id)?.version]), labels]);
    if (key === this.#drawnFor) return;
    this.#drawnFor = key;
    /** @type {object[]} */ const roads = [];
    /** @type {object[]} */ const shapes = [];
    /** @type {object[]} */ const signs = [];
    for (const [nth, closure] of this.#shown.entries()) {
      const { id, state, kind, coordinates, direction } = closure;
      const told = this.#lines.get(id);
      // Told of an earlier version, it would show roads that are open.
      const lines = told?.version === closure.version ? told.lines : kind === 'line' && !told ? [coordinates] : [];
      const properties = { id, state, focus: id === this.#focus, one_way: direction !== 'both' };
      if (lines.length) roads.push(feature(properties, 'MultiLineString', lines));
      if (kind === 'polygon') shapes.push(feature(properties, 'Polygon', [closedRing(coordinates)]));
      signs.push(feature({ ...properties, label: labels[nth] }, 'Point', signOf(closure, lines)));
    }
    this.#fill('closure-roads', roads);
    this.#fill('closure-shapes', shapes);
    this.#fill('closure-signs', signs);
  }
}
