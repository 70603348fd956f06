import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextPreview } from '../../static/src/console/preview.js';
import { choose } from '../../static/src/console/actions.js';
import { firstFree, keepOrder, readRanked } from '../../static/src/console/reading.js';
import { ui } from '../../static/src/console/state.js';
import { parse } from '../../static/src/console/verbs.js';
import { commandsFor } from '../../static/src/console/commands-list.js';
import { bearingDeg, metresBetween, scaleBar } from '../../static/src/map/sphere.js';
import { clockText, distanceText, durationText } from '../../static/src/ui/format.js';
import { groupOf, isAlarm, KIND_PATHS, levelOf } from '../../static/src/ui/levels.js';

/** @param {string} id @param {number} eta_s @returns {any} */
const row = (id, eta_s) => ({ responder_id: id, eta_s });

test('a locked list takes new figures into the old order', () => {
  const shown = [row('a', 60), row('b', 90), row('gone', 120)];
  const fresh = [row('b', 30), row('a', 70), row('new', 10)];
  assert.deepEqual(keepOrder(fresh, shown), [row('a', 70), row('b', 30), row('gone', 120)]);
});

test('a candidate lost to another desk is passed over', () => {
  ui.lost = new Map([['a', '席 2']]);
  assert.equal(firstFree([row('a', 1), row('b', 2)]), 1);
  assert.equal(firstFree([row('a', 1)]), 0);
  ui.lost = new Map();
});

test('a choice made by hand stays with the person, and says when it cannot', async () => {
  /** @type {string[]} */
  let order = [];
  const before = { fetch: globalThis.fetch, innerHeight: globalThis.innerHeight };
  globalThis.innerHeight = 1080;
  globalThis.fetch = /** @type {any} */ (async () =>
    new Response(JSON.stringify({ items: order.map((id) => ({ ...row(id, 60), name: id })) }), {
      headers: { 'content-type': 'application/json' },
    }));
  /** @param {string[]} ids */
  const read = async (...ids) => {
    order = ids;
    await readRanked();
    return ui.ranked?.items[ui.choice].responder_id;
  };
  try {
    Object.assign(ui, {
      me: { permissions: ['positions.view'] },
      feed: { board: { incidents: {}, assignments: {} }, serverNow: () => 0 },
      selection: { kind: 'point', id: 'p', lon: 117, lat: 34 },
    });
    assert.equal(await read('a', 'b', 'c'), 'a');
    assert.equal(await read('b', 'a', 'c'), 'b', 'nobody chose: the nearest');
    choose(1);
    assert.equal(await read('a', 'b', 'c'), 'a', 'now first');
    assert.equal(await read('c', 'b', 'a'), 'a');
    assert.equal(ui.fault, null);
    assert.equal(await read('c', 'b'), 'c');
    assert.match(/** @type {any} */ (ui.fault)?.text ?? '', /a.*c/);
  } finally {
    Object.assign(globalThis, before);
    Object.assign(ui, { selection: null, ranked: null, fault: null });
  }
});

test('the command line reads hanzi, initials and English, with or without a space', () => {
  assert.deepEqual(parse('派 1'), { verb: 'dispatch', rest: '1' });
  assert.deepEqual(parse('派1'), { verb: 'dispatch', rest: '1' });
  assert.deepEqual(parse('h dm'), { verb: 'call', rest: 'dm' });
  assert.deepEqual(parse('Call  dong men'), { verb: 'call', rest: 'dong men' });
  assert.deepEqual(parse('qiaotou'), { verb: null, rest: 'qiaotou' });
  assert.deepEqual(parse(''), { verb: null, rest: '' });
});

test('an alarm is waiting, grave or from a device, and nobody has answered it', () => {
  const alarm = { state: 'reported', acknowledged_at: null, claimed_by: null, level: 'II', source: 'hotline' };
  assert.ok(isAlarm(alarm));
  assert.ok(isAlarm({ ...alarm, level: 'IV', source: 'alarm' }));
  assert.ok(!isAlarm({ ...alarm, level: 'III' }));
  assert.ok(!isAlarm({ ...alarm, acknowledged_at: '2026-11-22T03:07:42.123Z' }));
  assert.ok(!isAlarm({ ...alarm, claimed_by: 'u1' }));
  assert.ok(!isAlarm({ ...alarm, state: 'dispatched' }));
});

test('every level and kind has a shape, unknown ones too', () => {
  for (const level of ['I', 'II', 'III', 'IV', 'none', 'surprise']) assert.match(levelOf(level).path, /^M/);
  for (const kind of ['police', 'grid_worker', 'street_chief', 'surprise']) assert.match(KIND_PATHS[groupOf(kind)], /^M/);
});

test('clocks, durations and distances in few words', () => {
  assert.equal(clockText(85), '01:25');
  assert.equal(clockText(7200), '2:00:00');
  assert.equal(clockText(-3), '00:00');
  assert.equal(durationText(40), '40 秒');
  assert.equal(durationText(131), '2 分 10 秒');
  assert.equal(durationText(3900), '1 小时 5 分');
  assert.equal(durationText(null), '—');
  assert.equal(distanceText(62), '60 m');
  assert.equal(distanceText(700), '0.7 km');
  assert.equal(distanceText(null), '—');
});

test('bearings and distances agree with the compass', () => {
  assert.ok(Math.abs(bearingDeg([107, 37], [107, 38])) < 1e-9);
  assert.ok(Math.abs(bearingDeg([107, 0], [108, 0]) - 90) < 1e-9);
  assert.ok(Math.abs(metresBetween([107, 37], [107, 38]) - 111195) < 1);
});

test('the menu offers a dispatcher nothing that only a supervisor may do', () => {
  const offered = commandsFor('handling', ['incident.accept', 'incident.escalate']).map((item) => item.id);
  assert.ok(!offered.includes('cancel') && !offered.includes('suspend'));
  assert.ok(commandsFor('handling', ['incident.supervise']).some((item) => item.id === 'cancel'));
});

/** @param {string} id @param {string} level @param {object} [more] @returns {any} */
const waiting = (id, level, more = {}) => ({ id, code: id, level, state: 'accepted', claimed_by: null, due: {}, ...more });

test('a preview gives way to a graver incident, and to nothing else', () => {
  const third = waiting('a', 'III');
  const now = { shown: null, dismissed: '', me: 'me' };
  assert.equal(nextPreview([third], now)?.id, 'a');
  assert.equal(nextPreview([third, waiting('b', 'II')], { ...now, shown: third })?.id, 'b');
  assert.equal(nextPreview([third, waiting('0', 'III')], { ...now, shown: third }), null);
  assert.equal(nextPreview([third], { ...now, dismissed: 'a' }), null);
  assert.equal(nextPreview([waiting('c', 'I', { claimed_by: 'other' })], now), null);
});

test('a preview stays once claimed here, and goes once another desk has it', () => {
  const others = [waiting('b', 'I')];
  const mine = waiting('a', 'III', { claimed_by: 'me' });
  assert.equal(nextPreview([mine, ...others], { shown: mine, dismissed: '', me: 'me' }), null);
  const over = { ...mine, state: 'cancelled' };
  assert.equal(nextPreview([over, ...others], { shown: over, dismissed: '', me: 'me' })?.id, 'b');
  const taken = waiting('a', 'I', { claimed_by: 'other' });
  assert.equal(nextPreview([taken, waiting('b', 'IV')], { shown: taken, dismissed: '', me: 'me' })?.id, 'b');
});

test('a scale bar is round and fits', () => {
  assert.deepEqual(scaleBar(1, 140), { metres: 100, px: 100 });
  assert.deepEqual(scaleBar(7, 140), { metres: 500, px: 71 });
  assert.deepEqual(scaleBar(20, 120), { metres: 2000, px: 100 });
});
