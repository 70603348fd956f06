// The whole map style as one document: the offline basemap, the division's areas, and the layers our data goes into.
//
// Labels of areas come from a point source of their own (a label on a polygon repeats in every tile). Areas are
// outlines only: a fill over the district would drown the basemap and the incidents with it.
import { baseLabels, baseLayers, baseSources } from './base-style.js';
import { CAMERA_SOURCES, cameraLayers, cameraSources, pinLayers } from './cameras-style.js';
import { CLOSURE_SOURCES, closureLayers, draftLayers, signLayers } from './closures-style.js';
import { PLACE_SOURCES, placeLayers } from './places-layer.js';
import { paletteOf } from './palette.js';

const REGULAR = ['Yiping'];
const STRONG = ['Yiping Strong'];
const EMPTY = { type: 'FeatureCollection', features: [] };

/** Sources the console fills. */
export const SOURCES = /** @type {const} */ ([
  'area-1', 'area-2', 'area-3', 'area-4', 'area-labels', 'chosen', ...CAMERA_SOURCES, ...CLOSURE_SOURCES, ...PLACE_SOURCES, 'routes', 'incidents',
]);

/** A width that grows with zoom.
 * @param {...number} stops zoom, width, zoom, width …
 */
const grow = (...stops) => ['interpolate', ['exponential', 1.5], ['zoom'], ...stops];

/** @param {string} origin absolute origin the tiles and fonts come from @param {[string, string[]][]} faces */
function fontFaces(origin, faces) {
  /** @param {number} weight */
  const of = (weight) => faces.map(([name, ranges]) => ({
    url: `${origin}/static/vendor/noto-sans-sc/files/${name}-${weight}.woff2`,
    'unicode-range': ranges,
  }));
  return { Yiping: of(400), 'Yiping Strong': of(600) };
}

/**
 * @param {object} options
 * @param {import('./palette.js').Theme} options.theme
 * @param {string} options.origin
 * @param {[string, string[]][]} options.faces
 * @param {number} [options.scale] factor on label sizes, for walls read from six metres
 * @param {import('./base-style.js').Base} [options.base] what lies underneath; our own without
 */
export function buildStyle({ theme, origin, faces, scale = 1, base = { mode: 'own' } }) {
  const p = paletteOf(theme);
  /** @type {Record<string, object>} */
  const sources = baseSources(base, origin);
  for (const name of SOURCES) sources[name] = { type: 'geojson', data: EMPTY };
  Object.assign(sources, cameraSources());
  return {
    version: 8,
    'font-faces': fontFaces(origin, faces),
    sources,
    layers: [...baseLayers(p, base), ...areas(p), ...baseLabels(p, scale, base), ...labels(p, scale), ...ours(p, scale)],
  };
}

/** @param {import('./palette.js').Palette} p */
function areas(p) {
  /** @param {number} tier @param {object} paint @param {object} [more] */
  const outline = (tier, paint, more) => ({
    id: `area-${tier}`, type: 'line', source: `area-${tier}`, layout: { 'line-join': 'round' }, paint, ...more,
  });
  return [
    outline(4, {
      'line-color': p.grid, 'line-dasharray': [3, 2.5], 'line-width': grow(12.5, 0.6, 16, 1.4),
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 12.6, 0, 13.4, 0.85],
    }, { minzoom: 12.6 }),
    outline(3, {
      'line-color': p.village, 'line-width': grow(10, 0.6, 14, 1.4), 'line-dasharray': [6, 2],
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 9.8, 0, 10.8, 0.8],
    }, { minzoom: 9.8 }),
    outline(2, { 'line-color': p.township, 'line-width': grow(8, 0.8, 14, 2), 'line-opacity': 0.75 }),
    outline(1, { 'line-color': p.county, 'line-width': grow(8, 1.4, 14, 2.6), 'line-opacity': 0.9 }),
    { id: 'chosen-fill', type: 'fill', source: 'chosen', paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.1 } },
    { id: 'chosen-line', type: 'line', source: 'chosen', layout: { 'line-join': 'round' }, paint: { 'line-color': ['get', 'colour'], 'line-width': 1.8 } },
  ];
}

/** @param {import('./palette.js').Palette} p @param {number} scale */
function labels(p, scale) {
  const halo = { 'text-halo-color': p.halo, 'text-halo-width': 1.6 };
  return [
    ...[4, 3, 2].map((tier) => ({
      id: `area-label-${tier}`, type: 'symbol', source: 'area-labels', filter: ['==', ['get', 'tier'], tier],
      minzoom: tier === 4 ? 14.4 : tier === 3 ? 11.2 : 8, maxzoom: tier === 4 ? 24 : tier === 3 ? 17 : 11.6,
      layout: {
        'text-field': ['get', 'label'], 'text-font': tier === 4 ? REGULAR : STRONG,
        'text-size': (tier === 4 ? 12 : 14) * scale, 'text-max-width': 9, 'text-padding': 4, 'symbol-sort-key': tier,
        'text-variable-anchor': ['center', 'top', 'bottom', 'left', 'right'], 'text-radial-offset': 0.9, 'text-justify': 'auto',
      },
      paint: {
        'text-color': ['case', ['get', 'chosen'], p.accent, tier === 4 ? p.faint : p.strong], ...halo,
      },
    })),
  ];
}

/** @param {import('./palette.js').Palette} p @param {number} scale */
function ours(p, scale) {
  const incident = {
    type: 'symbol', source: 'incidents',
    layout: {
      // Always drawn, and an obstacle to the names below it, which then step aside.
      'icon-image': ['get', 'icon'], 'icon-size': scale, 'icon-allow-overlap': true,
      'symbol-sort-key': ['get', 'order'],
    },
  };
  return [
    ...placeLayers(p, scale),
    ...cameraLayers(p, scale),
    ...closureLayers(p, scale),
    {
      id: 'route-casing', type: 'line', source: 'routes', layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': p.casing, 'line-width': ['case', ['==', ['get', 'rank'], 1], 8, 5.5], 'line-opacity': 0.9 },
    },
    {
      id: 'route', type: 'line', source: 'routes', layout: { 'line-cap': 'round', 'line-join': 'round', 'line-sort-key': ['-', 9, ['get', 'rank']] },
      paint: {
        'line-color': ['case', ['==', ['get', 'rank'], 1], p.accent, p.accentDim],
        'line-width': ['case', ['==', ['get', 'rank'], 1], 4.5, 2.6],
        'line-opacity': ['case', ['==', ['get', 'rank'], 1], 1, 0.85],
      },
    },
    ...draftLayers(p, scale),
    ...signLayers(p, scale),
    { id: 'incident', ...incident, filter: ['!', ['get', 'alarm']] },
    ...pinLayers(scale),
    { id: 'incident-alarm', ...incident, filter: ['get', 'alarm'] },
  ];
}
