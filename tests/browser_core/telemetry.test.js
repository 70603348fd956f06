import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { GONE, Movers, TelemetryError, decodeTelemetry } from '../../static/src/telemetry.js';

/** @type {{says: string, hex: string, rev: number, as_of_s: number, full: boolean, rows: any[]}[]} */
const golden = JSON.parse(readFileSync(new URL('../golden/telemetry.json', import.meta.url), 'utf8'));

/** @param {string} hex */
const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex')).buffer;

/**
 * @param {number} rev
 * @param {[number, number, number, number?][]} rows unit, lon, lat, status
 * @param {boolean} [full]
 */
function frame(rev, rows, full = false) {
  const buffer = new ArrayBuffer(24 + rows.length * 16);
  const view = new DataView(buffer);
  view.setUint16(0, 0x5459, true);
  view.setUint8(2, 1);
  view.setUint8(3, full ? 1 : 0);
  view.setUint32(4, rows.length, true);
  view.setBigUint64(8, BigInt(rev), true);
  view.setFloat64(16, 1000, true);
  rows.forEach(([unit, lon, lat, status = 1], index) => {
    const at = 24 + index * 16;
    view.setUint32(at, unit, true);
    view.setInt32(at + 4, Math.round(lon * 1e7), true);
    view.setInt32(at + 8, Math.round(lat * 1e7), true);
    view.setUint16(at + 14, status, true);
  });
  return buffer;
}

for (const item of golden) {
  test(`golden telemetry: ${item.says}`, () => {
    const { rev, as_of_s, full, rows } = decodeTelemetry(bytes(item.hex));
    assert.deepEqual({ rev, as_of_s, full, rows }, { rev: item.rev, as_of_s: item.as_of_s, full: item.full, rows: item.rows });
    const movers = new Movers(() => 0);
    movers.apply(bytes(item.hex));
    const shown = item.rows.filter((row) => !(row.flags & GONE));
    assert.equal(movers.count, shown.length);
    for (const row of shown) {
      const at = movers.rowOf(row.unit);
      assert.deepEqual([movers.lon[at], movers.lat[at], movers.flags[at]], [row.lon, row.lat, row.flags]);
      assert.equal(movers.ageS(at, (item.as_of_s + 3) * 1000), row.fix_age_s + 3);
    }
  });
}

test('an older rev is dropped, the same and a newer one are taken', () => {
  const movers = new Movers(() => 0);
  assert.equal(movers.apply(frame(5, [[1, 10, 20]])), true);
  assert.equal(movers.apply(frame(4, [[1, 11, 21]])), false);
  assert.equal(movers.lon[0], 10);
  assert.equal(movers.apply(frame(5, [[1, 12, 22]])), true);
  assert.equal(movers.lon[0], 12);
  movers.reset();
  assert.equal(movers.count, 0);
  assert.equal(movers.apply(frame(1, [[1, 13, 23]])), true, 'a new server counts anew');
});

test('a full frame forgets units it does not name; removal keeps rows dense', () => {
  const movers = new Movers(() => 0);
  movers.apply(frame(1, [[1, 1, 1], [2, 2, 2], [3, 3, 3]]));
  const layout = movers.layout;
  movers.apply(frame(2, [[3, 3.5, 3.5], [4, 4, 4]], true));
  assert.deepEqual([movers.rowOf(1), movers.rowOf(2)], [-1, -1]);
  assert.equal(movers.count, 2);
  assert.deepEqual([movers.unit[0], movers.unit[1]].sort(), [3, 4]);
  assert.equal(movers.lon[movers.rowOf(3)], 3.5);
  assert.ok(movers.layout > layout);
});

test('many units come and go and every row stays with its unit', () => {
  const movers = new Movers(() => 0);
  /** @type {Map<number, number>} */
  const want = new Map();
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let rev = 1; rev <= 400; rev += 1) {
    /** @type {[number, number, number, number?][]} */
    const rows = [];
    for (let n = 0; n < 20; n += 1) {
      const unit = 1 + Math.floor(random() * 600);
      const gone = random() < 0.3;
      const lon = Math.round(random() * 1e6) / 1e6;
      rows.push([unit, lon, 1, gone ? GONE : 1]);
      if (gone) want.delete(unit);
      else want.set(unit, lon);
    }
    movers.apply(frame(rev, rows));
  }
  assert.equal(movers.count, want.size);
  for (const [unit, lon] of want) assert.equal(movers.lon[movers.rowOf(unit)], lon);
});

test('a moved unit glides for one second, a far jump is a cut', () => {
  let now = 0;
  const movers = new Movers(() => now);
  movers.apply(frame(1, [[1, 10, 20]]));
  assert.deepEqual(movers.drawnAt(0), [10, 20]);
  now = 5000;
  movers.apply(frame(2, [[1, 10.001, 20]]));
  now = 5500;
  assert.ok(Math.abs(movers.drawnAt(0)[0] - 10.0005) < 1e-9);
  now = 6500;
  assert.equal(movers.drawnAt(0)[0], 10.001);
  movers.apply(frame(3, [[1, 11, 20]]));
  assert.equal(movers.drawnAt(0)[0], 11);
});

test('pick finds the nearest within reach, ties by unit', () => {
  const movers = new Movers(() => 0);
  movers.apply(frame(1, [[9, 10, 0], [2, 10.002, 0], [5, 10.002, 0]]));
  assert.equal(movers.unit[movers.pick(10.0019, 0, 0.01)], 2);
  assert.equal(movers.pick(11, 0, 0.01), -1);
});

for (const [says, hex] of [
  ['too short', '5954'],
  ['foreign', 'ffff' + '00'.repeat(22)],
  ['another version', '595402' + '00'.repeat(21)],
  ['cut', '59540100' + '01000000' + '00'.repeat(16)],
]) {
  test(`a frame that is ${says} is refused`, () => {
    assert.throws(() => new Movers(() => 0).apply(bytes(hex)), TelemetryError);
  });
}
