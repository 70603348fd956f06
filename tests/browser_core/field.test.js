import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { jobOf, needsAnswer, ownPart, stages } from '../../static/src/field/job.js';
import { nextTurn, progressAlong, secondsLeft } from '../../static/src/field/navigation.js';
import { metresBetween } from '../../static/src/map/sphere.js';

/** @import {Board, Route} from '../../static/types/wire.d.ts' */
/** @import {Entry} from '../../static/src/field/outbox.js' */

/** @returns {Board} */
const board = () =>
  JSON.parse(readFileSync(new URL('../golden/incident_dispatched.json', import.meta.url), 'utf8')).after;

/** @param {string} command @returns {Entry} */
const waiting = (command) => ({
  key: command, order: 1, createdAt: 0, kind: 'command', label: command, method: 'POST', path: '', state: 'waiting',
  about: { assignmentId: '01ASG1', command },
});

test('a dispatched assignment is a job that wants an answer', () => {
  const job = jobOf(board(), '01RSP1', []);
  assert.equal(job?.incident.id, '01INC1');
  assert.ok(job && needsAnswer(job));
  assert.equal(jobOf(board(), 'somebody else', []), null);
});

test('steps taken without network show at once and are marked as waiting', () => {
  const job = jobOf(board(), '01RSP1', [waiting('sign'), waiting('en_route')]);
  assert.ok(job);
  assert.equal(job.state, 'en_route');
  assert.equal(needsAnswer(job), false);
  const rows = stages(job);
  assert.deepEqual(rows.map((row) => [row.done, row.now, row.waiting]), [
    [true, false, true], [false, true, true], [false, false, false], [false, false, false],
  ]);
});

test('a step the server knows better is not turned back by an old entry', () => {
  const late = board();
  late.assignments['01ASG1'] = { ...late.assignments['01ASG1'], state: 'on_scene' };
  assert.equal(jobOf(late, '01RSP1', [waiting('sign')])?.state, 'on_scene');
});

test('a job declined or finished offline is gone from the screen', () => {
  assert.equal(jobOf(board(), '01RSP1', [waiting('decline')]), null);
  assert.equal(jobOf(board(), '01RSP1', [waiting('finish')]), null);
});

test('a refused step does not count', () => {
  assert.equal(jobOf(board(), '01RSP1', [{ ...waiting('sign'), state: 'refused' }])?.state, 'dispatched');
});

test('the phone keeps its own part of the board only', () => {
  const full = board();
  full.incidents.other = { ...full.incidents['01INC1'], id: 'other' };
  full.responders.other = { ...full.responders['01RSP1'], id: 'other' };
  const own = ownPart(full, '01RSP1');
  assert.deepEqual(Object.keys(own.incidents), ['01INC1']);
  assert.deepEqual(Object.keys(own.responders), ['01RSP1']);
  assert.deepEqual(Object.keys(own.cameras), []);
});

/** East 0.01°, then north 0.01°, at the equator. @type {Route} */
const route = {
  coordinates: [[0, 0], [0.01, 0], [0.01, 0.01]],
  distance_m: 2224, duration_s: 200, eta_method: 'road',
  steps: [
    { text: '出发', maneuver: 'depart', road: null, distance_m: 1112, duration_s: 100, lon: 0, lat: 0 },
    { text: '左转', maneuver: 'left', road: '桥头南巷', distance_m: 1112, duration_s: 100, lon: 0.01, lat: 0 },
    { text: '到达', maneuver: 'arrive', road: null, distance_m: 0, duration_s: 0, lon: 0.01, lat: 0.01 },
  ],
};

test('a tenth of a degree of latitude is 11 km', () => {
  assert.ok(Math.abs(metresBetween([0, 0], [0, 0.1]) - 11_119.5) < 1);
  assert.ok(Math.abs(metresBetween([10, 60], [10.1, 60]) - 5_559.7) < 5);
});

test('progress along the line, with the part still ahead', () => {
  const progress = progressAlong(route.coordinates, [0.005, 0.0001]);
  assert.ok(progress);
  assert.ok(Math.abs(progress.along_m - 556) < 1);
  assert.ok(Math.abs(progress.left_m - 1668) < 2);
  assert.ok(Math.abs(progress.off_m - 11.1) < 0.1);
  assert.equal(progress.ahead.length, 3);
  assert.equal(progressAlong([[0, 0]], [0, 0]), null);
});

test('the next turn, and after it the one that follows', () => {
  assert.deepEqual([nextTurn(route, [0.005, 0])?.step.text, Math.round(nextTurn(route, [0.005, 0])?.in_m ?? 0)], ['左转', 556]);
  assert.equal(nextTurn(route, [0.01, 0.002])?.step.text, '到达');
  assert.equal(nextTurn(route, [0.01, 0.01]), null);
});

test('time left is the share of the way left', () => {
  const progress = progressAlong(route.coordinates, [0.01, 0]);
  assert.ok(progress && Math.abs(secondsLeft(route, progress) - 100) < 1);
});
