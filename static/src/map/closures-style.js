// How closed roads look: barrier tape in red and white with a no-entry sign, so that it is never colour alone; what is
// planned is a lighter line of dots with a clock for a sign. A closed area is hatched; of a one-way closure chevrons
// show the direction that is closed.

/** @import {Palette} from './palette.js' */

const STRONG = ['Yiping Strong'];
export const CLOSURE_SOURCES = /** @type {const} */ (['closure-roads', 'closure-shapes', 'closure-signs', 'closure-draft']);
/** Layers that answer a click. */
export const CLOSURE_LAYERS = ['closure-sign', 'closure-tape', 'closure-planned'];

/** @param {number} factor */
const width = (factor) => [
  'interpolate', ['exponential', 1.5], ['zoom'], 10, 2.4 * factor, 13, 4.5 * factor, 15, 7 * factor, 18, 16 * factor,
];

/** Over the roads, under the routes: a way that runs along is still seen. @param {Palette} p @param {number} scale */
export function closureLayers(p, scale) {
  const inForce = ['!=', ['get', 'state'], 'planned'];
  const planned = ['==', ['get', 'state'], 'planned'];
  const joined = { 'line-join': 'round' };
  return [
    {
      id: 'closure-area', type: 'fill', source: 'closure-shapes', filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-pattern': ['case', planned, 'closure-hatch-planned', 'closure-hatch'] },
    },
    {
      id: 'closure-outline', type: 'line', source: 'closure-shapes', layout: joined,
      paint: { 'line-color': p.closure, 'line-width': 1.4 * scale, 'line-dasharray': [3, 2], 'line-opacity': ['case', planned, 0.7, 0.95] },
    },
    {
      id: 'closure-casing', type: 'line', source: 'closure-roads', layout: joined,
      paint: {
        'line-color': ['case', ['get', 'focus'], p.accent, p.casingMark], 'line-width': width(scale * 1.55),
        'line-opacity': ['case', ['get', 'focus'], 1, planned, 0, 0.85],
      },
    },
    {
      id: 'closure-white', type: 'line', source: 'closure-roads', filter: inForce, layout: joined,
      paint: { 'line-color': p.closureTape, 'line-width': width(scale) },
    },
    {
      id: 'closure-tape', type: 'line', source: 'closure-roads', filter: inForce, layout: joined,
      paint: { 'line-color': p.closure, 'line-width': width(scale), 'line-dasharray': [1.5, 1.5] },
    },
    {
      id: 'closure-planned', type: 'line', source: 'closure-roads', filter: planned, layout: { ...joined, 'line-cap': 'round' },
      paint: { 'line-color': p.closure, 'line-width': width(scale * 0.62), 'line-dasharray': [0.2, 2], 'line-opacity': 0.9 },
    },
    {
      id: 'closure-way', type: 'symbol', source: 'closure-roads', filter: ['get', 'one_way'], minzoom: 13,
      layout: {
        'symbol-placement': 'line', 'symbol-spacing': 46 * scale, 'icon-image': 'closure-chevron', 'icon-size': scale,
        'icon-allow-overlap': true, 'icon-ignore-placement': true, 'icon-rotation-alignment': 'map',
      },
    },
  ];
}

/** What somebody is drawing; over everything of ours but the incidents. @param {Palette} p @param {number} scale */
export const draftLayers = (p, scale) => [
  {
    id: 'draft-area', type: 'fill', source: 'closure-draft', filter: ['==', ['get', 'part'], 'area'],
    paint: { 'fill-pattern': 'closure-hatch-planned' },
  },
  {
    id: 'draft-roads', type: 'line', source: 'closure-draft', filter: ['==', ['get', 'part'], 'roads'],
    paint: { 'line-color': p.closure, 'line-width': width(scale), 'line-dasharray': [1.5, 1], 'line-opacity': 0.95 },
  },
  {
    id: 'draft-line', type: 'line', source: 'closure-draft', filter: ['==', ['get', 'part'], 'line'],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': p.accent, 'line-width': 2.4 * scale },
  },
  {
    id: 'draft-next', type: 'line', source: 'closure-draft', filter: ['==', ['get', 'part'], 'next'],
    paint: { 'line-color': p.accent, 'line-width': 1.6 * scale, 'line-dasharray': [2, 2] },
  },
  {
    id: 'draft-way', type: 'symbol', source: 'closure-draft', filter: ['==', ['get', 'part'], 'one_way'],
    layout: {
      'symbol-placement': 'line', 'symbol-spacing': 46 * scale, 'icon-image': 'closure-chevron', 'icon-size': scale,
      'icon-allow-overlap': true, 'icon-ignore-placement': true,
    },
  },
  {
    id: 'draft-point', type: 'circle', source: 'closure-draft', filter: ['==', ['get', 'part'], 'point'],
    paint: { 'circle-radius': 4.5 * scale, 'circle-color': p.hollow, 'circle-stroke-color': p.accent, 'circle-stroke-width': 2 * scale },
  },
];

/** @param {Palette} p @param {number} scale */
export const signLayers = (p, scale) => [
  {
    id: 'closure-sign', type: 'symbol', source: 'closure-signs',
    layout: {
      'icon-image': ['case', ['==', ['get', 'state'], 'planned'], 'closure-sign-planned', 'closure-sign'],
      'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.75 * scale, 14, scale], 'icon-allow-overlap': true,
      'symbol-sort-key': ['case', ['==', ['get', 'state'], 'planned'], 1, 0],
      'text-field': ['step', ['zoom'], '', 12.5, ['get', 'label']], 'text-font': STRONG, 'text-size': 12 * scale,
      'text-anchor': 'left', 'text-offset': [1.1, 0], 'text-optional': true, 'text-max-width': 14,
    },
    paint: { 'text-color': p.closureText, 'text-halo-color': p.halo, 'text-halo-width': 1.8 * scale },
  },
];

const SIGN_PX = 26;
const WHITE = '#ffffff';
const INK = '#111a2b';
const HATCH_PX = 14;

/**
 * The images of these layers.
 * @param {(name: string, data: ImageData) => void} put @param {Palette} p
 * @param {(draw: (pen: CanvasRenderingContext2D) => void, size?: number) => ImageData} image
 */
export function addClosureIcons(put, p, image) {
  put('closure-sign', image((pen) => {
    disc(pen, p, p.closure);
    pen.fillStyle = WHITE;
    pen.fillRect(-6, -1.9, 12, 3.8);
  }, SIGN_PX));
  put('closure-sign-planned', image((pen) => {
    disc(pen, p, p.hollow);
    pen.strokeStyle = p.closureText;
    pen.lineWidth = 1.8;
    pen.lineCap = 'round';
    pen.beginPath();
    pen.moveTo(0, -5);
    pen.lineTo(0, 0);
    pen.lineTo(3.6, 2.4);
    pen.stroke();
  }, SIGN_PX));
  put('closure-chevron', image((pen) => {
    pen.lineCap = 'round';
    for (const [colour, line] of /** @type {[string, number][]} */ ([[WHITE, 5.2], [INK, 2.4]])) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.beginPath();
      pen.moveTo(-2.4, -4.4);
      pen.lineTo(2.4, 0);
      pen.lineTo(-2.4, 4.4);
      pen.stroke();
    }
  }, 14));
  put('closure-hatch', image((pen) => hatch(pen, p.closure, 0.5, 3), HATCH_PX));
  put('closure-hatch-planned', image((pen) => hatch(pen, p.closure, 0.4, 1.4), HATCH_PX));
}

/** @param {CanvasRenderingContext2D} pen @param {Palette} p @param {string} colour */
function disc(pen, p, colour) {
  pen.beginPath();
  pen.arc(0, 0, 9.6, 0, 2 * Math.PI);
  pen.lineWidth = 5;
  pen.strokeStyle = p.casingMark;
  pen.stroke();
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 1.8;
  pen.strokeStyle = colour === p.closure ? WHITE : p.closureText;
  pen.stroke();
}

/** Slanted stripes that join at the edges. @param {CanvasRenderingContext2D} pen @param {string} colour @param {number} opacity @param {number} line */
function hatch(pen, colour, opacity, line) {
  const half = HATCH_PX / 2;
  pen.globalAlpha = opacity;
  pen.strokeStyle = colour;
  pen.lineWidth = line;
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    pen.beginPath();
    pen.moveTo(shift - half - 1, half + 1);
    pen.lineTo(shift + half + 1, -half - 1);
    pen.stroke();
  }
}
