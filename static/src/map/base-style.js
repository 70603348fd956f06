// The map underneath: our own vector basemap, or a customer's tiles in its place, in the colours of the theme.
//
// Whatever lies on top, our own land, water and roads stay under pictures, so that a hole in somebody's tiles is a map
// and never nothing. Schemas: ours, the common OpenMapTiles one, and any other by the names of its layers.

/** @import {Palette} from './palette.js' */
/** @import {BaseSource} from '../../types/wire.d.ts' */

/**
 * What the map shows underneath.
 * @typedef {object} Base
 * @property {'own' | 'custom' | 'imagery'} mode
 * @property {BaseSource | null} [source] the customer's, for the other two
 * @property {boolean} [bright] pictures are dimmed little: seen outdoors, with few marks on them
 * @property {string} [revision] of our own tiles: they are read anew when it changes
 */

const BRIGHT = { brightness: 0.85, saturation: -0.15, contrast: 0 };
const REGULAR = ['Yiping'];
const STRONG = ['Yiping Strong'];
const MAIN = ['motorway', 'trunk', 'primary', 'secondary', 'tertiary'];
const GREENS = ['park', 'grass', 'cemetery', 'pitch', 'garden', 'village_green', 'recreation_ground'];
const URGENT = ['hospital', 'police', 'fire_station', 'townhall', 'school', 'station'];
const NATURE = ['water', 'peak'];
/** Chinese first; ours has it decided when it is made, others have it in fields. */
const NAME = ['coalesce', ['get', 'name:zh-Hans'], ['get', 'name:zh'], ['get', 'name'], ['get', 'name:latin']];

/** @param {string[]} classes @returns {any[]} */
const isOne = (classes) => ['in', ['get', 'class'], ['literal', classes]];

/** Sources of the map underneath. @param {Base} base @param {string} origin @returns {Record<string, object>} */
export function baseSources(base, origin) {
  const sources = /** @type {Record<string, object>} */ ({
    base: {
      type: 'vector',
      url: `pmtiles://${origin}/tiles/basemap.pmtiles${base.revision ? `?v=${base.revision}` : ''}`,
      attribution: '© OpenStreetMap',
    },
  });
  const { source } = base;
  if (base.mode === 'own' || !source) return sources;
  sources.custom = {
    type: source.content,
    tiles: [`${origin}${source.tiles ?? `/basemap/${source.slot}`}/{z}/{x}/{y}?v=${source.version}`],
    minzoom: source.min_zoom,
    maxzoom: source.max_zoom,
    attribution: source.attribution,
    ...(source.content === 'raster' ? { tileSize: source.side_px === 512 ? 512 : 256 } : {}),
    ...(source.bounds ? { bounds: source.bounds } : {}),
  };
  return sources;
}

/** What lies under the areas. @param {Palette} p @param {Base} base @returns {object[]} */
export function baseLayers(p, base) {
  const { source } = base;
  if (base.mode === 'own' || !source) return ground(p, 'base');
  if (source.content === 'vector') {
    if (source.schema === 'other') return [land(p), ...anything(p, source.layers)];
    return ground(p, 'custom', source.schema === 'openmaptiles');
  }
  const dim = base.bright ? BRIGHT : base.mode === 'imagery' ? p.imagery : p.picture;
  return [
    ...ground(p, 'base'),
    {
      id: 'custom', type: 'raster', source: 'custom',
      paint: {
        'raster-fade-duration': 0, 'raster-brightness-max': dim.brightness, 'raster-saturation': dim.saturation,
        'raster-contrast': dim.contrast,
      },
    },
    ...(base.mode === 'imagery' ? [ways(p)] : []),
  ];
}

/** Names of the map underneath. @param {Palette} p @param {number} scale @param {Base} base @returns {object[]} */
export function baseLabels(p, scale, base) {
  const { source } = base;
  if (base.mode === 'own' || !source || base.mode === 'imagery') return names(p, scale, 'base', 'transportation');
  if (source.content === 'raster') return []; // such a map brings its own names
  if (source.schema === 'other') return anyNames(p, scale, source.layers);
  return names(p, scale, 'custom', source.schema === 'openmaptiles' ? 'transportation_name' : 'transportation');
}

/** @param {Palette} p */
const land = (p) => ({ id: 'land', type: 'background', paint: { 'background-color': p.land } });

/** How wide a road is drawn. */
const ROAD_WIDTH = [
  'interpolate', ['exponential', 1.5], ['zoom'],
  7, ['match', ['get', 'class'], ['motorway', 'trunk'], 1.2, ['primary', 'secondary'], 0.8, 0.3],
  12, ['match', ['get', 'class'], ['motorway', 'trunk'], 3, 'primary', 2.5, ['secondary', 'tertiary'], 1.8, 0.8],
  15, ['match', ['get', 'class'], ['motorway', 'trunk'], 7, 'primary', 6, ['secondary', 'tertiary'], 4.6, 'minor', 2.8, 1.5],
  18, ['match', ['get', 'class'], ['motorway', 'trunk'], 24, 'primary', 20, ['secondary', 'tertiary'], 16, 'minor', 11, 6],
];
const ROUND = { layout: { 'line-cap': 'round', 'line-join': 'round' } };
const ROADS = ['!', isOne(['rail', 'transit', 'path', 'track', 'ferry', 'aerialway'])];
const THROUGH_TUNNEL = ['case', ['any', ['==', ['get', 'tunnel'], 1], ['==', ['get', 'brunnel'], 'tunnel']], 0.4, 1];

/** @param {Palette} p @param {string} from source @param {boolean} [openMapTiles] @returns {object[]} */
function ground(p, from, openMapTiles = false) {
  /** @param {string} id @param {string} type @param {string} layer @param {object} paint @param {object} [more] */
  const base = (id, type, layer, paint, more) => ({ id, type, source: from, 'source-layer': layer, paint, ...more });
  const cover = { 'fill-antialias': false, 'fill-color': coverColour(p) };
  return [
    land(p),
    base('landcover', 'fill', 'landcover', cover),
    ...(openMapTiles ? [base('landuse', 'fill', 'landuse', cover), base('park', 'fill', 'park', { 'fill-color': p.park })] : []),
    base('water', 'fill', 'water', { 'fill-color': p.water }),
    base('shore', 'line', 'water', { 'line-color': p.shore, 'line-width': 1 }, { minzoom: 11 }),
    base('waterway', 'line', 'waterway', {
      'line-color': p.water,
      'line-width': ['interpolate', ['linear'], ['zoom'], 9, 1, 15, ['match', ['get', 'class'], 'river', 5, 'canal', 3, 1.6]],
    }, ROUND),
    base('building', 'fill', 'building', {
      'fill-color': p.building, 'fill-outline-color': p.buildingEdge,
      'fill-opacity': ['interpolate', ['linear'], ['zoom'], 13, 0.5, 15, 1],
    }, { minzoom: 13 }),
    base('path', 'line', 'transportation', {
      'line-color': p.path, 'line-width': ['interpolate', ['linear'], ['zoom'], 13, 0.8, 17, 1.6], 'line-dasharray': [3, 2],
    }, { minzoom: 13.5, filter: isOne(['path', 'track']) }),
    // The whole net of roads shows from afar only where it is edged: on a light ground white alone is nothing.
    base('road-casing', 'line', 'transportation', {
      'line-color': p.casing, 'line-gap-width': ROAD_WIDTH, 'line-opacity': THROUGH_TUNNEL,
      'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.5, 12, 0.8, 15, 1.4],
    }, { minzoom: 8, filter: ['step', ['zoom'], isOne(MAIN), 12, ROADS], ...ROUND }),
    base('road', 'line', 'transportation', {
      'line-color': roadColour(p), 'line-width': ROAD_WIDTH, 'line-opacity': THROUGH_TUNNEL,
    }, { filter: ROADS, layout: { ...ROUND.layout, 'line-sort-key': roadOrder } }),
    base('rail', 'line', 'transportation', {
      'line-color': p.rail, 'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 9, 0.8, 15, 2.4], 'line-dasharray': [4, 2],
    }, { filter: isOne(['rail', 'transit']) }),
    // The areas draw the borders that matter; these are for what lies around.
    base('boundary', 'line', 'boundary', {
      'line-color': p.boundary, 'line-width': 0.9, 'line-dasharray': [6, 3, 1, 3],
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 6, 0.9, 12, 0.55],
    }, { filter: ['step', ['zoom'], ['<=', ['to-number', ['get', 'admin_level']], 6], 11, ['<=', ['to-number', ['get', 'admin_level']], 8]] }),
  ];
}

/** Greater roads are drawn over lesser ones. */
const roadOrder = ['match', ['get', 'class'], ['motorway', 'trunk'], 5, 'primary', 4, 'secondary', 3, 'tertiary', 2, 'minor', 1, 0];

/** @param {Palette} p */
const coverColour = (p) => [
  'match', ['get', 'class'],
  ['forest', 'wood'], p.forest, ['scrub', 'orchard', 'vineyard', ...GREENS], p.park,
  ['residential', 'industrial', 'commercial', 'retail', 'school', 'hospital'], p.urban, ['farmland', 'meadow'], p.farm,
  p.land,
];

/** @param {Palette} p */
const roadColour = (p) => [
  'match', ['get', 'class'], ['motorway', 'trunk'], p.trunk, 'primary', p.primary, ['secondary', 'tertiary'], p.road, p.street,
];

/** Roads over pictures from above: seen, yet seen through. @param {Palette} p */
const ways = (p) => ({
  id: 'ways', type: 'line', source: 'base', 'source-layer': 'transportation', filter: ['step', ['zoom'], isOne(MAIN), 13, ROADS], ...ROUND,
  paint: { 'line-color': p.overPicture, 'line-width': ROAD_WIDTH, 'line-opacity': 0.35 },
});

/** @param {Palette} p @param {number} scale @param {string} from @param {string} roads layer with the roads' names @returns {object[]} */
function names(p, scale, from, roads) {
  const halo = { 'text-halo-color': p.halo, 'text-halo-width': 1.6 };
  /** @param {string} id @param {string} layer @param {object} layout @param {string} colour @param {object} more */
  const label = (id, layer, layout, colour, more) => ({
    id, type: 'symbol', source: from, 'source-layer': layer,
    layout: { 'text-field': NAME, 'text-font': REGULAR, 'text-size': 12 * scale, ...layout },
    paint: { 'text-color': colour, ...halo }, ...more,
  });
  const named = ['any', ['has', 'name'], ['has', 'ref']];
  const place = { 'text-max-width': 8, 'text-padding': 4, 'text-variable-anchor': ['center', 'top', 'bottom'], 'text-radial-offset': 0.6 };
  return [
    label('water-label', 'waterway', { 'symbol-placement': 'line', 'text-letter-spacing': 0.3, 'symbol-spacing': 420 }, p.waterLabel, {
      minzoom: 11, filter: ['all', ['has', 'name'], ['step', ['zoom'], isOne(['river', 'canal']), 12.5, true]],
    }),
    label('road-label', roads, {
      // Numbers of through roads first, names of streets once they are wide enough to carry one.
      'symbol-placement': 'line', 'symbol-spacing': 380, 'text-padding': 6,
      'text-field': ['step', ['zoom'], ['coalesce', ['get', 'ref'], NAME], 14.2, ['coalesce', NAME, ['get', 'ref']]],
      'symbol-sort-key': ['-', 9, roadOrder],
    }, p.roadLabel, {
      minzoom: 11,
      filter: [
        'step', ['zoom'], ['all', ['has', 'ref'], isOne(['motorway', 'trunk', 'primary'])],
        13, ['has', 'ref'], 14.2, ['all', named, isOne(MAIN)], 15, ['all', named, ROADS],
      ],
    }),
    label('lake-label', 'poi', { 'text-max-width': 6 }, p.waterLabel, { minzoom: 12, filter: isOne(['water']) }),
    label('peak-label', 'poi', { 'text-field': ['concat', '▴ ', NAME], 'text-max-width': 8, 'text-letter-spacing': 0.1 }, p.forestLabel, {
      minzoom: 12.5, filter: isOne(['peak']),
    }),
    {
      id: 'poi', type: 'circle', source: from, 'source-layer': 'poi', minzoom: 14.5,
      filter: ['step', ['zoom'], isOne(URGENT), 15.5, ['all', ['has', 'name'], ['!', isOne(NATURE)]]],
      paint: {
        'circle-radius': ['match', ['get', 'class'], URGENT, 3, 2], 'circle-color': ['match', ['get', 'class'], URGENT, p.label, p.faint],
        'circle-stroke-color': p.halo, 'circle-stroke-width': 1,
      },
    },
    label('poi-label', 'poi', {
      'text-max-width': 8, 'text-padding': 4, 'text-variable-anchor': ['top', 'bottom', 'left', 'right'], 'text-radial-offset': 0.5,
      'symbol-sort-key': ['match', ['get', 'class'], URGENT, 0, 1],
    }, p.faint, {
      minzoom: 14.5, filter: ['step', ['zoom'], isOne(URGENT), 15.5, ['all', ['has', 'name'], ['!', isOne(NATURE)]]],
      paint: { 'text-color': ['match', ['get', 'class'], URGENT, p.label, p.faint], ...halo },
    }),
    label('place-label', 'place', place, p.faint, {
      // Townships and villages are named by the areas; a town's own label follows where its township's ends.
      maxzoom: 17,
      filter: ['step', ['zoom'], isOne(['city']), 11.6, isOne(['city', 'town']), 13, isOne(['city', 'town', 'hamlet', 'neighbourhood', 'quarter'])],
    }),
    // Where no areas are in force, the map must name its towns and villages itself.
    label('settlement-label', 'place', {
      ...place, 'text-font': ['match', ['get', 'class'], ['city', 'town'], ['literal', STRONG], ['literal', REGULAR]],
      'text-size': ['match', ['get', 'class'], 'city', 17 * scale, 'town', 15 * scale, 13 * scale],
      'symbol-sort-key': ['match', ['get', 'class'], 'city', 0, 'town', 1, 'village', 2, 3],
    }, p.strong, {
      maxzoom: 16.5, filter: ['step', ['zoom'], isOne(['city', 'town']), 9.5, isOne(['city', 'town', 'village', 'suburb'])],
    }),
  ];
}

/** Layers of ours that give way to the areas' own names. */
export const SETTLEMENTS = ['settlement-label'];

/** What a layer of somebody else's is, by its name. @type {[RegExp, 'water' | 'road' | 'building' | 'green' | 'urban' | 'border' | 'names'][]} */
const KINDS = [
  [/label|name|place|poi|point/i, 'names'],
  [/build|house/i, 'building'],
  [/road|street|highway|transport|rail|way$|ways$|line$/i, 'road'],
  [/water|river|lake|ocean|hydro/i, 'water'],
  [/bound|border|admin/i, 'border'],
  [/green|park|forest|wood|grass|veget|landcover|natural/i, 'green'],
  [/land|earth|urban|area|zone/i, 'urban'],
];

/** @param {string} layer */
const kindOf = (layer) => KINDS.find(([pattern]) => pattern.test(layer))?.[1] ?? 'road';
const DEPTH = ['urban', 'green', 'water', 'building', 'border', 'road', 'names'];

/** @param {Palette} p @param {string[]} layers @returns {object[]} */
function anything(p, layers) {
  /** @type {Record<string, [string, string]>} */
  const colours = {
    water: [p.water, p.shore], road: [p.street, p.road], building: [p.building, p.buildingEdge], green: [p.park, p.park],
    urban: [p.urban, p.urban], border: [p.land, p.boundary], names: [p.urban, p.road],
  };
  return layers
    .map((layer) => ({ layer, kind: kindOf(layer) }))
    .filter(({ kind }) => kind !== 'names')
    .sort((one, other) => DEPTH.indexOf(one.kind) - DEPTH.indexOf(other.kind))
    .flatMap(({ layer, kind }) => {
      const [fill, line] = colours[kind] ?? [p.urban, p.road];
      const from = { source: 'custom', 'source-layer': layer };
      return [
        ...(kind === 'border' || kind === 'road' ? [] : [{
          id: `any-${layer}`, type: 'fill', ...from, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': fill },
        }]),
        {
          id: `any-${layer}-line`, type: 'line', ...from, ...ROUND, filter: ['==', ['geometry-type'], 'LineString'],
          paint: { 'line-color': line, 'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 8, 0.6, 14, 1.8, 18, 8] },
        },
      ];
    });
}

/** @param {Palette} p @param {number} scale @param {string[]} layers @returns {object[]} */
function anyNames(p, scale, layers) {
  return layers.map((layer) => {
    const kind = kindOf(layer);
    const along = kind === 'road' || kind === 'water';
    return {
      id: `any-${layer}-label`, type: 'symbol', source: 'custom', 'source-layer': layer, minzoom: kind === 'road' ? 14 : 10,
      filter: ['all', ['has', 'name'], ['==', ['geometry-type'], along ? 'LineString' : 'Point']],
      layout: {
        'text-field': NAME, 'text-font': REGULAR, 'text-size': 12 * scale, 'text-max-width': 8,
        ...(along ? { 'symbol-placement': 'line' } : {}),
      },
      paint: {
        'text-color': kind === 'water' ? p.waterLabel : kind === 'road' ? p.roadLabel : p.label,
        'text-halo-color': p.halo, 'text-halo-width': 1.6,
      },
    };
  });
}
