import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  GOOD, bodyOf, crsOf, epsgOf, inForce, isTaken, lacksPlace, mapped, partsOf, pick, pickOnly, readRows, repicked, rowsOf, rowsText, stretchesOf, systemRows, takenCount, tiersLost, unmapped, untiered,
} from '../../static/src/admin/geography/choices.js';
import { boxOf, codeCounts, csvRows, readIssues, severityCounts, shownIssues, windowOf, withWorst, worstByRow } from '../../static/src/admin/geography/issues.js';
import { sizeText } from '../../static/src/admin/files.js';
import { KINDS, endingOf, fileFault, kindsFor, mayImport, nowOf } from '../../static/src/admin/geography/kinds.js';
import { countsText, encodingText, fieldText, importRefusal, issueText, kindText, systemText, whyNotText } from '../../static/src/admin/geography/words.js';
import { crc32, shapefileParts, zipOf } from '../../static/src/admin/geography/zip.js';
import { ApiError } from '../../static/src/api.js';
import { allTexts, setLanguage } from '../../static/src/i18n.js';
import { otherPages } from '../../static/src/ui/pages.js';

/** @import {Choices, Draft, ImportJob, Issue, Severity} from '../../static/types/imports.d.ts' */

setLanguage('zh-CN');

/** @param {Partial<Draft>} patch @returns {Draft} */
const draft = (patch = {}) => ({
  kind: 'areas', format: 'shapefile', layers: [{ name: 'a', rows: 6, geometry: 'Polygon' }], layer: 'a',
  columns: [{ name: '编码', sample: ['1'], field: 'code', private: false, kept: false }, { name: '名', sample: ['东'], field: 'name', private: false, kept: false }, { name: '备注', sample: [], field: '', private: false, kept: false }],
  fields: ['code', 'name', 'tier', 'lon', 'lat'], encoding: { used: 'gb18030', guessed: true, candidates: [] },
  crs: { used: 'GCJ-02', declared: 'EPSG:4326', guesses: [{ crs: 'EPSG:4326+swapped', score: 0.2, why: { zh: '', en: '' } }, { crs: 'GCJ-02', score: 0.7, why: { zh: '近', en: 'near' } }, { crs: 'EPSG:4326', score: 0.1, why: { zh: '', en: '' } }], ambiguous: false },
  rows: 6, taken: 3, row_offset: 0, counts: { error: 1, warning: 2, note: 1 }, rows_by_worst: { good: 3, warning: 2, error: 1 }, bounds: null,
  tiers: { 网格: 4 }, tier_labels: { 网格: 4 }, needs: [], result: 'result.gpkg', repaired: 0, notes: [], ...patch,
});
/** @type {Choices} */
const choices = { kind: 'areas', layer: null, encoding: null, crs: null, mapping: null, tier_labels: {}, default_tier: null, repair: [], snap_m: 1, rows: 'good', keep_columns: false, keep_private: [], mode: 'replace' };
/** @param {Partial<ImportJob>} patch @returns {ImportJob} */
const job = (patch = {}) => ({
  id: 'i_1', kind: 'areas', filename: 'a.zip', size: 1, state: 'ready', by_name: '', started_at: '', finished_at: null, choices, draft: draft(), progress: null, error: null, revision: null, counts: {}, ...patch,
});
/** @type {Map<number, Severity>} rows 2 and 3 warned of, 4 wrong, 5 noted */
const worst = new Map([[2, 'warning'], [3, 'warning'], [4, 'error'], [5, 'note']]);

// ── Choices ──────────────────────────────────────────────────────────────────────────────────────────────────────

test('what was decided here goes before what was decided, and that before the guess', () => {
  const guessed = inForce(job(), {});
  assert.deepEqual([guessed.crs, guessed.encoding, guessed.layer, guessed.mode], ['GCJ-02', 'gb18030', 'a', 'replace']);
  assert.deepEqual(guessed.mapping, { 编码: 'code', 名: 'name', 备注: '' });
  const before = job({ choices: { ...choices, crs: 'BD-09', mapping: { 备注: 'tier' } } });
  assert.equal(inForce(before, {}).crs, 'BD-09');
  assert.equal(inForce(before, { crs: 'EPSG:4490' }).crs, 'EPSG:4490');
  assert.equal(inForce(before, {}).mapping.备注, 'tier');
  assert.equal(inForce(job({ draft: null }), {}).crs, '');
});

test('the choices go out without the kind, and which rows is said when applying', () => {
  const body = bodyOf({ ...choices, rows: [1, 2] }, { repair: ['make_valid'] });
  assert.ok(!('kind' in body) && !('rows' in body));
  assert.deepEqual(body.repair, ['make_valid']);
});

test('a field moves from one column to another', () => {
  const mapping = { 编码: 'code', 名: 'name', 备注: '' };
  assert.deepEqual(mapped(mapping, null, '备注', 'name'), { 备注: 'name', 名: '' });
  assert.deepEqual(mapped(mapping, { 编码: 'code' }, '名', ''), { 编码: 'code', 名: '' });
  assert.deepEqual(unmapped(draft(), mapping), ['tier']);
  assert.deepEqual(unmapped(draft({ format: 'csv' }), mapping), ['tier', 'lon', 'lat']);
  assert.deepEqual(unmapped(draft({ format: 'csv' }), { ...mapping, 备注: 'lon' }), ['tier']);
  const places = draft({ kind: 'places', format: 'csv', needs: ['columns'] });
  assert.ok(lacksPlace(places, mapping) && lacksPlace(places, { ...mapping, 备注: 'lon' }) && !lacksPlace(places, { ...mapping, 备注: 'lonlat' }));
  assert.ok(!lacksPlace(draft({ kind: 'responders', format: 'csv', needs: ['columns'] }), mapping));
});

test('one row for each reference system, the likelier way round', () => {
  const rows = systemRows(draft().crs, 'EPSG:4526');
  assert.deepEqual(rows.map(({ base, swapped, score }) => [base, swapped, score]), [
    ['GCJ-02', false, 0.7], ['EPSG:4326', true, 0.2], ['EPSG:4490', false, null], ['BD-09', false, null], ['EPSG:4526', false, null],
  ]);
  assert.deepEqual(partsOf(crsOf('BD-09', true)), { base: 'BD-09', swapped: true });
  assert.deepEqual([epsgOf('4526'), epsgOf(' epsg：4526 '), epsgOf('45'), epsgOf('BD-09')], ['EPSG:4526', 'EPSG:4526', '', '']);
});

// ── Which rows ───────────────────────────────────────────────────────────────────────────────────────────────────

test('rows are picked one by one from what is usual', () => {
  const warned = /** @type {import('../../static/src/admin/geography/choices.js').Picked} */ ({ mode: 'warned', rows: new Map() });
  assert.deepEqual([takenCount(GOOD, draft(), worst), takenCount(warned, draft(), worst)], [3, 5]);
  const one = pick(GOOD, [2], true, worst);
  assert.deepEqual([one.mode, takenCount(one, draft(), worst), rowsOf(one, draft(), worst)], ['chosen', 4, [[1, 2], [5, 6]]]);
  const less = pick(pick(one, [1], false, worst), [4], true, worst);
  assert.deepEqual([takenCount(less, draft(), worst), rowsOf(less, draft(), worst)], [3, [2, [5, 6]]]);
  const most = pick(warned, [3], false, worst);
  assert.deepEqual(rowsOf(most, draft(), worst), [[1, 2], [5, 6]]);
  assert.equal(pick(one, [2], false, worst), GOOD);
  assert.ok(!isTaken(warned, 4, 'error') && isTaken(warned, 2, 'warning') && !isTaken(GOOD, 2, 'warning') && isTaken(GOOD, 5, 'note'));
  assert.equal(rowsOf(warned, draft(), worst), 'warned');
});

test('rows are written out and read again, with the numbers they are shown with', () => {
  const one = pick(GOOD, [2], true, worst);
  assert.equal(rowsText(stretchesOf(one, draft(), worst), 1), '2-3, 6-7');
  assert.deepEqual(readRows(' 6 至 7，2—3、2', 1, 6), [[5, 6], [1, 2], [1, 1]]);
  for (const wrong of ['', '0', '1', '8', '3-2', '1-', 'a', '2,,3', '-3', '2-8']) assert.equal(readRows(wrong, 1, 6), null, wrong);
  assert.deepEqual(pickOnly([[5, 6], [1, 2]], draft(), worst), one);
  assert.deepEqual(rowsOf(pickOnly([[3, 5]], draft(), worst), draft(), worst), [3, 5]);
  assert.deepEqual(pickOnly([[1, 1], [4, 6]], draft(), worst), GOOD);
});

test('half a million rows are as few stretches as they have gaps', () => {
  const large = { ...draft(), rows: 500_000, rows_by_worst: { good: 499_999, warning: 1, error: 0 } };
  const few = new Map(/** @type {[number, 'warning'][]} */ ([[400_000, 'warning']]));
  const picked = pick(GOOD, [400_000], true, few);
  assert.deepEqual(rowsOf(picked, large, few), [[1, 500_000]]);
  assert.deepEqual(rowsOf(pick(picked, [7], false, few), large, few), [[1, 6], [8, 500_000]]);
});

test('a row that was ticked in spite of a warning is a usual one once it is mended', () => {
  const mended = new Map(worst).set(2, 'note');
  assert.equal(repicked(pick(GOOD, [2], true, worst), mended), GOOD);
  const kept = repicked(pick(GOOD, [2, 3], true, worst), mended);
  assert.deepEqual([...kept.rows], [[3, true]]);
  assert.equal(repicked({ mode: 'warned', rows: new Map() }, mended).mode, 'warned');
});

test('tiers that would vanish are named', () => {
  assert.deepEqual(tiersLost({ 1: 1, 2: 0, 3: 13, 4: 45 }, draft()), [{ tier: 1, n: 1 }, { tier: 3, n: 13 }]);
  assert.equal(untiered(draft()), 2);
});

// ── Issues ───────────────────────────────────────────────────────────────────────────────────────────────────────

const CSV = '\ufeffrow,code,name,severity,issue,detail_zh,detail_en,lon,lat\r\n2,01,"东,格",warning,overlap,"与第 ""3"" 行\n重叠",x,106.9,37.2\r\n4,02,,error,no_geometry,没有,none,,\r\n4,02,,note,hole,洞,h,,\r\n0,,,error,truncated_file,断,cut,,\r\n';

test('the list is read with its quotes, line breaks and empty places', () => {
  const issues = readIssues(CSV);
  assert.equal(issues.length, 4);
  assert.deepEqual([issues[0].name, issues[0].detail_zh, issues[0].lon, issues[1].lon], ['东,格', '与第 "3" 行\n重叠', 106.9, null]);
  assert.deepEqual([...worstByRow(issues)], [[2, 'warning'], [4, 'error']]);
  assert.deepEqual(severityCounts(issues), { error: 2, warning: 1, note: 1 });
  assert.deepEqual(codeCounts(issues, 'error').map(({ code }) => code), ['no_geometry', 'truncated_file']);
  assert.equal(shownIssues(issues, { severity: '', code: '' }), issues);
  assert.deepEqual(shownIssues(issues, { severity: 'error', code: '', row: 4 }).map(({ issue }) => issue), ['no_geometry']);
  assert.deepEqual(readIssues('no such table\n1\n'), []);
  assert.deepEqual([...csvRows('a,\r\n"b')], [['a', ''], ['b']]);
});

test('the map says of a row what the list says', () => {
  /** @type {any[]} */
  const features = [{ properties: { row: 4, worst: 'good' } }, { properties: { row: 9, worst: 'error' } }, { properties: { kind: 'gap' } }];
  assert.deepEqual(withWorst(features, worstByRow(readIssues(CSV))).map(({ properties }) => properties.worst), ['error', 'good', undefined]);
});

test('boxes around shapes, and the part of a list that is in view', () => {
  assert.deepEqual(boxOf({ type: 'Polygon', coordinates: [[[1, 2], [3, 5], [0, 4]]] }), [0, 2, 3, 5]);
  assert.deepEqual(boxOf({ type: 'GeometryCollection', coordinates: null, geometries: [{ type: 'Point', coordinates: [7, 8] }] }), [7, 8, 7, 8]);
  assert.equal(boxOf(null), null);
  assert.deepEqual(windowOf(1000, 3400, 340, 34), { first: 92, last: 118 });
  assert.deepEqual(windowOf(3, 0, 340, 34), { first: 0, last: 3 });
  assert.deepEqual(windowOf(0, 0, 340, 34), { first: 0, last: 0 });
});

// ── Kinds and files ──────────────────────────────────────────────────────────────────────────────────────────────

test('an account sees the kinds it may bring in, and the page when there is one', () => {
  assert.deepEqual(kindsFor(['camera.manage']).map(({ id }) => id), ['cameras']);
  assert.deepEqual(kindsFor(['responders.manage', 'camera.manage']).map(({ id }) => id), ['cameras', 'responders']);
  assert.equal(kindsFor(['areas.manage']).length, KINDS.length - 2);
  assert.ok(!mayImport(['view.map']));
  assert.ok(otherPages(['responders.manage'], '/').some(({ path }) => path === '/admin'));
  assert.ok(!otherPages(['view.map'], '/x').some(({ path }) => path === '/admin'));
});

test('what cannot be read is not sent', () => {
  assert.equal(fileFault({ name: '网格.ZIP', size: 9 }, 'areas'), '');
  assert.equal(fileFault({ name: 'no ending', size: 9 }, 'areas'), '');
  assert.equal(fileFault({ name: 'a.zip', size: 0 }, 'areas'), 'imports.bad.empty');
  assert.equal(fileFault({ name: 'a.shp', size: 9 }, 'areas'), 'imports.bad.shp_part');
  assert.equal(fileFault({ name: 'a.xls', size: 9 }, 'cameras'), 'imports.bad.xls');
  assert.equal(fileFault({ name: 'a.dwg', size: 9 }, 'areas'), 'imports.bad.kind');
  assert.equal(fileFault({ name: 'a.osm.pbf', size: 9 }, 'areas'), 'imports.bad.is_pbf');
  assert.equal(fileFault({ name: 'a.zip', size: 9 }, 'roads'), 'imports.bad.not_pbf');
  assert.equal(fileFault({ name: 'a.osm.pbf', size: 9 }, 'roads'), '');
  assert.deepEqual([endingOf('a.B.Zip'), endingOf('a')], ['zip', '']);
  assert.deepEqual([sizeText(9), sizeText(2048), sizeText(3 << 20), sizeText(200 << 20)], ['9 B', '2 KB', '3.0 MB', '200 MB']);
  assert.equal(nowOf([{ kind: 'areas', now: 4 }], 'beats'), null);
});

test('loose parts of a shapefile become one archive', async () => {
  const files = ['网格.shp', '网格.DBF', '网格.shp.xml', '网格.txt', '别的.shx'].map((name) => ({ name }));
  assert.deepEqual(shapefileParts(files).map(({ name }) => name), ['网格.shp', '网格.DBF', '网格.shp.xml']);
  assert.deepEqual(shapefileParts([{ name: 'a.dbf' }]), []);
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  const bytes = new Uint8Array(await zipOf([{ name: 'a.shp', bytes: new Uint8Array([1, 2, 3]) }, { name: '网.dbf', bytes: new Uint8Array(0) }]).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  assert.deepEqual([view.getUint32(0, true), view.getUint32(end, true), view.getUint16(end + 10, true)], [0x04034b50, 0x06054b50, 2]);
  const directory = view.getUint32(end + 16, true);
  assert.equal(view.getUint32(directory, true), 0x02014b50);
  assert.deepEqual([view.getUint32(directory + 16, true), view.getUint32(directory + 24, true)], [crc32(new Uint8Array([1, 2, 3])), 3]);
  const second = directory + 46 + 5;
  assert.equal(view.getUint32(view.getUint32(second + 42, true), true), 0x04034b50);
});

// ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('every kind, issue, stage and field has words', () => {
  const words = allTexts()['zh-CN'];
  for (const { id } of KINDS) for (const key of [`imports.kind.${id}`, `imports.kind.${id}.short`, `imports.kind.${id}.help`, `imports.n_of.${id}`]) assert.ok(key in words, key);
  const codes = 'no_geometry not_finite out_of_range wrong_type self_intersection too_many_vertices duplicate_code duplicate_geometry missing_field bad_value mojibake orphan code_parent_mismatch overlap gap hole outside_parent unknown_area truncated_file bad_name';
  for (const code of codes.split(' ')) assert.notEqual(issueText(code), code);
  const fields = 'code name tier parent label chief workers beat households kind posts valid_from valid_to lon lat lonlat wkt station grids category department division sla priority gb_id network site_type azimuth fov height_m tilt range_m ptz grid area tour_groups protocol host port path username password transport device_id channel_id phone skills employment profile level ring address staffed cameras';
  for (const field of fields.split(' ')) assert.notEqual(fieldText(field), field);
  for (const need of ['crs', 'encoding', 'columns', 'tiers']) assert.ok(`imports.choice.${need}` in words);
});

test('encodings, systems, counts and refusals in words', () => {
  assert.equal(encodingText('latin-1>gb18030'), '还原乱码：GB 18030（含 GBK） 曾被当成 Latin-1');
  assert.equal(encodingText('koi8-r'), 'KOI8-R');
  assert.equal(systemText('GCJ-02'), 'GCJ-02（高德、腾讯）');
  assert.equal(systemText('EPSG:4526'), 'EPSG:4526');
  assert.equal(kindText('unheard'), 'unheard');
  assert.equal(countsText({ rows: 61, taken: 58, left_out: 3 }), '写入 58，未导入 3');
  assert.equal(countsText({ taken: 38, new: 0, changed: 1200 }), '更新 1,200');
  assert.equal(whyNotText('revision 5 changed areas.gpkg since'), '第 5 次变更后来又改了同一内容，请先撤销它');
  assert.equal(whyNotText('what it replaced is no longer kept'), '被替换的内容已不再保留');
  assert.equal(whyNotText(null), '');
  assert.match(importRefusal(new ApiError(409, { error: 'undecided', detail: 'x' })), /没有确认/);
  assert.equal(importRefusal(new ApiError(403, { error: 'forbidden' })), '没有权限');
});
