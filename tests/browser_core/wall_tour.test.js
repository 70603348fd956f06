import assert from 'node:assert/strict';
import { test } from 'node:test';

import { minuteOfDay } from '../../static/src/time.js';
import { LEAD_MS, TourClock, isRunning, pinsOf, playList } from '../../static/src/wall/tour.js';

/** @import {Camera, Tour} from '../../static/types/wire.d.ts' */

/** @param {Partial<Tour>} change @returns {Tour} */
const tour = (change) => ({
  id: 't', name: 'n', group: null, camera_ids: [], dwell_s: 10, split: 4, from: null, to: null, enabled: true, version: 1,
  updated_by: null, updated_at: null, ...change,
});

/** @param {string} id @param {Partial<Camera>} [change] */
const camera = (id, change) => /** @type {Camera} */ ({ id, status: 'live', tour_groups: [], ...change });

/** @param {string} ids */
const cameras = (ids) => Object.fromEntries([...ids].map((id) => [id, camera(id)]));

test('a tour runs in its window, also past midnight', () => {
  const day = { from: '08:00', to: '18:30', enabled: true };
  assert.deepEqual([479, 480, 1109, 1110].map((minute) => isRunning(day, minute)), [false, true, true, false]);
  const night = { from: '22:00', to: '06:00', enabled: true };
  assert.deepEqual([1319, 1320, 0, 359, 360].map((minute) => isRunning(night, minute)), [false, true, true, true, false]);
  assert.ok(isRunning({ from: null, to: null, enabled: true }, 5));
  assert.ok(isRunning({ from: '07:00', to: '07:00', enabled: true }, 5));
  assert.ok(isRunning({ from: 'nonsense', to: '24:99', enabled: true }, 5));
  assert.ok(!isRunning({ from: null, to: null, enabled: false }, 5));
  assert.equal(minuteOfDay(Date.parse('2026-11-22T16:01:00Z')), 1);
});

test('running tours make one list: their cameras, then their group, each once', () => {
  const all = { ...cameras('abc'), g2: camera('g2', { tour_groups: ['关键'] }), g1: camera('g1', { tour_groups: ['关键', '其他'] }) };
  const tours = {
    x: tour({ id: 'x', name: '乙', camera_ids: ['b', 'gone', 'a'], dwell_s: 20 }),
    y: tour({ id: 'y', name: '丁', group: '关键', camera_ids: ['b', 'c'], dwell_s: 1 }),
    z: tour({ id: 'z', name: '丙', camera_ids: ['c'], enabled: false }),
  };
  assert.deepEqual(playList(tours, all, 600), [
    { id: 'b', dwell_ms: 3000 }, { id: 'c', dwell_ms: 3000 }, { id: 'g1', dwell_ms: 3000 }, { id: 'g2', dwell_ms: 3000 },
    { id: 'a', dwell_ms: 20_000 },
  ]);
});

/** Runs a wall for a while; every second one line: what the four tiles show.
 * @param {object} wall @param {string} wall.ids @param {number} [wall.dwell_s] @param {number} wall.seconds
 * @param {(id: string, second: number) => boolean} [wall.isUp] @param {(id: string, second: number) => boolean} [wall.plays]
 * @param {(second: number) => import('../../static/src/wall/tour.js').Pinned[]} [wall.pins]
 */
function run({ ids, dwell_s = 10, seconds, isUp = () => true, plays = () => true, pins = () => [] }) {
  const clock = new TourClock(4);
  const list = [...ids].map((id) => ({ id, dwell_ms: dwell_s * 1000 }));
  /** @type {Map<string, number>} */
  const opened = new Map();
  const lines = [];
  for (let second = 0; second < seconds; second += 1) {
    const slots = clock.step({
      nowMs: second * 1000,
      list,
      pins: pins(second),
      isUp: (id) => isUp(id, second),
      isReady: (id, index) => plays(id, second) && second - (opened.get(`${index}${id}`) ?? second) >= 2,
    });
    for (const [index, slot] of slots.entries()) {
      if (slot?.next && !opened.has(`${index}${slot.next}`)) opened.set(`${index}${slot.next}`, second);
    }
    for (const key of opened.keys()) if (slots[Number(key[0])]?.next !== key.slice(1)) opened.delete(key);
    assert.ok(slots.filter((slot) => slot?.next).length <= 1, 'one picture is prepared at a time');
    const shown = slots.map((slot) => slot?.id ?? '-');
    assert.equal(new Set(shown.filter((id) => id !== '-')).size, shown.filter((id) => id !== '-').length, `twice: ${shown}`);
    lines.push(shown.join(''));
  }
  return lines;
}

test('tiles fill at once, then change one after another, and everybody has a turn', () => {
  const lines = run({ ids: 'abcdefgh', dwell_s: 20, seconds: 120 });
  assert.equal(lines[0], 'abcd');
  for (let n = 1; n < lines.length; n += 1) {
    assert.ok([...lines[n]].filter((id, index) => id !== lines[n - 1][index]).length <= 1, `${lines[n - 1]} ${lines[n]}`);
  }
  assert.equal(new Set(lines.join('')).size, 8);
  assert.ok(LEAD_MS >= 4000);
});

test('as many cameras as tiles simply stay', () => {
  const lines = run({ ids: 'abcd', seconds: 60 });
  assert.deepEqual([...new Set(lines)], ['abcd']);
  assert.deepEqual([...new Set(run({ ids: 'ab', seconds: 30 }))], ['ab--']);
  assert.deepEqual([...new Set(run({ ids: '', seconds: 5 }))], ['----']);
});

test('what is offline is skipped, and what never plays loses its turn without a gap', () => {
  const skipped = run({ ids: 'abcdefgh', dwell_s: 20, seconds: 160, isUp: (id) => id !== 'f' });
  assert.ok(!skipped.join('').includes('f') && skipped.join('').includes('h'));
  const silent = run({ ids: 'abcdefgh', dwell_s: 20, seconds: 200, plays: (id) => id !== 'e' });
  assert.ok(!silent.slice(1).join('').includes('e'));
  assert.ok('fgh'.split('').every((id) => silent.join('').includes(id)), 'the others go on');
});

test('cameras near a grave incident come first, and the tour returns to its tiles', () => {
  const pin = (/** @type {string} */ id) => ({ id, incidentId: 'i1', distance_m: 90 });
  const lines = run({
    ids: 'abcdefgh', dwell_s: 20, seconds: 40,
    pins: (second) => (second >= 10 && second < 30 ? [pin('x'), pin('y'), pin('c')] : []),
  });
  assert.equal(lines[9].length, 4);
  assert.ok(lines[10].startsWith('xyc'), lines[10]);
  assert.ok(lines[29].startsWith('xyc'));
  assert.ok(!/[xy-]/.test(lines[30]), lines[30]);
});

test('one incident has four cameras, two have two each, and what is down is left out', () => {
  const near = [...'abcdef'].map((id) => ({ id }));
  const up = (/** @type {{id: string}} */ { id }) => id !== 'b';
  const ids = (/** @type {{camera: {id: string}}[]} */ pins) => pins.map((pin) => pin.camera.id).join('');
  assert.equal(ids(pinsOf([{ incidentId: '1', near }], 4, up)), 'acde');
  assert.equal(ids(pinsOf([{ incidentId: '1', near }, { incidentId: '2', near: [{ id: 'a' }, { id: 'z' }, { id: 'y' }, { id: 'w' }] }], 4, up)), 'aczy');
  assert.deepEqual(pinsOf([], 4, up), []);
});
