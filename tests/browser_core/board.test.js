import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import * as boards from '../../static/src/board.js';

/** @import {Assignment, Board, Incident} from '../../static/types/wire.d.ts' */

const GOLDEN = new URL('../golden/', import.meta.url);
const cases = readdirSync(GOLDEN).filter((name) => name.endsWith('.json') && name !== 'telemetry.json');

test('there are golden cases', () => assert.ok(cases.length >= 5));

for (const name of cases) {
  const golden = JSON.parse(readFileSync(new URL(name, GOLDEN), 'utf8'));
  test(`golden ${name}: ${golden.says}`, () => {
    const untouched = structuredClone(golden.before);
    const after = boards.applyEvent(golden.before, golden.frame);
    assert.deepEqual(after, golden.after);
    assert.deepEqual(golden.before, untouched, 'the reducer is pure');
    assert.deepEqual(boards.applyEvent(after, golden.frame), golden.after, 'an event is idempotent');
  });
}

test('kinds an event does not name are shared, so panels can compare by identity', () => {
  const before = boards.emptyBoard();
  const after = boards.applyEvent(before, { data: { changes: { cameras: { c1: { id: 'c1' } } } } });
  assert.equal(after.incidents, before.incidents);
  assert.notEqual(after.cameras, before.cameras);
});

for (const [says, frame] of /** @type {[string, any][]} */ ([
  ['no data', {}],
  ['no changes', { data: {} }],
  ['a kind that is no map', { data: { changes: { incidents: [] } } }],
  ['an entity that is a number', { data: { changes: { incidents: { a: 1 } } } }],
])) {
  test(`an event with ${says} is refused`, () => {
    assert.throws(() => boards.applyEvent(boards.emptyBoard(), frame), boards.BoardError);
  });
}

test('a snapshot without some kinds leaves them empty; a malformed one is refused', () => {
  const board = boards.applySnapshot({ incidents: {} });
  assert.deepEqual(board, boards.emptyBoard());
  assert.throws(() => boards.applySnapshot(null), boards.BoardError);
  assert.throws(() => boards.applySnapshot({ incidents: 3 }), boards.BoardError);
});

/** @returns {Board} */
function goldenBoard() {
  return JSON.parse(readFileSync(new URL('incident_dispatched.json', GOLDEN), 'utf8')).after;
}

test('selectors read assignments and responders', () => {
  const board = goldenBoard();
  const responder = boards.responderByUnit(board, 17);
  assert.equal(responder?.id, '01RSP1');
  assert.equal(boards.responderByUnit(board, 99), undefined);
  assert.deepEqual(
    boards.activeAssignments(board, '01INC1').map((item) => item.id),
    ['01ASG1'],
  );
  assert.equal(responder && boards.assignmentOf(board, responder)?.id, '01ASG1');
  const declined = { .../** @type {Assignment} */ (board.assignments['01ASG1']), state: 'declined' };
  const after = boards.applyEvent(board, { data: { changes: { assignments: { '01ASG1': declined } } } });
  assert.deepEqual(boards.activeAssignments(after, '01INC1'), []);
  assert.equal(boards.assignmentsOf(after, '01INC1').length, 1);
});

test('open incidents come by level, then unattended first, then deadline', () => {
  const base = goldenBoard().incidents['01INC1'];
  /** @param {Partial<Incident>} change */
  const make = (change) => ({ ...base, ...change });
  const due = (/** @type {string} */ accept) => ({ ...base.due, accept });
  const incidents = {
    a: make({ id: 'a', code: 'a', level: 'III', state: 'handling' }),
    b: make({ id: 'b', code: 'b', level: 'III', state: 'reported', due: due('2026-11-22T03:20:00.000Z') }),
    c: make({ id: 'c', code: 'c', level: 'III', state: 'reported', due: due('2026-11-22T03:10:00.000Z') }),
    d: make({ id: 'd', code: 'd', level: 'I', state: 'handling' }),
    e: make({ id: 'e', code: 'e', level: 'I', state: 'closed' }),
  };
  const order = boards.openIncidents({ ...boards.emptyBoard(), incidents }).map((item) => item.id);
  assert.deepEqual(order, ['d', 'c', 'b', 'a']);
});

test('the running clock counts against its limit', () => {
  const incident = goldenBoard().incidents['01INC1'];
  const clock = boards.runningClock(incident, Date.parse('2026-11-22T03:08:40.000Z'));
  assert.deepEqual([clock?.stage, clock?.left_s, clock?.used, clock?.over], ['sign', 60, 0.5, false]);
  const late = boards.runningClock(incident, Date.parse('2026-11-22T03:10:40.000Z'));
  assert.deepEqual([late?.left_s, late?.used, late?.over], [-60, 1.5, true]);
  assert.equal(boards.runningClock({ ...incident, state: 'suspended' }, 0), null);
});
