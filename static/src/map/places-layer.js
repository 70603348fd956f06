// Places and checkpoints: small marks with their names, under everything that moves. Off until asked for: a city has
// thousands, and the basemap names the most of them.

/** @import {Palette} from './palette.js' */

const LEVELS = ['A', 'B', 'C'];
export const PLACE_SOURCES = /** @type {const} */ (['places']);
export const PLACE_LAYERS = ['place', 'checkpoint'];

/**
 * @param {{name: string, kind: string, lon: number, lat: number}[]} places
 * @param {{name: string, level: string, staffed: boolean, lon: number, lat: number}[]} checkpoints
 */
export function placeFeatures(places, checkpoints) {
  /** @param {{lon: number, lat: number}} at @param {object} properties */
  const point = (at, properties) => ({ type: 'Feature', properties, geometry: { type: 'Point', coordinates: [at.lon, at.lat] } });
  return [
    ...places.map((one) => point(one, { what: 'place', label: one.name })),
    ...checkpoints.map((one) => point(one, {
      what: 'checkpoint', label: one.name, icon: checkpointIcon(one.level, one.staffed), order: LEVELS.indexOf(one.level) >>> 0,
    })),
  ];
}

/** Filled where somebody stands. @param {string} level @param {boolean} staffed */
const checkpointIcon = (level, staffed) => `checkpoint-${LEVELS.includes(level) ? level : 'none'}-${staffed ? 'solid' : 'hollow'}`;

/** @param {Palette} p @param {number} scale */
export function placeLayers(p, scale) {
  const text = {
    'text-field': ['get', 'label'], 'text-size': 12 * scale, 'text-anchor': 'left', 'text-offset': [0.9, 0], 'text-optional': true,
  };
  const paint = { 'text-color': p.label, 'text-halo-color': p.halo, 'text-halo-width': 1.6 * scale };
  return [
    {
      id: 'place', type: 'symbol', source: 'places', filter: ['==', ['get', 'what'], 'place'], minzoom: 12,
      layout: { ...text, visibility: 'none', 'icon-image': 'place', 'icon-size': scale, 'text-font': ['Yiping'] }, paint,
    },
    {
      id: 'checkpoint', type: 'symbol', source: 'places', filter: ['==', ['get', 'what'], 'checkpoint'],
      layout: {
        ...text, visibility: 'none', 'icon-image': ['get', 'icon'], 'icon-size': scale, 'icon-allow-overlap': true,
        'symbol-sort-key': ['get', 'order'], 'text-font': ['Yiping Strong'],
      },
      paint,
    },
  ];
}

/**
 * The images of these layers.
 * @param {(name: string, data: ImageData) => void} put @param {Palette} p
 * @param {(draw: (pen: CanvasRenderingContext2D) => void, size?: number) => ImageData} image
 */
export function addPlaceIcons(put, p, image) {
  put('place', image((pen) => {
    pen.rotate(Math.PI / 4);
    outlined(pen, p, p.hollow, new Path2D('M-3.2-3.2H3.2V3.2H-3.2Z'));
  }, 14));
  for (const level of [...LEVELS, 'none']) for (const staffed of [false, true])
    put(`checkpoint-${level}-${staffed ? 'solid' : 'hollow'}`, image((pen) => {
      // A shield, so that it is no camera, no incident and no person.
      outlined(pen, p, staffed ? p.strong : p.hollow, new Path2D('M0-9 7.5-6.5V0C7.5 4.5 4 7.5 0 9-4 7.5-7.5 4.5-7.5 0V-6.5Z'));
      pen.fillStyle = staffed ? p.halo : p.strong;
      pen.font = '600 10px "Noto Sans SC", sans-serif';
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      if (level !== 'none') pen.fillText(level, 0, -0.4);
    }, 26));
}

/** @param {CanvasRenderingContext2D} pen @param {Palette} p @param {string} fill @param {Path2D} shape */
function outlined(pen, p, fill, shape) {
  pen.lineWidth = 4;
  pen.strokeStyle = p.casingMark;
  pen.stroke(shape);
  pen.fillStyle = fill;
  pen.fill(shape);
  pen.lineWidth = 1.5;
  pen.strokeStyle = p.strong;
  pen.stroke(shape);
}
