// Grids and borders on a canvas: ten thousand of them are one picture, where as many elements would choke the page.
import { boxOf, pathOf } from './shape.js';

/** @import {Outlines} from '../../types/lead.d.ts' */
/** @import {Box, Project} from './shape.js' */

/** @typedef {{code: string, path: Path2D, box: Box}} Shape in the picture's units */

const HATCH_PX = 7;

/** @param {Outlines | undefined} outlines @param {Project | null} project @returns {Shape[]} */
export const shapesOf = (outlines, project) =>
  project
    ? (outlines?.features ?? []).map((/** @type {any} */ feature) => ({
        code: String(feature.id),
        path: new Path2D(pathOf(feature.geometry, project)),
        box: /** @type {Box} */ (boxOf([feature.geometry], project)),
      }))
    : [];

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Slanted lines of one thickness on the screen. @param {CanvasRenderingContext2D} pen @param {number} unit @param {number} ratio */
function hatch(pen, unit, ratio) {
  const side = Math.round(HATCH_PX * ratio * 1.4142);
  const tile = new OffscreenCanvas(side, side);
  const lines = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext('2d'));
  lines.strokeStyle = 'rgba(11, 18, 32, .7)';
  lines.lineWidth = 1.8 * ratio;
  for (const shift of [-side, 0, side]) {
    lines.beginPath();
    lines.moveTo(shift - 2, side + 2);
    lines.lineTo(shift + side + 2, -2);
    lines.stroke();
  }
  const pattern = /** @type {CanvasPattern} */ (pen.createPattern(tile, 'repeat'));
  pattern.setTransform(new DOMMatrix().scale(unit / ratio));
  return pattern;
}

/**
 * @typedef {object} Scene
 * @property {Shape[]} grids
 * @property {Shape[][]} borders villages, townships, county
 * @property {(code: string) => number} classOf -1 where there is nothing to be covered
 * @property {(code: string) => boolean} bare without a worker, hatched
 * @property {Path2D[]} gaps
 * @property {Box} view what is seen, in the picture's units
 * @property {number} unit the picture's units in a px
 */

/** @param {HTMLCanvasElement} canvas @param {Scene} scene @param {number} wide @param {number} high px */
export function paint(canvas, { grids, borders, classOf, bare, gaps, view, unit }, wide, high) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(wide * ratio));
  canvas.height = Math.max(1, Math.round(high * ratio));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const scale = ratio / unit;
  pen.setTransform(scale, 0, 0, scale, -view[0] * scale, -view[1] * scale);
  pen.lineJoin = 'round';
  const fills = [0, 1, 2, 3, 4].map((n) => colour(`--cov-${n}`));
  const nothing = colour('--cov-none');
  const seen = grids.filter(({ box }) => box[0] < view[0] + view[2] && box[0] + box[2] > view[0] && box[1] < view[1] + view[3] && box[1] + box[3] > view[1]);
  pen.strokeStyle = colour('--cov-edge');
  // Where grids are a few px wide their own borders would be all one sees.
  const crowded = grids.length > 0 && Math.sqrt((view[2] * view[3]) / grids.length) / unit < 14;
  pen.lineWidth = (crowded ? 0.35 : 1) * unit;
  for (const { code, path } of seen) {
    const n = classOf(code);
    pen.fillStyle = n < 0 ? nothing : fills[n];
    pen.fill(path, 'evenodd');
    pen.stroke(path);
  }
  pen.fillStyle = hatch(pen, unit, ratio);
  for (const { code, path } of seen) if (bare(code)) pen.fill(path, 'evenodd');
  [
    { width: 1.6, stroke: colour('--bg') },
    { width: 2.8, stroke: colour('--bg') },
    { width: 1.4, stroke: colour('--text-3') },
  ].forEach(({ width, stroke }, n) => {
    pen.strokeStyle = stroke;
    pen.lineWidth = (crowded && n === 0 ? 0.8 : width) * unit;
    for (const { path } of borders[n] ?? []) pen.stroke(path);
  });
  pen.fillStyle = 'rgba(255, 107, 61, .22)';
  pen.strokeStyle = '#ff8a5c';
  pen.lineWidth = 1.2 * unit;
  for (const path of gaps) {
    pen.fill(path, 'evenodd');
    pen.stroke(path);
  }
}

/** @type {CanvasRenderingContext2D | null} */
let ruler = null;

/** The code of the grid at a point, or null. @param {Shape[]} grids @param {number} x @param {number} y picture's units */
export function gridAt(grids, x, y) {
  ruler ??= document.createElement('canvas').getContext('2d');
  const found = grids.find(
    ({ box, path }) => x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3] && ruler?.isPointInPath(path, x, y, 'evenodd'),
  );
  return found?.code ?? null;
}
