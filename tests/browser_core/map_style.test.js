import assert from 'node:assert/strict';
import { test } from 'node:test';

import { paletteOf } from '../../static/src/map/palette.js';
import { buildStyle, SOURCES } from '../../static/src/map/style.js';

const THEMES = /** @type {const} */ (['dark', 'light', 'contrast']);
/** @type {[string, string[]][]} */
const FACES = [['core', ['U+4e00']]];

for (const theme of THEMES) {
  test(`the ${theme} style is closed: every layer draws from a source it brings, and asks no other host`, () => {
    const style = /** @type {any} */ (buildStyle({ theme, origin: 'https://here.test', faces: FACES }));
    const ids = new Set();
    for (const layer of style.layers) {
      assert.ok(!ids.has(layer.id), `${layer.id} twice`);
      ids.add(layer.id);
      if (layer.type !== 'background') assert.ok(style.sources[layer.source], `${layer.id} → ${layer.source}`);
    }
    for (const name of SOURCES) assert.ok(style.sources[name]);
    assert.equal(style.glyphs, undefined);
    assert.equal(style.sprite, undefined);
    for (const url of JSON.stringify(style).matchAll(/https?:\/\/([^/"]+)/g)) assert.equal(url[1], 'here.test');
  });

  test(`the ${theme} palette knows every colour`, () => {
    const palette = paletteOf(theme);
    assert.deepEqual(Object.keys(palette).sort(), Object.keys(paletteOf('dark')).sort());
    for (const value of Object.values(palette).flat()) if (typeof value === 'string') assert.match(value, /^#[0-9a-f]{6}$/);
    assert.equal(palette.levels.length, 5);
    assert.equal(palette.kinds.length, 4);
  });
}

test('incidents lie above people, and only alarms above the numbers of pictures', () => {
  const { layers } = /** @type {any} */ (buildStyle({ theme: 'dark', origin: '', faces: FACES }));
  assert.deepEqual(layers.slice(-3).map((/** @type {any} */ layer) => layer.id), ['incident', 'camera-pin', 'incident-alarm']);
});
