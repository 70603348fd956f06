import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox } from '../../static/src/field/outbox.js';

/** @import {Answer, Entry, Store} from '../../static/src/field/outbox.js' */

/** What IndexedDB keeps, surviving a restart of the page. @returns {Store & {waiting: Map<string, Entry>}} */
function memoryStore() {
  /** @type {Map<string, Entry>} */
  const waiting = new Map();
  /** @type {Map<string, string | null>} */
  const answered = new Map();
  return {
    waiting,
    all: async () => [...waiting.values()].sort((a, b) => a.order - b.order),
    async add(entry) {
      if (waiting.has(entry.key) || answered.has(entry.key)) return false;
      waiting.set(entry.key, entry);
      return true;
    },
    update: async (entry) => void waiting.set(entry.key, entry),
    async done(key, id) {
      waiting.delete(key);
      answered.set(key, id);
    },
    answerOf: async (key) => answered.get(key) ?? null,
    drop: async (key) => void waiting.delete(key),
  };
}

/** A server that remembers keys, behind a network that may fail before or after it acted. */
class Server {
  /** @type {string[]} */
  effects = [];
  /** @type {Map<string, Answer>} */
  #answers = new Map();
  /** @type {() => 'up' | 'down' | 'answer lost'} */
  network = () => 'up';
  /** @type {Record<string, Answer>} */
  refusals = {};

  /** @param {Entry} entry @param {string | null} needed @returns {Promise<Answer>} */
  send = async (entry, needed) => {
    const network = this.network();
    if (network === 'down') return { status: 0, id: null, detail: '' };
    const path = entry.path.replace('{needs}', needed ?? '');
    let answer = this.#answers.get(entry.key);
    if (!answer) {
      answer = this.refusals[path] ?? { status: 200, id: `id-of-${entry.label}`, detail: '' };
      this.#answers.set(entry.key, answer);
      if (answer.status === 200) this.effects.push(path);
    }
    return network === 'up' ? answer : { status: 0, id: null, detail: '' };
  };
}

/** @param {string} label */
const entry = (label, more = {}) => ({ kind: /** @type {const} */ ('command'), label, method: 'POST', path: `/${label}`, ...more });

/** Let everything that was started come to rest. */
const settle = async () => {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
};

function setup() {
  const world = { now: 1_000_000, store: memoryStore(), server: new Server() };
  const start = () => new Outbox({ store: world.store, send: world.server.send, now: () => world.now });
  return { world, start, box: start() };
}

test('what is put is sent in order and then forgotten', async () => {
  const { world, box } = setup();
  for (const label of ['a', 'b', 'c']) await box.put(entry(label));
  await box.flush();
  await settle();
  assert.deepEqual(world.server.effects, ['/a', '/b', '/c']);
  assert.deepEqual(box.entries, []);
});

test('without network everything waits, survives a restart, and goes out once in order', async () => {
  const { world, box, start } = setup();
  world.server.network = () => 'down';
  for (const label of ['a', 'b', 'c']) await box.put(entry(label));
  await settle();
  assert.equal(box.waiting.length, 3);
  assert.ok(box.stuckSince !== null);
  world.server.network = () => 'up';
  const again = start();
  await again.open();
  await again.flush();
  assert.deepEqual(world.server.effects, ['/a', '/b', '/c']);
  assert.equal(again.stuckSince, null);
});

test('a lost answer is asked for again under the same key: one effect', async () => {
  const { world, box } = setup();
  world.server.network = () => 'answer lost';
  await box.put(entry('a'));
  await settle();
  assert.deepEqual(world.server.effects, ['/a']);
  assert.equal(box.waiting.length, 1);
  world.server.network = () => 'up';
  await box.flush();
  assert.deepEqual(world.server.effects, ['/a']);
  assert.equal(box.entries.length, 0);
});

test('a derived key is used once, also after it was answered', async () => {
  const { world, box } = setup();
  await box.put(entry('a', { key: 'deliver-1' }));
  await settle();
  await box.put(entry('a', { key: 'deliver-1' }));
  await box.flush();
  assert.deepEqual(world.server.effects, ['/a']);
});

test('a refusal is shown and does not hold up the rest; dismissing forgets it', async () => {
  const { world, box } = setup();
  world.server.refusals['/a'] = { status: 409, id: null, detail: 'given to another' };
  await box.put(entry('a'));
  await box.put(entry('b'));
  await box.flush();
  await settle();
  assert.deepEqual(world.server.effects, ['/b']);
  assert.deepEqual(box.entries.map((item) => [item.state, item.refusal]), [['refused', 'given to another']]);
  await box.dismiss(box.entries[0].key);
  assert.equal(world.store.waiting.size, 0);
});

for (const status of [0, 401, 408, 429, 500, 503]) {
  test(`status ${status} decides nothing: the entry waits`, async () => {
    const { world, box } = setup();
    world.server.refusals['/a'] = { status, id: null, detail: '' };
    await box.put(entry('a'));
    await settle();
    assert.equal(box.waiting.length, 1);
  });
}

test('photos follow the report they belong to, with the id it was given', async () => {
  const { world, box } = setup();
  world.server.network = () => 'down';
  const key = await box.put(entry('report'));
  await box.put(entry('photo', { path: '/incidents/{needs}/photos', needs: key }));
  world.server.network = () => 'up';
  await box.flush();
  await settle();
  await box.flush();
  assert.deepEqual(world.server.effects, ['/report', '/incidents/id-of-report/photos']);
});

test('photos of a refused report are refused with it', async () => {
  const { world, box } = setup();
  world.server.refusals['/report'] = { status: 422, id: null, detail: 'no place' };
  const key = await box.put(entry('report'));
  await box.put(entry('photo', { path: '/incidents/{needs}/photos', needs: key }));
  await box.flush();
  await settle();
  assert.deepEqual(world.server.effects, []);
  assert.deepEqual(box.entries.map((item) => item.refusal), ['no place', 'no place']);
});

test('tries grow apart, up to half a minute, and a wait the server asks for is kept', async () => {
  const { world, box } = setup();
  let tries = 0;
  world.server.network = () => {
    tries += 1;
    return 'down';
  };
  await box.put(entry('a'));
  await settle();
  for (let second = 0; second < 120; second += 1) {
    world.now += 1000;
    await box.tick();
  }
  assert.ok(tries >= 6 && tries <= 9, `${tries} tries in two minutes`);
});

test('positions made offline are one entry, thinned when it grows long', async () => {
  const { world, box } = setup();
  world.server.network = () => 'down';
  for (let n = 0; n < 1000; n += 1) await box.putPosition({ n });
  await settle();
  assert.equal(box.waiting.length, 1);
  const kept = /** @type {{n: number}[]} */ (box.waiting[0].body);
  assert.ok(kept.length <= 600);
  assert.equal(kept.at(-1)?.n, 999);
});
