// Colours of the map by theme. MapLibre and WebGL cannot read CSS variables, so the map has its own table; the values
// follow css/tokens.css, and in every theme the map is quieter than the panels around it.

/** @typedef {'dark' | 'light' | 'contrast'} Theme */

/** @typedef {typeof DARK} Palette */

const DARK = {
  land: '#0c1524', forest: '#0f2422', farm: '#0e1a28', urban: '#101c2f', building: '#1a2942', buildingEdge: '#22344f',
  water: '#102f4a', shore: '#1b4363', street: '#243143', road: '#34414f', road2: '#4a5867', trunk: '#75694f',
  casing: '#0a111d', rail: '#3a475c', path: '#1f2b3b', boundary: '#4d5876', grid: '#3c4560', village: '#636b8a',
  township: '#7d86a6', county: '#8f9aba', label: '#a9b9cf', strong: '#c3d0e2', faint: '#7f90a8', waterLabel: '#5f93bb',
  roadLabel: '#94866a', forestLabel: '#6f9a8c', halo: '#0c1524', camera: '#8195b3', cluster: '#1b2a43',
  clusterEdge: '#5c7090', clusterText: '#b5c3d8', accent: '#4cc9f0', accentDim: '#3b9cbd', casingMark: '#0a111d',
  levels: ['#ff6b3d', '#f5a524', '#f0e442', '#56b4e9', '#9fb0c8'],
  kinds: ['#9cc2ff', '#2fbf8f', '#d99bc4', '#c9d3e2'], hollow: '#0f1a2a', stale: '#97a5ba',
};

/** @type {Palette} */
const LIGHT = {
  land: '#eef1f4', forest: '#dce9df', farm: '#eaefe6', urban: '#e6e9ef', building: '#d6dbe4', buildingEdge: '#c6cdd9',
  water: '#bfdcf0', shore: '#93bfdd', street: '#ffffff', road: '#ffffff', road2: '#fdfdfd', trunk: '#f3dfae',
  casing: '#c3cad6', rail: '#a7b0bf', path: '#cdd4de', boundary: '#8b94ab', grid: '#a9b1c6', village: '#7f88a6',
  township: '#5f6989', county: '#4c5676', label: '#3b485c', strong: '#1d2a3d', faint: '#66748a', waterLabel: '#2f6a94',
  roadLabel: '#7a6a3c', forestLabel: '#447a62', halo: '#f5f7f9', camera: '#5b6d8b', cluster: '#ffffff',
  clusterEdge: '#8494ae', clusterText: '#33425a', accent: '#0a7ea8', accentDim: '#2a93b8', casingMark: '#ffffff',
  levels: ['#c8330a', '#b06a00', '#8d7f00', '#1b74ad', '#5a6a82'],
  kinds: ['#2b5fc4', '#0d7f59', '#a34a86', '#4f5f77'], hollow: '#f7f9fb', stale: '#6a7890',
};

/** @type {Palette} */
const CONTRAST = {
  ...DARK,
  land: '#000000', forest: '#06130f', farm: '#020506', urban: '#0a0f18', building: '#141d2c', buildingEdge: '#2a3950',
  water: '#0a2b49', shore: '#3d7fb3', street: '#3c4758', road: '#596678', road2: '#7d8a9b', trunk: '#b39a5e',
  grid: '#6c78a0', village: '#a3adcf', township: '#c6cee8', county: '#e3e8f7', label: '#e8f0fb', strong: '#ffffff',
  faint: '#b9c7db', halo: '#000000', hollow: '#000000', camera: '#b9c9e2', clusterEdge: '#a9bbd8', clusterText: '#ffffff',
  cluster: '#0a1220', levels: ['#ff8a5c', '#ffbe4d', '#fff04d', '#7cc8ff', '#cfdbea'],
  kinds: ['#b9d4ff', '#4fe3b0', '#f0b8de', '#ffffff'], accent: '#6fdcff',
};

/** @param {Theme} theme @returns {Palette} */
export const paletteOf = (theme) => (theme === 'light' ? LIGHT : theme === 'contrast' ? CONTRAST : DARK);
