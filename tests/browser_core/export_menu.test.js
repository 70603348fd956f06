// Where a file to take away is fetched.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../static/src/ui/export-menu.js';

const plain = { what: 'cameras', form: 'xlsx', gcj: false, from: '', to: '' };

test('nothing is said that need not be', () => {
  assert.equal(addressOf(plain, null), '/api/v1/exports/cameras.xlsx');
});

test('datum and area', () => {
  const asked = new URL(addressOf({ ...plain, gcj: true }, '340604 &'), 'http://x').searchParams;
  assert.deepEqual([...asked], [['crs', 'GCJ-02'], ['area', '340604 &']]);
});

test('days are whole ones of the person: the last one counts to its end', () => {
  const address = addressOf({ ...plain, what: 'incidents', from: '2026-11-30', to: '2026-11-30' }, null);
  const asked = new URL(address, 'http://x').searchParams;
  const [from, to] = [new Date(asked.get('from') ?? ''), new Date(asked.get('to') ?? '')];
  assert.equal(from.getTime(), new Date(2026, 10, 30).getTime());
  assert.equal(to.getTime(), new Date(2026, 11, 1).getTime());
});
