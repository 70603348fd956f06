import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { ApiError } from '../../static/src/api.js';
import { MOST_TILES, TileBudget } from '../../static/src/field/field_base.js';
import { setLanguage } from '../../static/src/i18n.js';
import { basemapRefusal, betterZooms, earlierOf, hostOf, turnOf, whyText } from '../../static/src/admin/basemap/words.js';

/** @type {Map<string, string>} */
const kept = new Map();
globalThis.localStorage = /** @type {any} */ ({
  getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
});
beforeEach(() => {
  kept.clear();
  setLanguage('zh-CN');
});

/** @param {string} marks one zoom each: t tile, - none, x refused */
const looks = (marks) => [...marks].map((mark, n) => ({ z: 8 + n, x: 0, y: 0, outcome: mark === 't' ? 'tile' : mark === '-' ? 'none' : 'status', status: null, bytes: 0, ms: 0 }));

test('zooms are proposed where tiles begin and end, and never where something else is wrong', () => {
  assert.deepEqual(betterZooms(looks('--ttt-')), { min_zoom: 10, max_zoom: 12 });
  assert.deepEqual(betterZooms(looks('t-')), { min_zoom: 8, max_zoom: 8 });
  for (const marks of ['ttt', '---', 'xx-', 't-t', 'txt-', '']) assert.equal(betterZooms(looks(marks)), null, marks);
});

test('what is wrong is said in words, with the host where it helps', () => {
  assert.equal(hostOf(' https://tiles.example:8080/{z}/{x}/{y}?key=1'), 'tiles.example:8080');
  assert.equal(hostOf('tiles.example/{z}'), '');
  assert.match(whyText('status', 403), /密钥/);
  assert.match(whyText('status', 502), /502/);
  assert.match(whyText('not_allowed', null, 'a.example'), /a\.example.*allowed_hosts/);
  assert.equal(whyText('something_new', null), 'something_new');
  const refused = (/** @type {object} */ body) => basemapRefusal(new ApiError(422, /** @type {any} */ (body)));
  assert.match(refused({ error: 'bad_file', detail: 'header: is not a PMTiles archive of version 3' }), /PMTiles/);
  assert.match(refused({ error: 'bad_file', detail: 'tiles: ends 4 bytes behind the end: cut short' }), /不完整/);
  assert.match(refused({ error: 'basemap_not_shown', why: 'no_places' }), /缺少/);
});

/** @param {string} slot @param {string} version @returns {any} */
const map = (slot, version) => ({ slot, version, name: version });
/** @param {number} revision @param {any} before @param {any} after @returns {any} */
const turn = (revision, before, after, isKept = Boolean(before)) => ({ revision, at: '', by_name: '', slot: (before ?? after).slot, before, after, kept: isKept });

test('each map used before is offered once, and none that is in force or no longer kept', () => {
  const [a, b, photos] = [map('custom', 'a'), map('custom', 'b'), map('imagery', 'p')];
  const turns = [turn(6, photos, null), turn(5, a, b), turn(4, b, a), turn(3, a, b), turn(2, null, photos), turn(1, map('custom', 'old'), a, false)];
  assert.deepEqual(earlierOf(turns, [b]).map((one) => [one.revision, one.before?.name]), [[6, 'p'], [5, 'a']]);
  assert.equal(turnOf(turns, b)?.revision, 5, 'since when it is in force this time');
});

test('a phone counts its tiles by day, also across a reload', () => {
  let day = new Date(2026, 10, 25, 9);
  const budget = new TileBudget(() => day);
  for (let n = 1; n < MOST_TILES; n += 1) budget.add();
  assert.equal(budget.spent, false);
  budget.add();
  assert.equal(budget.spent, true);
  assert.equal(new TileBudget(() => day).spent, true);
  day = new Date(2026, 10, 26, 0);
  assert.equal(budget.spent, false);
  kept.set('yiping.field.tiles', '{broken');
  assert.equal(new TileBudget(() => day).spent, false);
});
