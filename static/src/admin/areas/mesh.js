// Outlines that hang together, as far as the pointer needs it: a vertex is moved, put in or taken out in all outlines
// that have it. Pure; the service does the same again, exactly, and has the last word.

/** @import {Geometry, Piece, Point, Step} from '../../../types/areas.d.ts' */

/** Two vertices no farther apart than this, 1 cm, are one. */
export const SAME_DEG = 1e-7;

/** @typedef {ReadonlyMap<string, Piece>} Pieces by key: the code of an area, "beat " and the code of a beat */
/** @typedef {Point[]} Ring open: the first vertex is not repeated */
/** @typedef {{pieces: Pieces, steps: Step[]}} State */

/** @param {Piece} piece */
export const keyOf = (piece) => (piece.kind === 'beat' ? `beat ${piece.code}` : piece.code);

/** All rings of a shape, open, grouped by part. @param {Geometry} geometry @returns {Ring[][]} */
export function partsOf({ type, coordinates }) {
  const parts = type === 'Polygon' ? [coordinates] : coordinates;
  return parts.map((/** @type {Point[][]} */ part) => part.map((ring) => ring.slice(0, -1)));
}

/** @param {Ring[][]} parts @returns {Geometry} */
function geometryOf(parts) {
  const closed = parts.map((part) => part.map((ring) => [...ring, ring[0]]));
  return closed.length === 1 ? { type: 'Polygon', coordinates: closed[0] } : { type: 'MultiPolygon', coordinates: closed };
}

/** @param {Point} a @param {Point} b */
const same = (a, b) => Math.abs(a[0] - b[0]) <= SAME_DEG && Math.abs(a[1] - b[1]) <= SAME_DEG && Math.hypot(a[0] - b[0], a[1] - b[1]) <= SAME_DEG;

/** The point of a segment nearest to a place, and how far it is, in degrees. @param {Point} at @param {Point} a @param {Point} b @returns {{at: Point, away: number}} */
export function nearestOn(at, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const long = dx * dx + dy * dy;
  const share = long ? Math.min(1, Math.max(0, ((at[0] - a[0]) * dx + (at[1] - a[1]) * dy) / long)) : 0;
  /** @type {Point} */
  const found = [a[0] + share * dx, a[1] + share * dy];
  return { at: found, away: Math.hypot(found[0] - at[0], found[1] - at[1]) };
}

/**
 * The same shape with its rings changed; the very same where nothing was.
 * @param {Geometry} geometry @param {(ring: Ring) => Ring} change
 */
function reshaped(geometry, change) {
  let touched = false;
  const parts = partsOf(geometry).map((part) => part.map((ring) => {
    const next = change(ring);
    touched ||= next !== ring;
    return next;
  }));
  return touched ? geometryOf(parts) : geometry;
}

/** @param {Pieces} pieces @param {(ring: Ring) => Ring} change @returns {Pieces} */
function all(pieces, change) {
  const next = new Map(pieces);
  for (const [key, piece] of pieces) {
    const geometry = reshaped(piece.geometry, change);
    if (geometry !== piece.geometry) next.set(key, { ...piece, geometry });
  }
  return next;
}

/** With a vertex where the ring passes a place. @param {Ring} ring @param {Point} at */
function withVertex(ring, at) {
  if (ring.some((vertex) => same(vertex, at))) return ring;
  const edge = ring.findIndex((a, n) => nearestOn(at, a, ring[(n + 1) % ring.length]).away <= SAME_DEG);
  return edge < 0 ? ring : ring.toSpliced(edge + 1, 0, at);
}

/** @param {Pieces} pieces @param {Point} at @returns {Pieces} */
export const insertAt = (pieces, at) => all(pieces, (ring) => withVertex(ring, at));

/** Move what is at a place, in all outlines: a vertex, or the point of an edge. @param {Pieces} pieces @param {Point} at @param {Point} to @returns {Pieces} */
export function moveAt(pieces, at, to) {
  return all(pieces, (ring) => {
    const noded = withVertex(ring, at);
    if (!noded.some((vertex) => same(vertex, at))) return ring;
    return noded.map((vertex) => (same(vertex, at) ? to : vertex));
  });
}

/** The vertices next to those at a place, each once. @param {Pieces} pieces @param {Point} at */
function beside(pieces, at) {
  /** @type {Point[]} */
  const found = [];
  for (const piece of pieces.values()) {
    for (const ring of partsOf(piece.geometry).flat()) {
      ring.forEach((vertex, n) => {
        if (!same(vertex, at)) return;
        for (const next of [ring[(n + 1) % ring.length], ring[(n + ring.length - 1) % ring.length]]) {
          if (!found.some((one) => same(one, next))) found.push(next);
        }
      });
    }
  }
  return found;
}

/**
 * Take a vertex out of all outlines, or say why not.
 * @param {Pieces} pieces @param {Point} at
 * @returns {{pieces: Pieces, reason: ''} | {pieces: null, reason: 'junction' | 'too_few_vertices' | 'not_on_border'}}
 */
export function deleteAt(pieces, at) {
  const noded = insertAt(pieces, at);
  const around = beside(noded, at);
  if (!around.length) return { pieces: null, reason: 'not_on_border' };
  if (around.length > 2) return { pieces: null, reason: 'junction' };
  let few = false;
  const next = all(noded, (ring) => {
    const left = ring.filter((vertex) => !same(vertex, at));
    few ||= left.length < 3;
    return left.length === ring.length ? ring : left;
  });
  return few ? { pieces: null, reason: 'too_few_vertices' } : { pieces: next, reason: '' };
}

/**
 * The vertices of a piece, and the middles of its edges, where a vertex can be put in.
 * @param {Pieces} pieces @param {string} key
 * @returns {{vertices: {at: Point, shared: boolean}[], middles: Point[]}}
 */
export function handlesOf(pieces, key) {
  const piece = pieces.get(key);
  if (!piece) return { vertices: [], middles: [] };
  const place = (/** @type {Point} */ at) => `${Math.round(at[0] / SAME_DEG)},${Math.round(at[1] / SAME_DEG)}`;
  const others = new Set();
  for (const [other, { geometry, kind }] of pieces) {
    if (other !== key && kind === 'area') for (const ring of partsOf(geometry).flat()) for (const vertex of ring) others.add(place(vertex));
  }
  const rings = partsOf(piece.geometry).flat();
  return {
    vertices: rings.flatMap((ring) => ring.map((at) => ({ at, shared: others.has(place(at)) }))),
    middles: rings.flatMap((ring) => ring.map((a, n) => {
      const b = ring[(n + 1) % ring.length];
      return /** @type {Point} */ ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    })),
  };
}

/** The place of a border nearest to a point, a corner before an edge. @param {Geometry} geometry @param {Point} at @param {number} reach_deg @returns {Point | null} */
export function snapTo(geometry, at, reach_deg) {
  const rings = partsOf(geometry).flat();
  const squeeze = Math.cos((at[1] * Math.PI) / 180);
  const away = (/** @type {Point} */ b) => Math.hypot((b[0] - at[0]) * squeeze, b[1] - at[1]);
  const corners = rings.flat().map((corner) => ({ at: corner, away: away(corner) }));
  const edges = rings.flatMap((ring) => ring.map((a, n) => nearestOn(at, a, ring[(n + 1) % ring.length])));
  for (const group of [corners, edges]) {
    const best = group.reduce((least, one) => (one.away < least.away ? one : least), { at, away: Infinity });
    if (best.away <= reach_deg) return best.at;
  }
  return null;
}

/** Is a place inside a shape? @param {Geometry} geometry @param {Point} at */
export function contains(geometry, [x, y]) {
  let inside = false;
  for (const ring of partsOf(geometry).flat()) {
    ring.forEach((a, n) => {
      const b = ring[(n + 1) % ring.length];
      if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
    });
  }
  return inside;
}

/** Square kilometres of a square degree on the ellipsoid. @param {number} lat degrees */
function squareDegree(lat) {
  const angle = (lat * Math.PI) / 180;
  const north = 111.13292 - 0.55982 * Math.cos(2 * angle) + 0.001175 * Math.cos(4 * angle);
  return north * (111.41284 * Math.cos(angle) - 0.0935 * Math.cos(3 * angle));
}

/** About how many square kilometres, to tell a person while dragging. @param {Geometry} geometry */
export function squareKm(geometry) {
  let sum = 0;
  for (const part of partsOf(geometry)) {
    part.forEach((ring, hole) => {
      const [x0, y0] = ring[0];
      const twice = ring.reduce((total, a, n) => {
        const b = ring[(n + 1) % ring.length];
        return total + (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0);
      }, 0);
      sum += (hole ? -1 : 1) * Math.abs(twice / 2) * squareDegree(y0);
    });
  }
  return sum;
}

/** west, south, east, north @param {Geometry} geometry @returns {[number, number, number, number]} */
export function boundsOf(geometry) {
  const all_ = partsOf(geometry).flat(2);
  const lons = all_.map((at) => at[0]);
  const lats = all_.map((at) => at[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Do two shapes have two corners in common, which is a border and not just a point? @param {Geometry} a @param {Geometry} b */
export function shareBorder(a, b) {
  const mine = partsOf(a).flat(2);
  let common = 0;
  for (const corner of partsOf(b).flat(2)) {
    if (mine.some((other) => same(other, corner))) common += 1;
    if (common > 1) return true;
  }
  return false;
}

/**
 * Pieces after an outcome of the service: with the exact outlines, the new ones, and without those that are gone.
 * @param {Pieces} pieces @param {import('../../../types/areas.d.ts').Outcome} outcome @returns {Pieces}
 */
export function withOutcome(pieces, outcome) {
  const next = new Map(pieces);
  for (const { code, after } of outcome.changes) {
    if (!after) {
      next.delete(code);
      continue;
    }
    const old = next.get(code);
    next.set(code, {
      code, name: after.name, tier: after.tier, parent: after.parent, kind: 'area', editable: old?.editable ?? true,
      mergeable: old?.mergeable ?? true, geometry: after.geometry,
    });
  }
  return next;
}

/** What was done so far, to be undone and done again. */
export class Draft {
  /** @type {State[]} */
  #states;
  #at = 0;

  /** @param {Pieces} pieces */
  constructor(pieces) {
    this.#states = [{ pieces, steps: [] }];
  }

  get pieces() {
    return this.#states[this.#at].pieces;
  }

  get steps() {
    return this.#states[this.#at].steps;
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at < this.#states.length - 1;
  }

  /** Keys of the outlines that are not as they were. */
  get changed() {
    const before = this.#states[0].pieces;
    return [...new Set([...before.keys(), ...this.pieces.keys()])].filter((key) => before.get(key)?.geometry !== this.pieces.get(key)?.geometry);
  }

  /** @param {Pieces} pieces @param {...Step} steps that made them */
  push(pieces, ...steps) {
    this.#states = [...this.#states.slice(0, this.#at + 1), { pieces, steps: [...this.steps, ...steps] }];
    this.#at += 1;
  }

  /** More outlines than there were: the ones beside another area. @param {Pieces} more */
  widen(more) {
    const absent = [...more].filter(([key]) => !this.#states[0].pieces.has(key));
    if (absent.length) this.#states = this.#states.map((state) => ({ ...state, pieces: new Map([...state.pieces, ...absent]) }));
  }

  undo() {
    if (this.canUndo) this.#at -= 1;
  }

  redo() {
    if (this.canRedo) this.#at += 1;
  }
}
