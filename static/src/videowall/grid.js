// The grid of tiles as data: which camera is in which cell, which cell has the focus. Pure; the page draws it.

/** @import {Split} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Grid
 * @property {Split} split
 * @property {(string | null)[]} cells 16 camera ids, row by row; those beyond the split wait out of sight
 * @property {number} focus index of the cell that keys act on
 * @property {number} home where the camera of a single tile stood before, so that the next split puts it back
 */

export const SPLITS = /** @type {const} */ ([1, 4, 9, 16]);
const MOST = 16;

/** @param {Split} [split] @returns {Grid} */
export const emptyGrid = (split = 4) => ({ split, cells: Array(MOST).fill(null), focus: 0, home: 0 });

/** Tiles on a side. @param {Split} split */
export const sideOf = (split) => Math.sqrt(split);

/** @param {unknown} value @returns {Split} the split itself, or 4 */
export const asSplit = (value) => /** @type {Split} */ (SPLITS.find((one) => one === value) ?? 4);

/** What is in view. @param {Grid} grid */
export const shown = (grid) => grid.cells.slice(0, grid.split);

/**
 * Another number of tiles; cameras keep their places and nothing is lost. A single tile shows the one that had the focus.
 * @param {Grid} grid @param {Split} split @returns {Grid}
 */
export function withSplit(grid, split) {
  if (split === grid.split) return grid;
  const cells = [...grid.cells];
  if (split === 1) {
    [cells[0], cells[grid.focus]] = [cells[grid.focus], cells[0]];
    return { split, cells, focus: 0, home: grid.focus };
  }
  const back = grid.split === 1 ? grid.home : 0;
  [cells[0], cells[back]] = [cells[back], cells[0]];
  const focus = grid.split === 1 ? back : grid.focus;
  return { split, cells, focus: Math.min(focus, split - 1), home: 0 };
}

/**
 * A camera into a cell. One that is already shown moves there, and what was there takes its place.
 * @param {Grid} grid @param {number} cell @param {string} camera @returns {Grid}
 */
export function put(grid, cell, camera) {
  if (cell < 0 || cell >= grid.split) return grid;
  const from = grid.cells.indexOf(camera);
  if (from >= 0 && from < grid.split) return swap(grid, from, cell);
  const cells = [...grid.cells];
  if (from >= 0) cells[from] = null;
  cells[cell] = camera;
  return { ...grid, cells, focus: cell };
}

/** Where a camera without a wish goes: the first empty cell from the focus on, else the focus itself. @param {Grid} grid */
export function freeCell(grid) {
  if (!grid.cells[grid.focus]) return grid.focus;
  for (let step = 1; step < grid.split; step += 1) {
    const cell = (grid.focus + step) % grid.split;
    if (!grid.cells[cell]) return cell;
  }
  return grid.focus;
}

/** Several cameras, from a cell on, as many as fit. @param {Grid} grid @param {number} cell @param {string[]} cameras */
export function fill(grid, cell, cameras) {
  const chosen = cameras.slice(0, grid.split);
  const start = Math.max(0, Math.min(cell, grid.split - chosen.length));
  const cells = grid.cells.map((id) => (id !== null && chosen.includes(id) ? null : id));
  chosen.forEach((id, index) => {
    cells[start + index] = id;
  });
  return { ...grid, cells, focus: start };
}

/** @param {Grid} grid @param {number} a @param {number} b @returns {Grid} */
export function swap(grid, a, b) {
  const inside = (/** @type {number} */ cell) => cell >= 0 && cell < grid.split;
  if (!inside(a) || !inside(b)) return grid;
  const cells = [...grid.cells];
  [cells[a], cells[b]] = [cells[b], cells[a]];
  return { ...grid, cells, focus: b };
}

/** @param {Grid} grid @param {number} cell @returns {Grid} */
export function clear(grid, cell) {
  if (grid.cells[cell] === null) return grid;
  return { ...grid, cells: grid.cells.map((id, index) => (index === cell ? null : id)) };
}

/** @param {Grid} grid @returns {Grid} */
export const clearAll = (grid) => ({ ...emptyGrid(grid.split) });

/**
 * Move the focus; it stays at the edges.
 * @param {Grid} grid @param {'left' | 'right' | 'up' | 'down'} way @returns {Grid}
 */
export function moveFocus(grid, way) {
  const side = sideOf(grid.split);
  const column = grid.focus % side;
  const row = Math.floor(grid.focus / side);
  const x = Math.max(0, Math.min(side - 1, column + (way === 'right' ? 1 : way === 'left' ? -1 : 0)));
  const y = Math.max(0, Math.min(side - 1, row + (way === 'down' ? 1 : way === 'up' ? -1 : 0)));
  return { ...grid, focus: y * side + x };
}

/** A camera stands in one cell only: the first. @param {(string | null)[]} cells */
const once = (cells) => cells.map((id, index) => (cells.indexOf(id) === index ? id : null));

/**
 * A saved layout, as far as its cameras still exist.
 * @param {{split: number, cells: (string | null)[]}} layout
 * @param {(id: string) => boolean} exists
 * @returns {Grid}
 */
export function load(layout, exists) {
  const split = asSplit(layout.split);
  const cells = Array.from({ length: MOST }, (_, index) => {
    const id = index < split ? (layout.cells[index] ?? null) : null;
    return id !== null && exists(id) ? id : null;
  });
  return { split, cells: once(cells), focus: 0, home: 0 };
}

/** What to keep of a grid under a name. @param {Grid} grid */
export const saved = (grid) => ({ split: grid.split, cells: shown(grid) });

/** Does the grid show what was saved? @param {Grid} grid @param {{split: number, cells: (string | null)[]}} layout */
export const sameAs = (grid, layout) =>
  grid.split === layout.split && shown(grid).every((id, index) => id === (layout.cells[index] ?? null));

/**
 * Read a remembered grid; anything odd gives an empty one.
 * @param {string | null} text @returns {Grid}
 */
export function remembered(text) {
  try {
    const value = JSON.parse(text ?? 'null');
    if (value && Array.isArray(value.cells)) {
      const split = asSplit(value.split);
      const cells = Array.from({ length: MOST }, (_, index) =>
        typeof value.cells[index] === 'string' ? value.cells[index] : null,
      );
      const focus = Number.isInteger(value.focus) && value.focus >= 0 && value.focus < split ? value.focus : 0;
      return { split, cells: once(cells), focus, home: 0 };
    }
  } catch {
    // not ours, or from another time
  }
  return emptyGrid();
}
