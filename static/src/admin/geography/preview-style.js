// How a file's rows look on the map: colour and pattern by the worst that is said of each, so that neither stands alone.
import { paletteOf } from '../../map/palette.js';

/** @import {Theme} from '../../map/palette.js' */

export const ROWS = 'intake';
export const FAULTS = 'intake-faults';
export const NOW = 'intake-now';
export const CHOSEN = 'intake-chosen';
const EMPTY = { type: 'FeatureCollection', features: [] };
const RATIO = 2;

/** Colours by what is said. @param {Theme} theme */
export function tones(theme) {
  const p = paletteOf(theme);
  return {
    good: theme === 'light' ? '#0d7f59' : p.kinds[1],
    note: p.levels[3],
    warning: p.levels[1],
    error: p.levels[0],
    overlap: p.kinds[2],
    gap: p.strong,
    hole: p.strong,
    now: theme === 'light' ? '#5f6989' : '#b9c4de',
    chosen: p.accent,
    casing: p.halo,
  };
}

/** @param {number} size CSS px @param {(pen: CanvasRenderingContext2D) => void} draw */
function image(size, draw) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size * RATIO;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.scale(RATIO, RATIO);
  draw(pen);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Lines from corner to corner that meet those of the next tile. @param {string} colour @param {{both?: boolean, size?: number, width?: number, ground?: number}} how */
function hatch(colour, { both = false, size = 10, width = 1.6, ground = 0.16 }) {
  return image(size, (pen) => {
    pen.globalAlpha = ground;
    pen.fillStyle = colour;
    pen.fillRect(0, 0, size, size);
    pen.globalAlpha = 0.9;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
      if (!both) continue;
      pen.moveTo(shift - 1, -1);
      pen.lineTo(shift + size + 1, size + 1);
    }
    pen.stroke();
  });
}

/** @param {string} colour */
const dots = (colour) =>
  image(10, (pen) => {
    pen.globalAlpha = 0.14;
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 10, 10);
    pen.globalAlpha = 0.9;
    for (const [x, y] of [[2.5, 2.5], [7.5, 7.5]]) {
      pen.beginPath();
      pen.arc(x, y, 1.1, 0, 7);
      pen.fill();
    }
  });

/** Marks of points by worst, in a box of 20: disc, ring with a dot, triangle, cross. */
export const POINT_PATHS = {
  good: 'M4.5 10A5.5 5.5 0 1 0 15.5 10A5.5 5.5 0 1 0 4.5 10Z',
  note: 'M4 10A6 6 0 1 0 16 10A6 6 0 1 0 4 10ZM8 10A2 2 0 1 1 12 10A2 2 0 1 1 8 10Z',
  warning: 'M10 2.5 18 16.5H2Z',
  error: 'M5.5 2.5 10 7 14.5 2.5 17.5 5.5 13 10 17.5 14.5 14.5 17.5 10 13 5.5 17.5 2.5 14.5 7 10 2.5 5.5Z',
};

/** @param {string} path @param {string} colour @param {string} casing */
const mark = (path, colour, casing) =>
  image(20, (pen) => {
    const shape = new Path2D(path);
    pen.lineJoin = 'round';
    pen.lineWidth = 2.6;
    pen.strokeStyle = casing;
    pen.stroke(shape);
    pen.fillStyle = colour;
    pen.fill(shape, 'evenodd');
  });

/** @param {any} gl the MapLibre map, its style loaded @param {Theme} theme */
export function install(gl, theme) {
  const tone = tones(theme);
  /** @param {string} name @param {ImageData} data */
  const put = (name, data) => {
    if (gl.hasImage(name)) gl.removeImage(name);
    gl.addImage(name, data, { pixelRatio: RATIO });
  };
  put('intake-note', dots(tone.note));
  put('intake-warning', hatch(tone.warning, {}));
  put('intake-error', hatch(tone.error, { both: true }));
  put('intake-overlap', hatch(tone.overlap, { both: true, size: 7, width: 1.8, ground: 0.3 }));
  for (const [name, path] of Object.entries(POINT_PATHS)) put(`intake-point-${name}`, mark(path, tone[/** @type {'good'} */ (name)], tone.casing));
  for (const name of [NOW, ROWS, FAULTS, CHOSEN]) if (!gl.getSource(name)) gl.addSource(name, { type: 'geojson', data: EMPTY });
  for (const [layer, before] of layers(tone)) if (!gl.getLayer(layer.id)) gl.addLayer(layer, gl.getLayer(before) ? before : undefined);
}

const LABELS = 'water-label';
const TOP = 'incident';

/** @param {ReturnType<typeof tones>} tone @returns {[any, string][]} layer, what it stands below */
function layers(tone) {
  const worst = ['match', ['get', 'worst'], 'error', tone.error, 'warning', tone.warning, 'note', tone.note, tone.good];
  const out = ['boolean', ['feature-state', 'out'], false];
  /** @param {string} id @param {object} more */
  const fill = (id, more) => ({ id, type: 'fill', source: ROWS, ...more });
  return [
    [fill('intake-fill', { paint: { 'fill-color': worst, 'fill-opacity': ['case', out, 0.03, 0.13] } }), LABELS],
    ...['note', 'warning', 'error'].map((name) => /** @type {[any, string]} */ ([fill(`intake-pattern-${name}`, { filter: ['==', ['get', 'worst'], name], paint: { 'fill-pattern': `intake-${name}`, 'fill-opacity': ['case', out, 0.35, 1] } }), LABELS])),
    [{ id: 'intake-line', type: 'line', source: ROWS, layout: { 'line-join': 'round' }, paint: { 'line-color': worst, 'line-width': ['match', ['get', 'worst'], ['error', 'warning'], 2, 1.1], 'line-opacity': ['case', out, 0.35, 0.95] } }, LABELS],
    [{ id: 'intake-upper', type: 'line', source: ROWS, layout: { 'line-join': 'round' }, paint: { 'line-color': tone.good, 'line-width': ['match', ['coalesce', ['get', 'tier'], 4], 1, 3.4, 2, 2.6, 3, 1.8, 1.2], 'line-opacity': 0.75 } }, LABELS],
    [{ id: NOW, type: 'line', source: NOW, layout: { 'line-join': 'round', 'line-cap': 'round' }, paint: { 'line-color': tone.now, 'line-width': 1.2, 'line-opacity': 0.85, 'line-dasharray': [0.2, 2.4] } }, LABELS],
    [{ id: 'intake-overlap', type: 'fill', source: FAULTS, filter: ['==', ['get', 'kind'], 'overlap'], paint: { 'fill-pattern': 'intake-overlap' } }, LABELS],
    [{ id: 'intake-gap', type: 'fill', source: FAULTS, filter: ['!=', ['get', 'kind'], 'overlap'], paint: { 'fill-color': tone.gap, 'fill-opacity': 0.4 } }, LABELS],
    [{ id: 'intake-overlap-line', type: 'line', source: FAULTS, filter: ['==', ['get', 'kind'], 'overlap'], layout: { 'line-join': 'round' }, paint: { 'line-color': tone.overlap, 'line-width': 2 } }, LABELS],
    [{ id: 'intake-gap-line', type: 'line', source: FAULTS, filter: ['!=', ['get', 'kind'], 'overlap'], layout: { 'line-join': 'round' }, paint: { 'line-color': tone.gap, 'line-width': 2, 'line-dasharray': [2.4, 1.6] } }, LABELS],
    [{ id: 'intake-chosen-case', type: 'line', source: CHOSEN, layout: { 'line-join': 'round' }, paint: { 'line-color': tone.casing, 'line-width': 6, 'line-opacity': 0.8 } }, TOP],
    [{ id: 'intake-chosen', type: 'line', source: CHOSEN, layout: { 'line-join': 'round' }, paint: { 'line-color': tone.chosen, 'line-width': 3 } }, TOP],
    [{ id: 'intake-chosen-point', type: 'circle', source: CHOSEN, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 13, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': tone.chosen, 'circle-stroke-width': 2.5 } }, TOP],
    [{
      id: 'intake-point', type: 'symbol', source: ROWS, filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'icon-image': ['concat', 'intake-point-', ['coalesce', ['get', 'worst'], 'good']], 'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.65, 14, 1], 'icon-allow-overlap': true, 'symbol-sort-key': ['match', ['get', 'worst'], 'error', 3, 'warning', 2, 1] },
      paint: { 'icon-opacity': ['case', out, 0.35, 1] },
    }, TOP],
  ];
}
