import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import * as figures from '../../static/src/wall/figures.js';
import { classesByGrid, coverStory, worstBelow } from '../../static/src/wall/coverage.js';
import { TURN_MS, choiceOf, choiceOfKey, themeAt } from '../../static/src/wall/themes.js';

/** @import {Assignment, Board, EtaItem, Incident} from '../../static/types/wire.d.ts' */

/** @returns {Board} */
const board = () =>
  JSON.parse(readFileSync(new URL('../golden/incident_dispatched.json', import.meta.url), 'utf8')).after;

/** @param {Partial<Incident>} change @returns {Incident} */
const incident = (change) => ({ ...board().incidents['01INC1'], ...change });

test('rates: two decimals, half up, a dash without denominator', () => {
  const cases = /** @type {const} */ ([
    [143, 179, '79.89%'], [128, 132, '96.97%'], [911, 972, '93.72%'], [547, 582, '93.99%'], [356, 450, '79.11%'],
    [1, 1, '100.00%'], [0, 5, '0.00%'], [0, 0, '–'], [1, 8, '12.50%'], [1, 16, '6.25%'], [1, 32, '3.13%'], [201, 20000, '1.01%'],
  ]);
  for (const [n, d, words] of cases) assert.equal(figures.percent({ n, d }), words);
});

test('states fall into six groups that cover all work', () => {
  const groups = figures.stateGroups({ reported: 3, dispatched: 4, handling: 5, closed: 6, archived: 1, merged: 9 });
  assert.deepEqual(groups.map((item) => item.n), [3, 0, 9, 0, 0, 7]);
});

test('a ranking shows both ends once it is long', () => {
  const { head, tail } = figures.bothEnds(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 4, 3);
  assert.deepEqual([head.map((item) => item.rank), tail.map((item) => item.rank)], [[1, 2, 3, 4], [6, 7, 8]]);
  assert.deepEqual(figures.bothEnds(['a', 'b'], 4, 3).tail, []);
});

test('townships with the most gaps come first, the rest is summed', () => {
  const rows = figures.gaps([
    { code: '1', name: 'a', staffed: 8, grids: 10 }, { code: '2', name: 'b', staffed: 1, grids: 10 }, { code: '3', name: 'c', staffed: 9, grids: 10 },
  ], 2);
  assert.deepEqual(rows.rows.map((row) => [row.name, row.missing]), [['b', 9], ['a', 2]]);
  assert.deepEqual([rows.others, rows.missingElsewhere], [1, 1]);
});

test('response rows leave out what has no measurement or no limit', () => {
  const rows = figures.responseRows({
    arrive: { I: { median_s: 300, n: 2, limit_s: 600 }, IV: { median_s: 9, n: 1, limit_s: null } },
    sign: { IV: { median_s: null, n: 0, limit_s: 7200 }, III: { median_s: 60, n: 1, limit_s: 300 } },
  }, 3);
  assert.deepEqual(rows.map((row) => [row.stage, row.level]), [['arrive', 'I'], ['sign', 'III']]);
});

test('the story names the gravest open incident and how far help has come', () => {
  const b = board();
  /** @type {Map<string, EtaItem>} */
  const etas = new Map([['01ASG1', { assignment_id: '01ASG1', eta_s: 80, distance_m: 400, eta_method: 'road', as_of: '' }]]);
  assert.equal(figures.story(b, etas).progress?.step, 'asked');
  for (const [state, step] of [['signed', 'signed'], ['en_route', 'en_route'], ['on_scene', 'on_scene']]) {
    const changed = /** @type {Assignment} */ ({ ...b.assignments['01ASG1'], state });
    const told = figures.story({ ...b, assignments: { '01ASG1': changed } }, etas);
    assert.equal(told.progress?.step, step);
    assert.equal(told.progress?.eta_s, state === 'en_route' ? 80 : null, 'an ETA is told only on the way');
  }
  assert.deepEqual(figures.story({ ...b, incidents: {} }, etas), { open: 0, top: null, sameLevel: 0, progress: null });
});

test('an exercise never stands before what is real', () => {
  const b = board();
  b.incidents = {
    drill: incident({ id: 'drill', level: 'I', exercise: true, assignments: [] }),
    real: incident({ id: 'real', level: 'IV', assignments: [] }),
  };
  assert.equal(figures.story(b, new Map()).top?.id, 'real');
  assert.deepEqual(figures.urgentTiles(b, new Map(), 0, 4).map((tile) => tile.incident.id), ['real', 'drill']);
});

test('alarms count until they are acknowledged', () => {
  const b = board();
  b.incidents['01INC1'] = incident({ state: 'reported', acknowledged_at: null });
  assert.equal(figures.openAlarms(b).first?.id, '01INC1');
  b.incidents['01INC1'] = incident({ state: 'reported', acknowledged_at: '2026-11-22T03:08:00.000Z' });
  assert.deepEqual(figures.openAlarms(b), { first: null, count: 0 });
});

test('the ticker keeps three places, one line per incident', () => {
  /** @param {string} incidentId @param {string} what */
  const tick = (incidentId, what) => ({ incidentId, at: '', what });
  let ticks = /** @type {figures.Tick[]} */ ([]);
  for (const [id, what] of [['a', 'reported'], ['b', 'reported'], ['a', 'dispatched'], ['c', 'reported'], ['d', 'reported']]) {
    ticks = figures.withTick(ticks, tick(id, what), 3);
  }
  assert.deepEqual(ticks.map((item) => `${item.incidentId} ${item.what}`), ['d reported', 'c reported', 'a dispatched']);
});

test('an event makes a line when it is for the wall', () => {
  const golden = JSON.parse(readFileSync(new URL('../golden/incident_dispatched.json', import.meta.url), 'utf8'));
  assert.equal(figures.tickOf(golden.frame)?.incidentId, '01INC1');
  assert.equal(figures.tickOf({ ...golden.frame, type: 'camera.updated' }), null);
  const own = { ...golden.frame, type: 'assignment.on_scene' };
  own.data = { changes: { assignments: { x: { id: 'x', incident_id: 'i9' } } } };
  assert.deepEqual(figures.tickOf(own), { incidentId: 'i9', at: golden.frame.at, what: 'on_scene' });
});

test('axis steps are round and reach the top', () => {
  assert.deepEqual(figures.axisSteps(0), [0, 1]);
  assert.deepEqual(figures.axisSteps(3), [0, 1, 2, 3]);
  assert.deepEqual(figures.axisSteps(25), [0, 10, 20, 30]);
  for (let most = 1; most < 2000; most += 7) {
    const steps = figures.axisSteps(most);
    assert.ok((steps.at(-1) ?? 0) >= most && steps.length <= 5, `${most}: ${steps}`);
  }
});

test('villages by open incidents, most first', () => {
  const b = board();
  b.incidents = {
    a: incident({ id: 'a', village: 'v1' }), b: incident({ id: 'b', village: 'v2' }), c: incident({ id: 'c', village: 'v2' }),
    d: incident({ id: 'd', village: 'v1', state: 'closed' }), e: incident({ id: 'e', village: null }),
  };
  assert.deepEqual(figures.openByVillage(b, 5), [{ code: 'v2', n: 2 }, { code: 'v1', n: 1 }]);
});

test('work that only waits for its check stands after what still runs', () => {
  const b = board();
  b.incidents = {
    done: incident({ id: 'done', level: 'I', state: 'handled' }), runs: incident({ id: 'runs', level: 'IV', state: 'reported' }),
  };
  assert.deepEqual(figures.urgentTiles(b, new Map(), 0, 4).map((tile) => tile.incident.id), ['runs', 'done']);
  assert.deepEqual([figures.story(b, new Map()).open, figures.story(b, new Map()).top?.id], [1, 'runs']);
});

test('a theme somebody chose stays; one that takes turns rests on the overview while there is an alarm', () => {
  const turns = [0, 1, 2, 3].map((n) => themeAt('rotate', n * TURN_MS + 5, false));
  assert.deepEqual(turns, ['overview', 'coverage', 'overview', 'coverage']);
  assert.equal(themeAt('rotate', TURN_MS, true), 'overview');
  assert.equal(themeAt('coverage', 0, true), 'coverage');
  assert.deepEqual(['coverage', 'nothing', null].map(choiceOf), ['coverage', null, null]);
  assert.deepEqual(['0', '1', '2', 'x'].map(choiceOfKey), ['rotate', 'overview', 'coverage', null]);
});

test('the coverage theme says the worst first', () => {
  /** @param {string} code @param {number} tier @param {string | null} parent @param {number} n @param {number} d */
  const area = (code, tier, parent, n, d) => /** @type {any} */ ({
    code, name: code, tier, parent, grids: d, staffed: d, watched: d, measured: d, reached: { 5: n }, reach: { 5: d ? n / d : null }, p90_s: 1,
  });
  const cover = /** @type {any} */ ({
    responders: { counted: 1 },
    items: [area('C', 1, null, 3, 5), area('A', 2, 'C', 2, 2), area('B', 2, 'C', 1, 3), area('N', 2, 'C', 0, 0), area('B1', 4, 'B', 0, 1), area('A1', 4, 'A', 1, 1), area('N1', 4, 'N', 0, 0)],
  });
  assert.deepEqual(worstBelow(cover).map(({ row }) => row.code), ['B', 'A']);
  assert.deepEqual([...classesByGrid(cover)], [['B1', 0], ['A1', 4], ['N1', -1]]);
  assert.match(coverStory(cover), /^B缺口最大：1 格 5 分钟难达/);
  assert.match(coverStory({ ...cover, responders: { counted: 0 } }), /没有可用的在岗力量/);
});
