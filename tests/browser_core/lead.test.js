import assert from 'node:assert/strict';
import { test } from 'node:test';

import { classOf, lacksOf, openedAtFirst, pathTo, rateOf, storyOf, tableRows, wanting, within } from '../../static/src/lead/figures.js';
import { curve, rowBefore, shareThen } from '../../static/src/lead/history.js';
import { eventAt, lastAt, lengthOfWay, placeAt, wayTo } from '../../static/src/lead/replay-time.js';
import { ui } from '../../static/src/lead/state.js';
import { boxOf, framed, pathOf, projection } from '../../static/src/lead/shape.js';
import { lengthOf, minutesOf, percent, rate } from '../../static/src/lead/words.js';
import { setLanguage } from '../../static/src/i18n.js';

/** @param {string} code @param {number} tier @param {string | null} parent @param {Partial<import('../../static/types/lead.d.ts').AreaCover>} [more] */
const area = (code, tier, parent, more = {}) => ({
  code, name: code, tier, parent, label: '', label_point: /** @type {[number, number]} */ ([117, 34]), grids: 1, staffed: 1, on_duty: 1, road_m: 1000,
  reach: { 3: 1, 5: 1, 10: 1 }, reached: { 3: 1, 5: 1, 10: 1 }, measured: 1, unreached: 0, median_s: 60, p90_s: 120,
  area_m2: 1e6, seen: 0.02, watched: 1, seen_basis: /** @type {const} */ ('theoretical'), ...more,
});

/** A county of two townships; B's grids are far, one of them bare. */
const ROWS = [
  area('C', 1, null, { grids: 4, staffed: 3, reached: { 3: 2, 5: 2, 10: 4 }, measured: 4 }),
  area('A', 2, 'C', { grids: 2, staffed: 2, reached: { 3: 2, 5: 2, 10: 2 }, measured: 2 }),
  area('B', 2, 'C', { grids: 2, staffed: 1, reached: { 3: 0, 5: 0, 10: 2 }, measured: 2 }),
  area('A1', 4, 'A'),
  area('A2', 4, 'A', { watched: 0, seen: 0 }),
  area('B1', 4, 'B', { reach: { 3: 0, 5: 0.3, 10: 1 }, reached: { 3: 0, 5: 0, 10: 1 }, p90_s: 500 }),
  area('B2', 4, 'B', { staffed: 0, on_duty: 0, reach: { 3: 0, 5: 0.4, 10: 1 }, reached: { 3: 0, 5: 0, 10: 1 }, p90_s: 400 }),
];

test('a class for each share, gaps first', () => {
  const of = (/** @type {number | null} */ share) => classOf('reach', area('x', 4, null, { reach: { 5: share } }), 5);
  assert.deepEqual([0, 0.01, 0.49, 0.5, 0.8, 0.999, 1, null].map(of), [0, 1, 1, 2, 3, 3, 4, -1]);
  assert.equal(classOf('reach', area('x', 4, null), 7), -1);
  assert.equal(classOf('duty', area('x', 4, null, { on_duty: 0 }), 5), 2);
  assert.equal(classOf('staffed', area('x', 4, null, { staffed: 0 }), 5), 0);
  const seen = (/** @type {number} */ share, /** @type {number} */ watched) => classOf('seen', area('x', 4, null, { seen: share, watched }), 5);
  assert.deepEqual([seen(0, 0), seen(0.0001, 1), seen(0.03, 1), seen(0.1, 1), seen(0.5, 1)], [0, 1, 2, 3, 4]);
});

test('grids that lack most come first, and one without road is not far', () => {
  assert.deepEqual(lacksOf(ROWS[6], 5), ['staffed', 'reach']);
  assert.deepEqual(lacksOf(area('x', 4, null, { reach: { 5: null } }), 5), []);
  assert.deepEqual(wanting(ROWS, 5, 'any').map(({ row }) => row.code), ['B2', 'B1', 'A2']);
  assert.deepEqual(wanting(ROWS, 5, 'seen').map(({ row }) => row.code), ['A2']);
  assert.deepEqual(wanting(ROWS, 10, 'reach'), []);
});

test('the table opens downwards, the worst first', () => {
  const codes = (/** @type {string[]} */ open) => tableRows(ROWS, new Set(open), 'reach', 5).map(({ row, depth }) => `${depth}${row.code}`);
  assert.deepEqual(codes([]), ['0C']);
  assert.deepEqual(codes(['C', 'B']), ['0C', '1B', '2B1', '2B2', '1A']);
  // Whoever sees one township only has it on top.
  const town = [ROWS[2], ROWS[5], ROWS[6]];
  assert.deepEqual(tableRows(town, new Set(['B']), 'staffed', 5).map(({ row }) => row.code), ['B', 'B2', 'B1']);
  assert.deepEqual([...openedAtFirst(ROWS, 5, 40)].sort(), ['A', 'B', 'C']);
  assert.deepEqual([...openedAtFirst(ROWS, 5, 5)].sort(), ['B', 'C']);
});

test('the sentence names the worst part of what is looked at', () => {
  const story = storyOf(ROWS, ROWS[0], 5);
  assert.equal(story.worst?.row.code, 'B');
  assert.deepEqual([story.worst?.far, story.worst?.bare, story.far, story.unstaffed, story.unseen], [2, 1, 2, 1, 1]);
  assert.equal(storyOf(ROWS, ROWS[1], 5).worst, null);
  assert.equal(storyOf(ROWS, ROWS[2], 5).bare, 1);
  assert.deepEqual(pathTo(new Map(ROWS.map((row) => [row.code, row])), 'B1').map((row) => row.code), ['C', 'B', 'B1']);
  assert.deepEqual(rateOf('reach', ROWS[0], 5), { n: 2, d: 4 });
});

test('figures in words never round up to all or down to nothing', () => {
  setLanguage('zh-CN');
  assert.deepEqual([percent(2 / 3), percent(0.99999), percent(0.00001), percent(1), percent(0), percent(null)], ['66.7%', '99.9%', '0.1%', '100.0%', '0.0%', '—']);
  assert.equal(rate(0, 0), '—');
  assert.equal(minutesOf(null), '—');
  assert.equal(minutesOf(90), '1.5');
  assert.deepEqual([lengthOf(420, 'road'), lengthOf(4200, 'road'), lengthOf(5e5, 'straight_line')], ['420 米', '4.2 公里', '0.50 km²']);
});

test('outlines keep their proportions', () => {
  const project = projection([117, 34, 117.2, 34.1]);
  const square = { type: /** @type {const} */ ('Polygon'), coordinates: [[[117, 34], [117.1, 34], [117.1, 34.1], [117, 34]]] };
  const [x, y, width, height] = boxOf([square], project) ?? [1, 1, 1, 1];
  assert.deepEqual([x, y], [0, 0]);
  assert.ok(Math.abs(width / height - Math.cos((34.05 * Math.PI) / 180)) < 1e-9);
  assert.match(pathOf(square, project), /^M0\.0 \d+\.\dL.*Z$/);
  assert.equal(boxOf([], project), null);
  const { view, unit } = framed([0, 0, 100, 50], 240, 140, 0);
  assert.ok(Math.abs(view[2] / 240 - unit) < 1e-9 && Math.abs(view[0] + view[2] / 2 - 50) < 1e-9);
  // A point of no size is still something to look at.
  assert.ok(framed([5, 5, 0, 0], 100, 100).unit > 0);
});

test('an area holds itself and what lies below, asked once for each', () => {
  const rows = new Map(ROWS.map((row) => [row.code, row]));
  assert.deepEqual(within(rows, 'B').map((row) => row.code), ['B', 'B1', 'B2']);
  assert.equal(within(rows, '').length, ROWS.length);
  assert.deepEqual(within(rows, 'gone'), []);
});

test('curves keep their gaps, and the same hour yesterday is found by its hour', () => {
  const now = Date.parse('2026-11-22T03:20:00Z');
  /** @param {number} ago hours @param {number} staffed */
  const hour = (ago, staffed) => /** @type {any} */ ({ hour: new Date(Date.parse('2026-11-22T03:00:00Z') - ago * 3_600_000).toISOString(), staffed, grids: 4, reached: { 3: 0, 5: 2, 10: 4 }, measured: 4 });
  ui.feed = /** @type {any} */ ({ serverNow: () => now });
  ui.compare = 'day';
  ui.history = { area: 'C', since: null, items: [hour(24, 1), hour(3, 2), hour(0, 3)] };
  const staffed = (/** @type {any} */ row) => row.staffed;
  assert.deepEqual(curve(staffed), [1, ...Array(20).fill(null), 2, null, null, 3]);
  assert.equal(rowBefore()?.staffed, 1);
  assert.equal(shareThen('reach', hour(0, 3), 5), 0.5);
  ui.history.items.shift();
  assert.deepEqual(curve(staffed), []);
  assert.equal(rowBefore(), null);
  ui.compare = 'week';
  ui.history = null;
  assert.deepEqual(curve(staffed), []);
});

test('a replay puts everybody between their reports, and does not guess over a silence', () => {
  /** @type {[number, number, number][]} */
  const points = [[10, 117, 34], [20, 117.001, 34], [200, 117.001, 34.001]];
  assert.deepEqual([5, 10, 19, 20, 199, 200, 999].map((at) => lastAt(points, at)), [-1, 0, 0, 1, 1, 2, 2]);
  assert.equal(placeAt(points, 9), null);
  const between = placeAt(points, 15);
  assert.ok(between && Math.abs(between.lon - 117.0005) < 1e-9 && !between.silent);
  assert.deepEqual(placeAt(points, 70), { lon: 117.001, lat: 34, silent: false });
  assert.deepEqual(placeAt(points, 150), { lon: 117.001, lat: 34, silent: true });
  assert.deepEqual(placeAt(points, 300), { lon: 117.001, lat: 34.001, silent: true });
  assert.equal(placeAt([], 1), null);
  assert.deepEqual(wayTo(points, 5), []);
  assert.equal(wayTo(points, 15).length, 2);
  assert.ok(Math.abs(lengthOfWay(wayTo(points, 20)) - 92.2) < 0.5);
  const replay = /** @type {any} */ ({ start: '2026-11-22T03:00:00Z', events: [{ at: '2026-11-22T03:00:00Z' }, { at: '2026-11-22T03:01:00Z' }] });
  assert.deepEqual([0, 59, 60, 600].map((at) => eventAt(replay, at)), [0, 0, 1, 1]);
});
