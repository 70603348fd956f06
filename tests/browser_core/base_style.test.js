import assert from 'node:assert/strict';
import { test } from 'node:test';

import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';

import { baseLabels, baseLayers, baseSources } from '../../static/src/map/base-style.js';
import { paletteOf } from '../../static/src/map/palette.js';
import { buildStyle } from '../../static/src/map/style.js';

/** @import {Base} from '../../static/src/map/base-style.js' */

const THEMES = /** @type {const} */ (['dark', 'light', 'contrast']);
const SOURCE = /** @type {const} */ ({
  slot: 'custom', version: 'v1', name: '县图', attribution: '测绘院', crs: 'WGS-84', side_px: 256, min_zoom: 3, max_zoom: 18,
  bounds: null, preferred: false, health: { state: 'ok', detail: '', ok_at: null, since: null, oldest_s: null },
});
/** @type {Record<string, Base>} */
const BASES = {
  own: { mode: 'own' },
  picture: { mode: 'custom', source: { ...SOURCE, content: 'raster', schema: null, layers: [] } },
  imagery: { mode: 'imagery', source: { ...SOURCE, slot: 'imagery', content: 'raster', schema: null, layers: [] } },
  vector: { mode: 'custom', source: { ...SOURCE, content: 'vector', schema: 'own', layers: ['water'] } },
  openmaptiles: { mode: 'custom', source: { ...SOURCE, content: 'vector', schema: 'openmaptiles', layers: ['water'] } },
  other: { mode: 'custom', source: { ...SOURCE, content: 'vector', schema: 'other', layers: ['earth', 'roads', 'water', 'buildings', 'places', 'pois'] } },
};

/** Every colour that a paint property may take. @param {unknown} value @returns {string[]} */
const coloursIn = (value) =>
  typeof value === 'string' ? (value.startsWith('#') ? [value] : []) : Array.isArray(value) ? value.flatMap(coloursIn) : [];

for (const theme of THEMES) {
  for (const [name, base] of Object.entries(BASES)) {
    test(`${name} in ${theme}: each layer has colours, and all of them are the theme's`, () => {
      const p = paletteOf(theme);
      const whole = /** @type {any} */ (buildStyle({ theme, origin: 'https://here.test', faces: [['core', ['U+4e00']]], base }));
      assert.deepEqual(validateStyleMin(whole).map((fault) => fault.message), []);
      const known = new Set(Object.values(p).flat().filter((value) => typeof value === 'string'));
      const sources = baseSources(base, 'https://here.test');
      const layers = /** @type {any[]} */ ([...baseLayers(p, base), ...baseLabels(p, 1, base)]);
      const ids = layers.map((layer) => layer.id);
      assert.equal(new Set(ids).size, ids.length);
      for (const layer of layers) {
        if (layer.type === 'background') assert.equal(layer.id, 'land');
        else assert.ok(sources[layer.source], `${layer.id} draws from ${layer.source}`);
        if (layer.type === 'raster') continue;
        const painted = Object.entries(layer.paint).filter(([key]) => key.endsWith('-color'));
        assert.ok(painted.length, `${layer.id} has no colour`);
        for (const [key, value] of painted) {
          const colours = coloursIn(value);
          assert.ok(colours.length, `${layer.id} ${key}`);
          for (const colour of colours) assert.ok(known.has(colour), `${layer.id} ${key}: ${colour} is not of the ${theme} theme`);
          assert.ok(!JSON.stringify(value).includes('null'), `${layer.id} ${key} misses a colour`);
        }
      }
    });
  }

  test(`the ${theme} map can be read: names on the ground, roads and buildings against it`, () => {
    const p = paletteOf(theme);
    const least = theme === 'contrast' ? 7 : 4.5;
    for (const ground of [p.land, p.urban, p.forest, p.park, p.farm]) {
      for (const words of /** @type {const} */ (['label', 'strong', 'faint', 'roadLabel', 'waterLabel'])) {
        assert.ok(contrast(p[words], ground) >= least - 0.4, `${words} on ${ground}: ${contrast(p[words], ground).toFixed(2)}`);
      }
      for (const words of /** @type {const} */ (['label', 'strong', 'roadLabel', 'waterLabel', 'forestLabel', 'faint'])) {
        assert.ok(contrast(p[words], p.halo) >= least, `${words} in its halo: ${contrast(p[words], p.halo).toFixed(2)}`);
      }
    }
    assert.ok(contrast(p.building, p.urban) >= 1.15, 'buildings in a town');
    assert.ok(contrast(p.buildingEdge, p.urban) >= 1.4, 'their edges');
    assert.ok(Math.max(contrast(p.street, p.urban), contrast(p.casing, p.urban)) >= 1.3, 'streets in a town');
    assert.ok(Math.max(contrast(p.trunk, p.land), contrast(p.casing, p.land)) >= 1.5, 'main roads');
    assert.ok(contrast(p.water, p.land) >= 1.15, 'water');
    for (const green of [p.forest, p.park]) assert.notEqual(green, p.land);
    const order = theme === 'light' ? [] : [p.street, p.road, p.primary, p.trunk].map((colour) => contrast(colour, p.land));
    assert.deepEqual(order, [...order].sort((a, b) => a - b), 'greater roads stand out more');
  });
}

test('a customer’s tiles come from this service, with their version, and from nowhere else', () => {
  const style = /** @type {any} */ (buildStyle({ theme: 'dark', origin: 'https://here.test', faces: [], base: BASES.imagery }));
  assert.deepEqual(style.sources.custom.tiles, ['https://here.test/basemap/imagery/{z}/{x}/{y}?v=v1']);
  for (const url of JSON.stringify(style).matchAll(/https?:\/\/([^/"]+)/g)) assert.equal(url[1], 'here.test');
});

test('under pictures lies our own map, so that a hole is a map; and names only where the picture has none', () => {
  const p = paletteOf('light');
  for (const base of [BASES.picture, BASES.imagery]) {
    const layers = /** @type {any[]} */ (baseLayers(p, /** @type {Base} */ (base)));
    const at = layers.findIndex((layer) => layer.type === 'raster');
    assert.ok(layers.slice(0, at).some((layer) => layer.id === 'road'));
  }
  assert.equal(baseLabels(p, 1, /** @type {Base} */ (BASES.picture)).length, 0);
  assert.ok(baseLabels(p, 1, /** @type {Base} */ (BASES.imagery)).length > 0);
});

test('our own tiles are read anew when the district changes', () => {
  const url = (/** @type {Base} */ base) => /** @type {any} */ (baseSources(base, 'https://here.test').base).url;
  assert.equal(url({ mode: 'own' }), 'pmtiles://https://here.test/tiles/basemap.pmtiles');
  assert.equal(url({ mode: 'own', revision: '7' }), 'pmtiles://https://here.test/tiles/basemap.pmtiles?v=7');
});

/** @param {string} colour */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

/** As WCAG counts it. @param {string} one @param {string} other */
function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}
