import assert from 'node:assert/strict';
import { test } from 'node:test';

import { differenceOf, spread } from '../../static/src/map/cameras-layer.js';
import { cameraLayers, pinLayers } from '../../static/src/map/cameras-style.js';
import { paletteOf } from '../../static/src/map/palette.js';
import { sectorOf } from '../../static/src/map/sector.js';
import { bearingDeg, metresBetween } from '../../static/src/map/sphere.js';

/** @import {Camera} from '../../static/types/wire.d.ts' */

/** @param {string} id @param {Partial<Camera>} [change] */
const camera = (id, change) => /** @type {Camera} */ ({ id, lon: 107.2, lat: 30.3, status: 'live', ...change });

test('what a camera sees is a wedge of its angle, bearing and range', () => {
  const at = { lon: 107.2, lat: 30.3, azimuth: 90, fov: 60, range_m: 200 };
  const ring = sectorOf(at) ?? [];
  assert.deepEqual(ring[0], [107.2, 30.3]);
  assert.deepEqual(ring.at(-1), ring[0]);
  const arc = ring.slice(1, -1);
  for (const point of arc) assert.ok(Math.abs(metresBetween([at.lon, at.lat], point) - 200) < 1);
  const bearings = arc.map((point) => bearingDeg([at.lon, at.lat], point));
  assert.ok(Math.abs(bearings[0] - 60) < 0.5 && Math.abs((bearings.at(-1) ?? 0) - 120) < 0.5, String(bearings));
});

test('no bearing, no wedge; all around is a circle', () => {
  assert.equal(sectorOf({ lon: 0, lat: 0, azimuth: null, fov: 60 }), null);
  const circle = sectorOf({ lon: 107, lat: 30, azimuth: null, fov: 360, range_m: 50 }) ?? [];
  assert.deepEqual(circle[0], circle.at(-1));
  assert.ok(circle.every((point) => metresBetween([107, 30], point) > 49));
});

test('the map is told what changed, or everything when that is less work', () => {
  const before = { a: camera('a'), b: camera('b'), c: camera('c') };
  const after = { a: before.a, b: camera('b', { status: 'offline' }), d: camera('d') };
  const change = differenceOf(before, after);
  assert.deepEqual(change?.remove, ['c']);
  assert.deepEqual(change?.update, [{ id: 'b', addOrUpdateProperties: [{ key: 'mark', value: 'offline' }] }]);
  assert.equal(change?.add.length, 1);
  const moved = differenceOf(before, { ...before, a: camera('a', { lon: 107.3 }) });
  assert.deepEqual(moved?.update[0].newGeometry, { type: 'Point', coordinates: [107.3, 30.3] });
  assert.deepEqual(differenceOf(before, { ...before, a: camera('a', { name: 'another' }) }), { add: [], update: [], remove: [] });
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x${n}`, camera(`x${n}`)]));
  assert.equal(differenceOf({}, many), null);
  assert.equal(differenceOf(many, {}), null);
});

test('clusters, single cameras and pins each have their layer', () => {
  const ids = [...cameraLayers(paletteOf('dark'), 1), ...pinLayers(1)].map((layer) => layer.id);
  assert.deepEqual(new Set(ids).size, ids.length);
  for (const id of ['camera', 'camera-cluster', 'camera-count', 'camera-view', 'camera-pin']) assert.ok(ids.includes(id), id);
});

test('pins in a heap stand in a row, in the order of their numbers, clear of each other', () => {
  assert.deepEqual(spread([{ x: 10, y: 10 }, { x: 200, y: 10 }], 20), [[0, 0], [0, 0]]);
  const places = [{ x: 104, y: 52 }, { x: 100, y: 50 }, { x: 110, y: 60 }, { x: 300, y: 50 }];
  const aside = spread(places, 20);
  assert.deepEqual(aside[3], [0, 0]);
  const at = places.map(({ x, y }, nth) => [x + aside[nth][0], y + aside[nth][1]]);
  assert.ok(at[1][0] - at[0][0] >= 19 && at[2][0] - at[1][0] >= 19, String(at));
  assert.deepEqual([at[0][1], at[1][1], at[2][1]], [50, 50, 50]);
  assert.deepEqual(spread([], 20), []);
});
