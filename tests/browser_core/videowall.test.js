import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DAY_MS, dayBy, dayStart, partsOf, playFrom, recordedS, shareOfDay } from '../../static/src/videowall/day-line.js';
import { filterFaults, measureRows } from '../../static/src/videowall/fault-list.js';
import * as grids from '../../static/src/videowall/grid.js';
import * as tours from '../../static/src/videowall/tours.js';
import { buildTree, camerasBelow, flatten, matching, nameOrder, placeOf, rowsInView } from '../../static/src/videowall/tree.js';
import { setLanguage } from '../../static/src/i18n.js';

/** @param {string} id @param {object} [more] @returns {any} */
const camera = (id, more = {}) => ({
  id, name: `摄像头 ${id}`, gb_id: null, network: 'xueliang', grid: null, area: null, station: null, tour_groups: [],
  status: 'live', fault: null, version: 1, ...more,
});

const AREAS = new Map(
  [
    { code: 'C', name: '县', tier: 1, parent: null },
    { code: 'T1', name: '汀口镇', tier: 2, parent: 'C' },
    { code: 'T2', name: '枫圩镇', tier: 2, parent: 'C' },
    { code: 'V1', name: '汀口社区', tier: 3, parent: 'T1' },
    { code: 'G1', name: '汀口社区 01 格', tier: 4, parent: 'V1' },
  ].map((area) => [area.code, area]),
);

// ── Tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('the tree by area: township, village, and what lies nowhere comes last', () => {
  const tree = buildTree(
    [camera('a', { grid: 'G1' }), camera('b', { grid: 'G1', status: 'offline' }), camera('c', { area: 'T2' }), camera('d', { grid: 'gone' })],
    'area', AREAS, { nowhere: '未划入' },
  );
  assert.deepEqual(tree.map((node) => [node.name, node.online, node.total]), [['汀口镇', 1, 2], ['枫圩镇', 1, 1], ['未划入', 1, 1]]);
  assert.deepEqual(tree[0].children.map((node) => [node.name, node.online, node.total]), [['汀口社区', 1, 2]]);
  assert.deepEqual(tree[1].cameras.map((one) => one.id), ['c']);
  assert.deepEqual(camerasBelow(tree[0]).map((one) => one.id), ['a', 'b']);
});

test('online is a picture that comes, faulty or not; late, unknown and switched off are not', () => {
  const states = ['live', 'degraded', 'stale', 'offline', 'disabled', 'unknown'];
  const [node] = buildTree(states.map((status, at) => camera(String(at), { status })), 'network', AREAS);
  assert.deepEqual([node.online, node.total], [2, 6]);
});

test('a camera in two groups stands in both; one without any in the last node', () => {
  const tree = buildTree([camera('a', { tour_groups: ['汛期', '学校'] }), camera('b', { tour_groups: ['汛期'] }), camera('c')], 'group', AREAS, { nowhere: '未分组' });
  assert.deepEqual(tree.map((node) => [node.name, node.total]).sort(), [['学校', 1], ['未分组', 1], ['汛期', 2]].sort());
  assert.equal(tree.at(-1)?.name, '未分组');
});

test('networks keep their own order and names', () => {
  const tree = buildTree([camera('a', { network: 'social' }), camera('b', { network: 'bureau' }), camera('c')], 'network', AREAS, { network: (code) => code.toUpperCase() });
  assert.deepEqual(tree.map((node) => node.name), ['XUELIANG', 'BUREAU', 'SOCIAL']);
});

test('a circle among areas does not hang the tree', () => {
  const round = new Map([['X', { code: 'X', name: 'x', tier: 3, parent: 'Y' }], ['Y', { code: 'Y', name: 'y', tier: 3, parent: 'X' }]]);
  assert.equal(placeOf(camera('a', { grid: 'X' }), round).town, undefined);
});

test('only opened nodes have rows; a search opens all', () => {
  const tree = buildTree([camera('a', { grid: 'G1' }), camera('b', { area: 'T2' })], 'area', AREAS);
  assert.deepEqual(flatten(tree, new Set()).map((row) => row.key), ['area:T1', 'area:T2']);
  assert.deepEqual(flatten(tree, new Set(['area:T1', 'area:V1'])).map((row) => row.key), ['area:T1', 'area:V1', 'area:V1/a', 'area:T2']);
  assert.equal(flatten(tree, new Set(), true).filter((row) => row.camera).length, 2);
});

test('search by a part of the name, by the ends of the GB id, and by what the server found', () => {
  const list = [camera('a', { name: '老碾桥东端', gb_id: '64029900001320000002' }), camera('b', { name: '澄溪河大桥', gb_id: '64029900001320000017' }), camera('c')];
  /** @param {string} text @param {string[]} found */
  const ids = (text, found = []) => matching(list, text, new Set(found)).map((one) => one.id);
  assert.deepEqual(ids('桥'), ['a', 'b']);
  assert.deepEqual(ids('640299'), ['a', 'b']);
  assert.deepEqual(ids('0017'), ['b']);
  assert.deepEqual(ids('lnq', ['a']), ['a']);
  assert.deepEqual(ids('没有'), []);
});

test('names are sorted once; a change of status keeps the order, a new name does not', () => {
  const order = nameOrder();
  const first = order({ b: camera('b', { name: '乙 10' }), a: camera('a', { name: '乙 9' }) });
  assert.deepEqual(first.map((one) => one.id), ['a', 'b']);
  const later = order({ b: camera('b', { name: '乙 10', status: 'offline' }), a: camera('a', { name: '乙 9' }) });
  assert.deepEqual(later.map((one) => [one.id, one.status]), [['a', 'live'], ['b', 'offline']]);
  assert.deepEqual(order({ b: camera('b', { name: '甲' }), a: camera('a', { name: '乙 9' }) }).map((one) => one.id), ['b', 'a']);
  assert.deepEqual(order({ a: camera('a') }).map((one) => one.id), ['a']);
});

test('a county of cameras is a tree in a moment, and only the rows in view exist', () => {
  /** @type {Record<string, any>} */
  const many = {};
  for (let n = 0; n < 15_000; n += 1) many[`c${n}`] = camera(`c${n}`, { grid: n % 2 ? 'G1' : null, status: n % 3 ? 'live' : 'offline' });
  const tree = buildTree(nameOrder()(many), 'area', AREAS);
  const rows = flatten(tree, new Set(), true);
  assert.equal(rows.filter((row) => row.camera).length, 15_000);
  const [first, end] = rowsInView(rows.length, 30, 90_000, 900);
  assert.ok(first >= 2990 && first <= 3000 && end - first < 60);
  assert.deepEqual(rowsInView(0, 30, 0, 900), [0, 0]);
  assert.deepEqual(rowsInView(5, 30, 9_000, 900)[1], 5);
});

// ── Grid ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {(string | null)[]} ids @param {any} [split] @returns {import('../../static/src/videowall/grid.js').Grid} */
const gridOf = (ids, split = 4) => ({ ...grids.emptyGrid(split), cells: Array.from({ length: 16 }, (_, at) => ids[at] ?? null) });

test('a camera goes into a cell; one that is shown already changes places', () => {
  let grid = grids.put(grids.emptyGrid(4), 2, 'a');
  assert.deepEqual([grid.cells[2], grid.focus], ['a', 2]);
  grid = grids.put(grid, 0, 'b');
  grid = grids.put(grid, 2, 'b');
  assert.deepEqual(grids.shown(grid), ['a', null, 'b', null]);
  assert.equal(grids.put(grid, 7, 'c'), grid);
});

test('a camera never stands in two cells, not even out of sight', () => {
  const grid = grids.put({ ...gridOf(['a', 'b', null, null, 'c'], 4) }, 3, 'c');
  assert.deepEqual(grid.cells.filter((id) => id === 'c').length, 1);
  assert.equal(grid.cells[3], 'c');
});

test('tile to tile swaps, also with an empty one, never beyond the grid', () => {
  const grid = grids.swap(gridOf(['a', 'b']), 0, 3);
  assert.deepEqual(grids.shown(grid), [null, 'b', null, 'a']);
  assert.equal(grid.focus, 3);
  assert.equal(grids.swap(grid, 0, 9), grid);
});

test('without a wish a camera takes the next empty cell, else the one with the focus', () => {
  assert.equal(grids.freeCell({ ...gridOf(['a', null, 'b']), focus: 0 }), 1);
  assert.equal(grids.freeCell({ ...gridOf(['a', 'b', 'c', 'd']), focus: 2 }), 2);
  assert.equal(grids.freeCell({ ...gridOf([null, 'b']), focus: 0 }), 0);
});

test('one tile shows the focused camera, and the other splits find every camera at its place again', () => {
  const four = { ...gridOf(['a', 'b', 'c', 'd']), focus: 2 };
  const one = grids.withSplit(four, 1);
  assert.deepEqual(grids.shown(one), ['c']);
  const back = grids.withSplit(one, 4);
  assert.deepEqual(grids.shown(back), ['a', 'b', 'c', 'd']);
  assert.equal(back.focus, 2);
  const nine = grids.withSplit({ ...four, focus: 3 }, 9);
  assert.deepEqual(grids.withSplit(nine, 4).cells, four.cells);
  assert.equal(grids.withSplit({ ...nine, focus: 8 }, 4).focus, 3);
});

test('a whole node fills from the cell it was dropped on, as many as fit, each once', () => {
  const grid = grids.fill(gridOf(['x', 'b']), 1, ['a', 'b', 'c']);
  assert.deepEqual(grids.shown(grid), ['x', 'a', 'b', 'c']);
  assert.deepEqual(grids.shown(grids.fill(gridOf([]), 3, ['a', 'b', 'c', 'd', 'e'])), ['a', 'b', 'c', 'd']);
});

test('arrows move the focus and stop at the edges; delete empties', () => {
  let grid = gridOf(['a', 'b', 'c', 'd']);
  grid = grids.moveFocus(grids.moveFocus(grid, 'left'), 'down');
  assert.equal(grid.focus, 2);
  assert.equal(grids.moveFocus(grid, 'right').focus, 3);
  assert.equal(grids.moveFocus(grid, 'down').focus, 2);
  assert.deepEqual(grids.shown(grids.clear(grid, 2)), ['a', 'b', null, 'd']);
  assert.equal(grids.clear(grids.clearAll(grid), 1).cells.some(Boolean), false);
});

test('a layout loads without the cameras that are gone, saves what is shown, and knows whether it was changed', () => {
  const layout = { split: 4, cells: ['a', 'gone', null, 'd'] };
  const grid = grids.load(layout, (id) => id !== 'gone');
  assert.deepEqual(grids.shown(grid), ['a', null, null, 'd']);
  assert.deepEqual(grids.saved(grid), { split: 4, cells: ['a', null, null, 'd'] });
  assert.equal(grids.sameAs(grid, layout), false);
  assert.equal(grids.sameAs(grid, grids.saved(grid)), true);
  assert.equal(grids.load({ split: 7, cells: [] }, () => true).split, 4);
});

test('a remembered grid is taken back, anything odd is not', () => {
  const grid = { ...gridOf(['a', null, 'c'], 9), focus: 5 };
  assert.deepEqual(grids.remembered(JSON.stringify(grid)), grid);
  for (const odd of [null, '', '{', '[]', '{"cells":3}', '{"cells":[1,2],"split":5,"focus":-1}']) {
    const made = grids.remembered(odd);
    assert.deepEqual([made.split, made.focus, made.cells.length, made.cells.some(Boolean)], [4, 0, 16, false]);
  }
});

// ── Tours ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {object} [more] @returns {any} */
const tour = (more = {}) => ({ id: 't', name: '河段', group: null, camera_ids: [], dwell_s: 10, split: 4, from: null, to: null, enabled: true, version: 1, ...more });

test('a window: the start belongs to it, the end does not, and it may run over midnight', () => {
  const day = { from: '08:00', to: '18:30' };
  assert.deepEqual([479, 480, 1109, 1110].map((minute) => tours.inWindow(day, minute)), [false, true, true, false]);
  const night = { from: '21:00', to: '06:00' };
  assert.deepEqual([1259, 1260, 0, 359, 360, 720].map((minute) => tours.inWindow(night, minute)), [false, true, true, true, false, false]);
  assert.ok(tours.inWindow({ from: null, to: null }, 3));
});

test('a tour by group takes whoever is in the group now; a list keeps its order and loses what is gone', () => {
  const all = { a: camera('a', { name: '乙', tour_groups: ['汛期'] }), b: camera('b', { name: '甲', tour_groups: ['汛期'] }), c: camera('c') };
  assert.deepEqual(tours.camerasOf(tour({ group: '汛期' }), all).map((one) => one.id), ['a', 'b']);
  assert.deepEqual(tours.camerasOf(tour({ camera_ids: ['c', 'gone', 'a'] }), all).map((one) => one.id), ['c', 'a']);
});

test('pages pass over offline cameras, end with the list, and begin again', () => {
  const list = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => camera(id, { status: id === 'b' ? 'offline' : 'live' }));
  const first = tours.startRun(tour(), list, 0);
  assert.deepEqual([first.cells, first.skipped, first.page], [['a', 'c', 'd', 'e'], 1, 1]);
  assert.equal(tours.advance(first, tour(), list, 9_999), first);
  const second = tours.advance(first, tour(), list, 10_000);
  assert.deepEqual([second.cells, second.page], [['f', null, null, null], 2]);
  const third = tours.advance(second, tour(), list, 20_000);
  assert.deepEqual([third.cells, third.page], [['a', 'c', 'd', 'e'], 1]);
  assert.equal(tours.pagesOf(list, 4), 2);
});

test('when all are offline all are shown: a tile that says why beats an empty wall', () => {
  const list = ['a', 'b'].map((id) => camera(id, { status: 'offline' }));
  assert.deepEqual(tours.nextPage(list, 0, 1).cells, ['a']);
  assert.deepEqual(tours.nextPage([], 3, 4), { cells: [null, null, null, null], cursor: 0, skipped: 0 });
});

test('a pause holds the page and its remaining time', () => {
  const list = ['a', 'b'].map((id) => camera(id));
  const one = tour({ split: 1 });
  const run = tours.pauseRun(tours.startRun(one, list, 0), 4_000);
  assert.equal(tours.advance(run, one, list, 60_000), run);
  assert.equal(tours.shareOf(run, one, 60_000), 0.4);
  const on = tours.resumeRun(run, 60_000);
  assert.equal(tours.shareOf(on, one, 60_000), 0.4);
  assert.deepEqual(tours.advance(on, one, list, 66_000).cells, ['b']);
  assert.equal(tours.turn(run, one, list, 5_000).pausedAt_ms, 5_000);
});

test('a shrunk list does not leave the tour beyond its end', () => {
  const run = { ...tours.startRun(tour({ split: 1 }), ['a', 'b', 'c'].map((id) => camera(id)), 0), cursor: 2 };
  assert.deepEqual(tours.turn(run, tour({ split: 1 }), [camera('a')], 1).cells, ['a']);
});

test('a draft says what is wrong with it, field by field', () => {
  const good = { ...tours.draftOf(null), name: '河段', group: '汛期' };
  assert.deepEqual(tours.draftFaults(good, []), {});
  assert.deepEqual(Object.keys(tours.draftFaults(tours.draftOf(null), [])).sort(), ['group', 'name']);
  assert.ok(tours.draftFaults(good, [{ id: 'other', name: '河段' }]).name);
  assert.ok(!tours.draftFaults({ ...good, id: 'other' }, [{ id: 'other', name: '河段' }]).name);
  for (const dwell_s of ['', '2', '3601', '1.5', '十', '-5']) assert.ok(tours.draftFaults({ ...good, dwell_s }, []).dwell_s, dwell_s);
  assert.ok(tours.draftFaults({ ...good, kind: 'list' }, []).camera_ids);
  assert.ok(tours.draftFaults({ ...good, windowed: true, from: '08:00', to: '08:00' }, []).window);
  assert.ok(tours.draftFaults({ ...good, windowed: true, from: '8:00', to: '25:00' }, []).window);
});

test('a draft becomes the body, and a tour a draft', () => {
  const kept = tour({ camera_ids: ['a'], from: '21:00', to: '06:00', dwell_s: 15 });
  const { name, group, camera_ids, dwell_s, split, from, to, enabled } = kept;
  assert.deepEqual(tours.bodyOf(tours.draftOf(kept)), { name, group, camera_ids, dwell_s, split, from, to, enabled });
  assert.deepEqual(tours.bodyOf({ ...tours.draftOf(null), name: ' x ', group: 'g', camera_ids: ['a'] }).camera_ids, []);
});

test('groups with how many are in each', () => {
  assert.deepEqual(tours.groupsOf([camera('a', { tour_groups: ['乙', '甲'] }), camera('b', { tour_groups: ['乙'] })]), [{ name: '乙', count: 2 }, { name: '甲', count: 1 }]);
});

// ── Faults, recordings ───────────────────────────────────────────────────────────────────────────────────────────

/** @param {string} id @param {string} fault @param {string} since @param {string} grid @returns {any} */
const faulty = (id, fault, since, grid) => ({ camera: camera(id, { grid }), fault, since, light: 'day', measures: {}, has_reference: true });

test('faults are filtered by kind and area, the oldest first', () => {
  const items = [faulty('a', 'black', '2026-11-22T03:00:00Z', '640299100001001'), faulty('b', 'moved', '2026-11-22T01:00:00Z', '640299200001001')];
  /** @param {string} fault @param {string} area */
  const ids = (fault, area) => filterFaults(items, { fault, area }, (one) => [one.grid ?? '']).map((item) => item.camera.id);
  assert.deepEqual(ids('', ''), ['b', 'a']);
  assert.deepEqual(ids('black', ''), ['a']);
  assert.deepEqual(ids('', '640299200000'), ['b']);
  assert.deepEqual(ids('', '640299000000'), ['b', 'a']);
});

test('measures in words: only what the fault rests on, shares as per cent', () => {
  setLanguage('zh-CN');
  assert.deepEqual(measureRows('black', { mean: 4.2, dark_share: 0.985, noise: 3, sigma: Number.NaN }), [
    { key: 'mean', label: '平均亮度', value: '4 / 255' },
    { key: 'dark_share', label: '暗部面积', value: '99 %' },
  ]);
  assert.deepEqual(measureRows('signal_lost', { mean: 1 }), []);
  assert.deepEqual(measureRows('black', null), []);
});

test('a day of recordings: cut to the day, joined where the device only changed files', () => {
  const day = '2026-11-22';
  assert.equal(new Date(dayStart(day)).toISOString(), '2026-11-21T16:00:00.000Z');
  assert.equal(dayBy('2026-02-28', 1), '2026-03-01');
  const parts = partsOf(
    [
      { start: '2026-11-22T01:00:01Z', end: '2026-11-22T02:00:00Z' },
      { start: '2026-11-21T12:00:00Z', end: '2026-11-21T17:00:00Z' },
      { start: '2026-11-22T00:00:00Z', end: '2026-11-22T01:00:00Z' },
      { start: '2026-11-25T00:00:00Z', end: '2026-11-25T01:00:00Z' },
    ],
    day,
  );
  assert.deepEqual(parts.map((part) => [shareOfDay(part.start_ms, day) * 24, shareOfDay(part.end_ms, day) * 24]), [[0, 1], [8, 10]]);
  assert.equal(recordedS(parts), 3 * 3600);
  assert.equal(dayStart(day) + DAY_MS, dayStart('2026-11-23'));
});

test('a click in a gap plays from the next recording, after the last there is none', () => {
  const parts = [{ start_ms: 100, end_ms: 200 }, { start_ms: 300, end_ms: 400 }];
  assert.deepEqual(playFrom(parts, 150), { start_ms: 150, end_ms: 200 });
  assert.deepEqual(playFrom(parts, 250), { start_ms: 300, end_ms: 400 });
  assert.equal(playFrom(parts, 400), null);
});
