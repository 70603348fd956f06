import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { BaseChoice, decideBase } from '../../static/src/map/base-choice.js';

/** @import {BaseSource} from '../../static/types/wire.d.ts' */

/** @param {'custom' | 'imagery'} slot @param {Partial<BaseSource['health']>} [health] @param {boolean} [preferred] @returns {BaseSource} */
const source = (slot, health = {}, preferred = false) => ({
  slot, version: 'v1', name: slot === 'custom' ? '县图' : '航片', attribution: '', crs: 'GCJ-02', content: 'raster', schema: null, layers: [],
  side_px: 256, min_zoom: 3, max_zoom: 18, bounds: null, preferred,
  health: { state: 'ok', detail: '', ok_at: null, since: null, oldest_s: null, ...health },
});

/** @type {Map<string, string>} */
const kept = new Map();
globalThis.localStorage = /** @type {any} */ ({
  getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
});
beforeEach(() => kept.clear());

/** @param {BaseSource[]} items @param {string} [user] */
function desk(items, user = 'u1') {
  /** @type {any[]} */
  const drawn = [];
  const map = { setBase: (/** @type {any} */ base) => drawn.push(base), onBaseTrouble: () => {} };
  const answer = { items, own: /** @type {string | null} */ ('a') };
  const base = new BaseChoice({ map, read: async () => answer, user });
  return { base, drawn, answer };
}

test('our own map unless somebody chose or prefers another', () => {
  assert.equal(decideBase(null, []).mode, 'own');
  assert.equal(decideBase(null, [source('custom')]).mode, 'own');
  assert.equal(decideBase(null, [source('custom', {}, true)]).mode, 'custom');
  assert.equal(decideBase('own', [source('custom', {}, true)]).mode, 'own');
  assert.equal(decideBase('imagery', [source('custom')]).mode, 'own', 'what was chosen is gone');
});

test('one that does not answer gives way to ours and says so; one with what it kept stays and tells its age', () => {
  const down = decideBase('custom', [source('custom', { state: 'unreachable', since: '2026-11-25T08:00:00Z' })]);
  assert.deepEqual([down.mode, down.source, down.note?.state, down.note?.name], ['own', null, 'unreachable', '县图']);
  const old = decideBase('custom', [source('custom', { state: 'stale', oldest_s: 7200 })]);
  assert.deepEqual([old.mode, old.note?.oldest_s], ['custom', 7200]);
});

test('each user has a choice of their own, and it comes back with the customer’s server', async () => {
  const { base, drawn, answer } = desk([source('custom'), source('imagery')]);
  await base.look();
  assert.deepEqual(base.modes, ['own', 'custom', 'imagery']);
  base.choose('custom');
  assert.equal(drawn.at(-1).mode, 'custom');
  answer.items = [source('custom', { state: 'unreachable' })];
  await base.look();
  assert.deepEqual([drawn.at(-1).mode, base.mode, base.note?.state], ['own', 'custom', 'unreachable']);
  answer.items = [source('custom')];
  await base.look();
  assert.deepEqual([drawn.at(-1).mode, base.note], ['custom', null]);

  const same = desk([source('custom')]);
  await same.base.look();
  assert.equal(same.base.mode, 'custom', 'remembered');
  const other = desk([source('custom')], 'u2');
  await other.base.look();
  assert.equal(other.base.mode, 'own');
});

test('our own tiles are read anew only after they changed', async () => {
  const { base, drawn, answer } = desk([]);
  await base.look();
  assert.equal(drawn.at(-1).revision, undefined);
  answer.own = 'b';
  await base.look();
  assert.equal(drawn.at(-1).revision, 'b');
});

test('a service that is away leaves what is shown', async () => {
  const { base, drawn } = desk([source('custom')]);
  base.choose('custom');
  await base.look();
  const before = drawn.length;
  base.read = async () => {
    throw new Error('away');
  };
  const { warn } = console;
  console.warn = () => {};
  await base.look();
  console.warn = warn;
  assert.equal(drawn.length, before);
});
