import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isReady, kindOf, timesOf } from '../../static/src/console/closure-draft.js';
import { ui } from '../../static/src/console/state.js';
import { parse } from '../../static/src/console/verbs.js';
import { nearClosure } from '../../static/src/field/navigation.js';
import { ClosuresLayer, draftFeatures, middleOf, signOf } from '../../static/src/map/closures-layer.js';
import { closureLayers, signLayers } from '../../static/src/map/closures-style.js';
import { paletteOf } from '../../static/src/map/palette.js';
import { districtStamp, ofDistrictStamp } from '../../static/src/time.js';
import { closureName, leftText, liveClosures, spanText } from '../../static/src/ui/closures.js';

/** @import {ClosureDraft} from '../../static/src/console/closure-draft.js' */
/** @import {Closure} from '../../static/types/wire.d.ts' */

const NOW = Date.parse('2026-11-22T03:00:00Z'); // 11:00 in the district

/** @param {Partial<Closure>} [change] */
const closure = (change) =>
  /** @type {Closure} */ ({
    id: 'x1', reason: '路面塌陷', kind: 'line', coordinates: [[116.8, 33.9], [116.81, 33.9]], direction: 'both', state: 'in_force',
    starts_at: '2026-11-22T02:30:00Z', ends_at: '2026-11-22T04:30:00Z', roads: ['和平路', '纵1路', '横2路'], place: '东河社区', version: 1, ...change,
  });

/** @param {Partial<ClosureDraft>} [change] @returns {ClosureDraft} */
const draft = (change) => ({
  id: null, version: null, begun: false, shape: 'line', points: [[116.8, 33.9]], done: true, next: null, direction: 'both', foot: false,
  reason: '施工', from: '', until: '60', end: '', trouble: '',
  preview: { roads: ['和平路'], length_m: 500, allowed: true, place: null, geometry: { coordinates: [[[116.8, 33.9], [116.81, 33.9]]] } }, ...change,
});

test('a moment of the district is the moment it was', () => {
  assert.equal(districtStamp(NOW), '2026-11-22T11:00');
  assert.equal(ofDistrictStamp('2026-11-22T11:00'), NOW);
  assert.equal(ofDistrictStamp('2026-11-23T00:10'), Date.parse('2026-11-22T16:10:00Z'));
  assert.ok(Number.isNaN(ofDistrictStamp('')));
});

test('a closure says from when to when, with the day where it is another one', () => {
  assert.equal(closureName(closure()), '和平路、纵1路');
  assert.equal(closureName(closure({ roads: [] })), '东河社区');
  assert.equal(spanText(closure(), NOW), '至 12:30');
  assert.equal(leftText(closure(), NOW), '剩 1 小时 30 分');
  assert.equal(spanText(closure({ ends_at: null }), NOW), '直至解除');
  assert.equal(leftText(closure({ ends_at: null }), NOW), '');
  const planned = closure({ state: 'planned', starts_at: '2026-11-22T03:40:00Z', ends_at: '2026-11-22T17:00:00Z' });
  assert.equal(spanText(planned, NOW), '11:40 至 11月23日 01:00');
  assert.equal(leftText(planned, NOW), '40 分后生效');
  assert.equal(spanText(closure({ state: 'ended', ended_at: '2026-11-22T02:50:00Z' }), NOW), '10:50 解除');
  const all = { a: closure({ id: 'a', state: 'ended' }), b: planned, c: closure({ id: 'c', starts_at: '2026-11-22T02:59:00Z' }), d: closure({ id: 'd' }) };
  assert.deepEqual(liveClosures(all).map((one) => one.id), ['d', 'c', 'x1']);
  assert.deepEqual(liveClosures(undefined), []);
});

test('a sign stands on the longest closed stretch, or on the drawing', () => {
  assert.deepEqual(middleOf([[0, 0], [1, 0], [4, 0]]), [2, 0]);
  assert.deepEqual(middleOf([[3, 4]]), [3, 4]);
  const sign = signOf(closure(), [[[116.8, 33.9], [116.801, 33.9]], [[116.82, 33.9], [116.84, 33.9]]]);
  assert.ok(Math.abs(sign[0] - 116.83) < 1e-9);
  assert.ok(Math.abs(signOf(closure(), [])[0] - 116.805) < 1e-9);
  assert.deepEqual(signOf(closure({ kind: 'polygon', coordinates: [[0, 0], [2, 0], [2, 2], [0, 2]] }), []), [1, 1]);
});

test('a draft shows its points, what follows the pointer and the roads it would close', () => {
  /** @param {any[]} features */
  const parts = (features) => features.map((one) => one.properties.part);
  const bare = { points: /** @type {[number, number][]} */ ([]), shape: /** @type {const} */ ('line'), next: null, roads: [], oneWay: false };
  assert.deepEqual(draftFeatures(bare), []);
  assert.deepEqual(parts(draftFeatures({ ...bare, points: [[0, 0]], next: [1, 1] })), ['next', 'point']);
  const roads = /** @type {[number, number][][]} */ ([[[0, 0], [1, 0]]]);
  assert.deepEqual(parts(draftFeatures({ ...bare, points: [[0, 0], [1, 0]], roads, oneWay: true })), ['roads', 'one_way', 'line', 'point', 'point']);
  const area = draftFeatures({ ...bare, shape: 'polygon', points: [[0, 0], [1, 0], [1, 1]] });
  assert.deepEqual(parts(area), ['area', 'line', 'point', 'point', 'point']);
  assert.deepEqual(/** @type {any} */ (area[0]).geometry.coordinates[0].at(-1), [0, 0]);
});

test('the map shows the drawing until it knows the roads, and never roads of an earlier version', async () => {
  /** @type {Record<string, any[]>} */ const drawn = {};
  const layer = new ClosuresLayer((name, features) => {
    drawn[name] = features;
  });
  let asked = 0;
  const told = [[[116.8, 33.9], [116.82, 33.9]]];
  const before = globalThis.fetch;
  globalThis.fetch = /** @type {any} */ (async () => {
    asked += 1;
    const features = [{ properties: { id: 'x1', version: asked }, geometry: { coordinates: told } }];
    return new Response(JSON.stringify({ features }), { headers: { 'content-type': 'application/json' } });
  });
  try {
    const lines = () => drawn['closure-roads'].map((one) => one.geometry.coordinates);
    layer.sync({ x1: closure() }, NOW);
    assert.deepEqual(lines(), [[closure().coordinates]]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(lines(), [told]);
    layer.sync({ x1: closure() }, NOW + 1000);
    assert.equal(asked, 1, 'nothing changed');
    layer.sync({ x1: closure({ version: 2 }) }, NOW);
    assert.deepEqual(lines(), []);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(asked, 2);
    assert.deepEqual(lines(), [told]);
    layer.sync({ x1: closure({ version: 2 }) }, NOW, 7);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(asked, 3, 'other roads came into force');
    layer.sync({ x1: closure({ version: 3, state: 'ended' }) }, NOW, 7);
    assert.deepEqual(drawn['closure-signs'], []);
    assert.equal(asked, 3, 'nothing is closed, nothing is asked');
  } finally {
    globalThis.fetch = before;
  }
});

test('closures are told by shape as well as by colour, in every theme', () => {
  for (const theme of /** @type {const} */ (['dark', 'light', 'contrast'])) {
    const p = paletteOf(theme);
    assert.notEqual(p.closure, p.closureTape);
    const ids = [...closureLayers(p, 1), ...signLayers(p, 1)].map((layer) => layer.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes('closure-sign') && ids.includes('closure-way'));
  }
});

test('what is drawn becomes a point, a line or an area, with times that make sense', () => {
  /** @type {any} */ (ui).feed = { serverNow: () => NOW, board: { closures: { x1: closure() } } };
  assert.equal(kindOf(draft()), 'point');
  assert.equal(kindOf(draft({ points: [[0, 0], [1, 1]] })), 'line');
  assert.equal(kindOf(draft({ shape: 'polygon' })), 'polygon');
  assert.deepEqual(timesOf(draft()), { starts_at: null, ends_at: '2026-11-22T04:00:00.000Z', planned: false, bad: false });
  assert.equal(timesOf(draft({ until: 'open' })).ends_at, null);
  const planned = timesOf(draft({ from: '2026-11-22T12:00', until: '30' }));
  assert.deepEqual(planned, { starts_at: '2026-11-22T04:00:00.000Z', ends_at: '2026-11-22T04:30:00.000Z', planned: true, bad: false });
  assert.ok(timesOf(draft({ until: 'at', end: '2026-11-22T10:59' })).bad);
  assert.ok(timesOf(draft({ until: 'at', end: '' })).bad);
  assert.ok(timesOf(draft({ from: '2026-11-22T13:00', until: 'at', end: '2026-11-22T12:00' })).bad);
  assert.equal(timesOf(draft({ id: 'x1', begun: true })).starts_at, null, 'what has begun keeps its beginning');
  assert.ok(isReady(draft()));
  assert.ok(!isReady(draft({ reason: ' ' })));
  assert.ok(!isReady(draft({ done: false })));
  assert.ok(!isReady(draft({ preview: null })));
  const outside = /** @type {any} */ ({ ...draft().preview, allowed: false });
  assert.ok(!isReady(draft({ preview: outside })));
});

test('the command line closes a road, with or without a space', () => {
  assert.deepEqual(parse('封路'), { verb: 'closure', rest: '' });
  assert.deepEqual(parse('封路 和平路'), { verb: 'closure', rest: '和平路' });
  assert.deepEqual(parse('封路和平路'), { verb: 'closure', rest: '和平路' });
  assert.deepEqual(parse('封和平路'), { verb: 'closure', rest: '和平路' });
  assert.deepEqual(parse('block market'), { verb: 'closure', rest: 'market' });
});

test('the phone tells of the closed road that is nearest to it or to its way', () => {
  const far = closure({ id: 'far', coordinates: [[116.9, 33.9], [116.91, 33.9]] });
  const near = closure({ id: 'near', coordinates: [[116.803, 33.9], [116.806, 33.9]] });
  assert.equal(nearClosure([far, near], [116.8, 33.9], [])?.id, 'near');
  assert.equal(nearClosure([far], [116.8, 33.9], []), null);
  assert.equal(nearClosure([far], [116.8, 33.9], [[116.85, 33.9005], [116.95, 33.9005]])?.id, 'far');
  assert.equal(nearClosure([closure({ state: 'planned' })], [116.8, 33.9], []), null);
  assert.equal(nearClosure([near], null, []), null);
});
