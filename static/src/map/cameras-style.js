// How cameras look on the map: clusters from afar, then ■ live, ◧ faulty or long unseen, □ offline, dotted when nobody
// knows; the wedge a camera sees, and numbered pins of those whose pictures are shown.

/** @import {Palette} from './palette.js' */

const REGULAR = ['Yiping'];
const EMPTY = { type: 'FeatureCollection', features: [] };

export const CAMERA_SOURCES = /** @type {const} */ (['cameras', 'camera-views', 'camera-pins']);

/** Layers of the register, hidden together; wedges and pins belong to what is selected and stay. */
export const CAMERA_LAYERS = ['camera', 'camera-cluster', 'camera-cluster-bad', 'camera-count'];

export const CLUSTER_UNTIL_ZOOM = 14;

export function cameraSources() {
  return {
    cameras: {
      type: 'geojson', data: EMPTY, promoteId: 'id', cluster: true, clusterRadius: 44, clusterMaxZoom: CLUSTER_UNTIL_ZOOM,
      clusterProperties: { bad: ['+', ['case', ['in', ['get', 'mark'], ['literal', ['offline', 'late']]], 1, 0]] },
    },
    'camera-views': { type: 'geojson', data: EMPTY },
    'camera-pins': { type: 'geojson', data: EMPTY },
  };
}

/** Under the routes and the incidents. @param {Palette} p @param {number} scale */
export function cameraLayers(p, scale) {
  const cluster = ['has', 'point_count'];
  const strong = ['==', ['get', 'strong'], true];
  return [
    {
      id: 'camera-view', type: 'fill', source: 'camera-views',
      paint: { 'fill-color': ['case', strong, p.accent, p.camera], 'fill-opacity': ['case', strong, 0.26, 0.2] },
    },
    {
      id: 'camera-view-edge', type: 'line', source: 'camera-views',
      paint: { 'line-color': ['case', strong, p.accent, p.camera], 'line-width': ['case', strong, 1.4, 1], 'line-opacity': 0.8 },
    },
    {
      id: 'camera-cluster', type: 'circle', source: 'cameras', filter: cluster, minzoom: 11.5,
      paint: {
        'circle-color': p.cluster, 'circle-stroke-color': p.clusterEdge, 'circle-stroke-width': 1,
        'circle-radius': ['step', ['get', 'point_count'], 9, 20, 11, 100, 13, 1000, 16],
      },
    },
    {
      // Where something in the cluster is not well, its mark says so.
      id: 'camera-cluster-bad', type: 'symbol', source: 'cameras', filter: ['all', cluster, ['>', ['get', 'bad'], 0]], minzoom: 11.5,
      layout: { 'icon-image': 'camera-offline', 'icon-offset': [9, 9], 'icon-size': 0.8, 'icon-allow-overlap': true, 'icon-ignore-placement': true },
    },
    {
      id: 'camera-count', type: 'symbol', source: 'cameras', filter: cluster, minzoom: 11.5,
      layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-font': REGULAR, 'text-size': 12 * scale, 'text-allow-overlap': true, 'text-padding': 6 },
      paint: { 'text-color': p.clusterText },
    },
    {
      id: 'camera', type: 'symbol', source: 'cameras', filter: ['!', cluster], minzoom: 11.5,
      layout: {
        'icon-image': ['concat', 'camera-', ['get', 'mark']], 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 12, 1, 17, 1.6],
      },
    },
  ];
}

/** Above people and known incidents, below alarms: the number on a pin is the number on its picture. @param {number} scale */
export const pinLayers = (scale) => [
  {
    id: 'camera-pin', type: 'symbol', source: 'camera-pins',
    layout: {
      'icon-image': ['concat', 'camera-pin-', ['get', 'number']], 'icon-size': scale, 'icon-anchor': 'bottom', 'icon-offset': ['array', 'number', 2, ['get', 'aside']],
      'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['-', 0, ['get', 'number']],
    },
  },
];
