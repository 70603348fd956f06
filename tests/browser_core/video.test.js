import assert from 'node:assert/strict';
import { test } from 'node:test';

import { setLanguage } from '../../static/src/i18n.js';
import { FASTER, LagPolicy, retryDelayMs } from '../../static/src/video/lag.js';
import { addressOf } from '../../static/src/video/player.js';
import { PtzDriver, motionOfDrag, motionOfKey } from '../../static/src/video/ptz.js';
import { NO_VIEW, shownState, statusMark } from '../../static/src/video/shown.js';
import { fileName } from '../../static/src/video/snapshot.js';
import { ageWords, faultWords, noViewWords, reasonWords } from '../../static/src/video/words.js';

/** @import {Order} from '../../static/src/video/ptz.js' */

/** @param {Partial<Parameters<typeof shownState>[0]>} facts */
const shown = (facts) => shownState({ age_s: 0.4, server: { state: 'live' }, link: 'open', ...facts });

test('a picture that falls behind is caught up with gently, and left behind past a second and a half', () => {
  const lag = new LagPolicy();
  assert.deepEqual(lag.decide(0.2, 0), { jumpTo_s: null, rate: 1 });
  assert.deepEqual(lag.decide(0.7, 10), { jumpTo_s: null, rate: FASTER });
  assert.equal(lag.decide(0.3, 20).rate, FASTER, 'goes on until it is near');
  assert.equal(lag.decide(lag.aim_s, 30).rate, 1);
  const { jumpTo_s, rate } = lag.decide(1.51, 40);
  assert.equal(rate, 1);
  assert.ok(jumpTo_s !== null && jumpTo_s < 0.2);
});

test('each time the buffer runs dry the aim moves from live, and calm brings it back', () => {
  const lag = new LagPolicy();
  const first = lag.aim_s;
  for (let n = 0; n < 20; n += 1) lag.ranDry(n);
  assert.ok(lag.aim_s > first && lag.aim_s <= 0.8);
  for (let ms = 0; ms < 400_000; ms += 1000) lag.decide(0.1, ms);
  assert.equal(lag.aim_s, first);
});

test('connections are tried again after half a second up to ten, never in step', () => {
  assert.equal(retryDelayMs(0, () => 1), 500);
  assert.equal(retryDelayMs(0, () => 0), 500);
  for (let attempt = 1; attempt < 40; attempt += 1) {
    const [least, most] = [retryDelayMs(attempt, () => 0), retryDelayMs(attempt, () => 1)];
    assert.ok(least >= 500 && most <= 10_000 && least < most, `${attempt}: ${least} ${most}`);
  }
  assert.equal(retryDelayMs(30, () => 1), 10_000);
});

test('only a picture of known, small age is live', () => {
  assert.deepEqual(shown({}), { kind: 'live', mark: 'full', reason: null });
  assert.equal(shown({ age_s: null }).kind, 'connecting');
  assert.equal(shown({ age_s: 5.1 }).kind, 'late');
  assert.equal(shown({ age_s: 31 }).kind, 'lost');
  assert.equal(shown({ server: null }).kind, 'live');
  assert.deepEqual(shown({ server: { state: 'late', reason: 'stalled' } }), { kind: 'late', mark: 'half', reason: 'stalled' });
  assert.deepEqual(shown({ age_s: 8, link: 'waiting' }), { kind: 'late', mark: 'half', reason: 'link' });
  for (let age_s = 0; age_s < 120; age_s += 0.7) assert.ok(age_s <= 5 || shown({ age_s }).kind !== 'live', String(age_s));
});

test('what keeps the picture away is said, the camera itself before the network', () => {
  assert.deepEqual(shown({ server: { state: 'lost', reason: 'unreachable' } }), { kind: 'lost', mark: 'hollow', reason: 'unreachable' });
  assert.equal(shown({ server: { state: 'refused', reason: 'unauthorized' } }).kind, 'refused');
  assert.equal(shown({ server: { state: 'no_capacity' } }).kind, 'no_capacity');
  assert.equal(shown({ unplayable: true }).kind, 'unsupported');
  assert.equal(shown({ stop: 'gone' }).kind, 'gone');
  assert.equal(shown({ status: 'disabled' }).kind, 'disabled');
  assert.equal(shown({ source: null }).kind, 'no_source');
  assert.equal(shown({ still: true, age_s: null }).kind, 'still');
  assert.equal(shown({ still: true, status: 'offline' }).kind, 'lost');
  assert.ok(!NO_VIEW.has('late') && NO_VIEW.has('lost'));
});

test('a camera on the map: live, not as it should be, offline, not known', () => {
  const marks = ['live', 'degraded', 'stale', 'offline', 'unknown', 'disabled', 'of another day'].map(statusMark);
  assert.deepEqual(marks, ['live', 'late', 'late', 'offline', 'unknown', 'unknown', 'unknown']);
});

test('ages and reasons in words', () => {
  setLanguage('zh-CN');
  assert.equal(ageWords(0.44), '0.4 秒');
  assert.equal(ageWords(18.2), '18 秒前');
  assert.equal(faultWords('covered'), '画面遮挡');
  assert.equal(faultWords('other'), 'other');
  assert.equal(reasonWords('unreachable'), '设备连不上');
  assert.equal(reasonWords('odd', { state: 'lost', detail: 'what the device said' }), 'what the device said');
  const words = noViewWords({ kind: 'lost', mark: 'hollow', reason: 'unreachable' }, 16 * 60, null);
  assert.equal(words.title, '无信号');
  assert.match(words.last, /^最后画面 \d\d:\d\d:\d\d，16 分钟?前$/);
  assert.equal(noViewWords({ kind: 'gone', mark: 'dotted', reason: null }, null, null).last, '还没有画面');
});

test('a file is named after the camera and the moment, whatever the camera is called', () => {
  const at = Date.parse('2026-11-22T03:07:42Z');
  assert.equal(fileName('滨河路桥头南', at), '滨河路桥头南 2026-11-22 11-07-42.jpg');
  assert.equal(fileName('../../etc/passwd\u0000<img src=x>', at), 'etc passwd img src=x 2026-11-22 11-07-42.jpg');
  assert.equal(fileName('\u202e///', at), 'camera 2026-11-22 11-07-42.jpg');
});

test('the address tells the purpose; ids cannot leave their place', () => {
  assert.equal(addressOf({ cameraId: 'c1', purpose: 'incident', incidentId: 'i 9' }, true), '/api/v1/cameras/c1/live?h265=1&purpose=incident&incident_id=i+9');
  assert.equal(addressOf({ cameraId: '../x' }, false), '/api/v1/cameras/..%2Fx/live?h265=0&purpose=watch');
  assert.match(addressOf({ cameraId: 'c1', playback: { start: '2026-11-22T03:00:00Z', end: '2026-11-22T04:00:00Z' } }, false), /^\/api\/v1\/cameras\/c1\/playback\?.*start=2026-11-22T03%3A00%3A00Z/);
});

test('keys and the mouse make motions', () => {
  assert.deepEqual(motionOfKey('ArrowLeft'), { pan: -0.5, tilt: 0, zoom: 0 });
  assert.deepEqual(motionOfKey('+'), { pan: 0, tilt: 0, zoom: 0.5 });
  assert.equal(motionOfKey('x'), null);
  assert.equal(motionOfDrag(3, 3), null);
  assert.deepEqual(motionOfDrag(45, 0), { pan: 0.5, tilt: 0, zoom: 0 });
  assert.deepEqual(motionOfDrag(-900, -900), { pan: -1, tilt: 1, zoom: 0 });
});

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const LEFT = { pan: -0.5, tilt: 0, zoom: 0 };
const RIGHT = { pan: 0.5, tilt: 0, zoom: 0 };

test('a held motion goes out at once, one order at a time, and a stop ends it', async () => {
  /** @type {Order[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const driver = new PtzDriver((order) => {
    sent.push(order);
    return new Promise((resolve) => waiting.push(() => resolve(null)));
  }, () => assert.fail('refused'));
  const answer = async () => {
    waiting.shift()?.();
    await wait(0);
  };
  driver.hold(LEFT);
  driver.hold(RIGHT);
  driver.release();
  assert.deepEqual(sent, [{ action: 'move', ...LEFT }], 'the first is still on its way');
  await answer();
  assert.deepEqual(sent[1], { action: 'stop' }, 'what was let go meanwhile is never started');
  await answer();
  driver.release();
  assert.equal(sent.length, 2, 'a camera that stands is not stopped again');
  assert.equal(driver.moving, false);
});

test('a held motion is repeated; a refusal ends it and is told once', async () => {
  let refuse = false;
  /** @type {unknown[]} */
  const told = [];
  let sent = 0;
  const driver = new PtzDriver(async () => {
    sent += 1;
    if (refuse) throw new Error('held by another');
  }, (error) => told.push(error));
  driver.hold(LEFT);
  while (sent < 2) await wait(20);
  refuse = true;
  while (!told.length) await wait(20);
  const count = sent;
  await wait(30);
  assert.equal(driver.moving, false);
  assert.equal(told.length, 1);
  assert.ok(sent <= count + 1, 'at most the stop that follows');
});
