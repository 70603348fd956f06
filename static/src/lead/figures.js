// What the figures say: classes of the map, the sentence above it, the rows of the table, the grids that lack something.

/** @import {AreaCover} from '../../types/lead.d.ts' */

/** @typedef {'staffed' | 'duty' | 'reach' | 'seen'} Measure */
/** @typedef {'staffed' | 'reach' | 'seen'} Lack */

export const MEASURES = /** @type {const} */ (['staffed', 'duty', 'reach', 'seen']);
export const LACKS = /** @type {const} */ (['staffed', 'reach', 'seen']);
export const GRID = 4;
/** A grid counts as reached with this share of its road. */
export const ENOUGH = 0.5;

/** Upper ends of the classes between nothing and everything, shares. A camera sees a street, never a whole grid. */
const STEPS = { reach: [0.5, 0.8, 0.9995], seen: [0.01, 0.05, 0.2] };

/** @param {AreaCover} row @param {number} minutes */
export const reachOf = (row, minutes) => row.reach[String(minutes)] ?? null;

/**
 * How well a grid is covered, 0 not at all to 4 wholly; -1 where there is nothing to be covered.
 * @param {Measure} measure @param {AreaCover} row @param {number} minutes
 */
export function classOf(measure, row, minutes) {
  if (measure === 'staffed') return row.staffed ? 4 : 0;
  if (measure === 'duty') return row.on_duty ? 4 : row.staffed ? 2 : 0;
  const share = measure === 'reach' ? reachOf(row, minutes) : row.seen;
  if (share === null) return -1;
  if (share < 0.0005 && !(measure === 'seen' && row.watched)) return 0;
  const step = STEPS[measure].findIndex((end) => share < end);
  return step < 0 ? 4 : step + 1;
}

/** The classes a measure has, gaps first. @param {Measure} measure */
export const classesOf = (measure) => (measure === 'staffed' ? [0, 4] : measure === 'duty' ? [0, 2, 4] : [0, 1, 2, 3, 4]);

/** What a grid lacks. @param {AreaCover} row @param {number} minutes @returns {Lack[]} */
export function lacksOf(row, minutes) {
  const share = reachOf(row, minutes);
  /** @type {Lack[]} */
  const found = [];
  if (!row.staffed) found.push('staffed');
  if (share !== null && share < ENOUGH) found.push('reach');
  if (!row.watched) found.push('seen');
  return found;
}

/**
 * Grids that lack something, those that lack most first, then those that take longest.
 * @param {readonly AreaCover[]} rows @param {number} minutes @param {Lack | 'any'} which
 */
export function wanting(rows, minutes, which) {
  return rows
    .filter((row) => row.tier === GRID)
    .map((row) => ({ row, lacks: lacksOf(row, minutes) }))
    .filter(({ lacks }) => (which === 'any' ? lacks.length > 0 : lacks.includes(which)))
    .sort((a, b) => b.lacks.length - a.lacks.length || (b.row.p90_s ?? 1e9) - (a.row.p90_s ?? 1e9) || (a.row.code < b.row.code ? -1 : 1));
}

/** The measure of an area as n of d, for its share. @param {Measure} measure @param {AreaCover} row @param {number} minutes */
export function rateOf(measure, row, minutes) {
  if (measure === 'staffed') return { n: row.staffed, d: row.grids };
  if (measure === 'duty') return { n: row.on_duty, d: row.grids };
  if (measure === 'reach') return { n: row.reached[String(minutes)] ?? 0, d: row.measured };
  return { n: row.watched, d: row.grids };
}

/** @param {Measure} measure @param {AreaCover} row @param {number} minutes */
function worth(measure, row, minutes) {
  const { n, d } = rateOf(measure, row, minutes);
  const rate = d ? n / d : 2;
  if (measure === 'reach') return rate + (reachOf(row, minutes) ?? 2) / 1000;
  return measure === 'seen' ? rate + (row.seen ?? 2) / 1000 : rate;
}

/**
 * Rows of the table: opened areas with those below them, the worst first.
 * @param {readonly AreaCover[]} rows @param {ReadonlySet<string>} open @param {Measure} measure @param {number} minutes
 * @returns {{row: AreaCover, depth: number, below: boolean}[]}
 */
export function tableRows(rows, open, measure, minutes) {
  const known = new Set(rows.map((row) => row.code));
  /** @type {Map<string | null, AreaCover[]>} */
  const under = new Map();
  for (const row of rows) {
    const parent = row.parent !== null && known.has(row.parent) ? row.parent : null;
    const list = under.get(parent);
    if (list) list.push(row);
    else under.set(parent, [row]);
  }
  for (const list of under.values()) {
    list.sort((a, b) => worth(measure, a, minutes) - worth(measure, b, minutes) || (b.p90_s ?? 1e9) - (a.p90_s ?? 1e9) || (a.code < b.code ? -1 : 1));
  }
  /** @type {{row: AreaCover, depth: number, below: boolean}[]} */
  const out = [];
  const walk = (/** @type {string | null} */ parent, /** @type {number} */ depth) => {
    for (const row of under.get(parent) ?? []) {
      const below = under.has(row.code);
      out.push({ row, depth, below });
      if (below && open.has(row.code)) walk(row.code, depth + 1);
    }
  };
  walk(null, 0);
  return out;
}

/**
 * What to open at first: level after level while the table fits, then the worst branch down to its grids.
 * @param {readonly AreaCover[]} rows @param {number} minutes @param {number} room rows that fit
 */
export function openedAtFirst(rows, minutes, room) {
  /** @type {Set<string>} */
  const open = new Set();
  const count = () => tableRows(rows, open, 'reach', minutes).length;
  for (const tier of [1, 2, 3]) {
    const level = rows.filter((row) => row.tier === tier).map((row) => row.code);
    for (const code of level) open.add(code);
    if (tier === 1 || count() <= room) continue;
    for (const code of level) open.delete(code);
    const worst = tableRows(rows, open, 'reach', minutes).find(({ row }) => row.tier === tier);
    if (worst) open.add(worst.row.code);
  }
  return open;
}

/** From the top down to an area. @param {ReadonlyMap<string, AreaCover>} rows @param {string} code @returns {AreaCover[]} */
export function pathTo(rows, code) {
  const path = [];
  for (let row = rows.get(code); row; row = row.parent === null ? undefined : rows.get(row.parent)) path.unshift(row);
  return path;
}

/** The rows of an area: itself and those below; '' is everything. @param {ReadonlyMap<string, AreaCover>} rows @param {string} chosen @returns {AreaCover[]} */
export function within(rows, chosen) {
  if (!chosen) return [...rows.values()];
  /** @type {Map<string, boolean>} whether an area lies in it; each is asked once */
  const known = new Map([[chosen, true]]);
  /** @param {AreaCover | undefined} row @returns {boolean} */
  const inside = (row) => {
    if (!row) return false;
    const found = known.get(row.code) ?? (row.parent !== null && inside(rows.get(row.parent)));
    known.set(row.code, found);
    return found;
  };
  return [...rows.values()].filter(inside);
}

/**
 * What to say first: the area just below with most grids out of reach, or that there is none.
 * @param {readonly AreaCover[]} rows @param {AreaCover} top @param {number} minutes
 */
export function storyOf(rows, top, minutes) {
  const byCode = new Map(rows.map((row) => [row.code, row]));
  const grids = rows.filter((row) => row.tier === GRID && pathTo(byCode, row.code).includes(top));
  const far = grids.filter((row) => lacksOf(row, minutes).includes('reach'));
  /** @type {Map<string, {row: AreaCover, far: number, bare: number}>} */
  const parts = new Map();
  for (const grid of far) {
    const path = pathTo(byCode, grid.code);
    const part = path[path.indexOf(top) + 1] ?? grid;
    const found = parts.get(part.code) ?? { row: part, far: 0, bare: 0 };
    found.far += 1;
    found.bare += grid.staffed ? 0 : 1;
    parts.set(part.code, found);
  }
  const worst = [...parts.values()].sort((a, b) => b.far - a.far || b.bare - a.bare || (a.row.code < b.row.code ? -1 : 1))[0];
  return {
    worst: worst ?? null,
    far: far.length,
    bare: far.filter((row) => !row.staffed).length,
    unstaffed: grids.filter((row) => !row.staffed).length,
    unseen: grids.filter((row) => !row.watched).length,
  };
}
