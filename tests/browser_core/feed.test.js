import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectFeed } from '../../static/src/feed.js';
import { FeedClient } from '../../static/src/feed_core.js';

/** @import {FeedAction} from '../../static/src/feed_core.js' */

const at = (/** @type {number} */ ms) => new Date(1_800_000_000_000 + ms).toISOString();

/**
 * A server with a numbered log, told apart by its epoch: enough to talk to a FeedClient without a socket.
 */
class FakeServer {
  /** @type {{seq: number, id: string, value: any}[]} */
  log = [];
  /** @type {Record<string, any>} */
  incidents = {};
  seq = 0;

  /** @param {string} epoch */
  constructor(epoch) {
    this.epoch = epoch;
  }

  /** @param {string} id @param {any} value */
  write(id, value) {
    this.seq += 1;
    if (value === null) delete this.incidents[id];
    else this.incidents[id] = value;
    const entry = { seq: this.seq, id, value };
    this.log.push(entry);
    return entry;
  }

  /** @param {string} text the hello @param {number} now */
  answer(text, now) {
    const hello = JSON.parse(text);
    const server_time = at(now);
    if (hello.epoch === this.epoch && hello.last_seq <= this.seq) {
      const backlog = this.log.filter((entry) => entry.seq > hello.last_seq).map((entry) => this.event(entry));
      return [{ frame: 'resume', epoch: this.epoch, seq: hello.last_seq, server_time }, ...backlog];
    }
    return [{ frame: 'snapshot', epoch: this.epoch, seq: this.seq, server_time, board: { incidents: { ...this.incidents } } }];
  }

  /** @param {{seq: number, id: string, value: any}} entry */
  event({ seq, id, value }) {
    return {
      frame: 'event', epoch: this.epoch, seq, prev: seq - 1, at: at(0), type: 'incident.updated',
      data: { changes: { incidents: { [id]: value } } },
    };
  }

  /** @param {number} now */
  heartbeat(now) {
    return { frame: 'heartbeat', epoch: this.epoch, seq: this.seq, server_time: at(now) };
  }
}

/** @param {Partial<ConstructorParameters<typeof FeedClient>[0]>} [options] */
const makeClient = (options = {}) =>
  new FeedClient({ page: 'console', topics: ['incidents'], random: () => 1, ...options });

/** @param {FeedAction[]} actions */
const kinds = (actions) => actions.filter((action) => action.do !== 'changed').map((action) => action.do);

/** @param {FeedClient} client @param {any} frame @param {number} now */
const say = (client, frame, now) => client.socketText(JSON.stringify(frame), now);

/** @param {FeedClient} client @param {FakeServer} server @param {number} now */
function open(client, server, now) {
  const [hello] = client.socketOpened(now);
  assert.equal(hello.do, 'send');
  const text = hello.do === 'send' ? hello.text : '';
  for (const frame of server.answer(text, now)) say(client, frame, now);
  return JSON.parse(text);
}

function liveClient(now = 0) {
  const server = new FakeServer('e1');
  server.write('a', { n: 1 });
  const client = makeClient();
  assert.deepEqual(kinds(client.start(now)), ['connect']);
  assert.equal(client.state, 'connecting');
  open(client, server, now);
  assert.equal(client.state, 'live');
  return { client, server };
}

test('the first hello has no cursor and leads to a snapshot', () => {
  const { client } = liveClient();
  assert.deepEqual(client.board.incidents, { a: { n: 1 } });
  assert.equal(client.seq, 1);
});

test('events apply in order and are told with the boards around them', () => {
  const { client, server } = liveClient();
  const actions = say(client, server.event(server.write('b', { n: 2 })), 10);
  const told = actions.find((action) => action.do === 'event');
  assert.ok(told && told.do === 'event');
  assert.deepEqual(told.before.incidents, { a: { n: 1 } });
  assert.deepEqual(told.after.incidents, { a: { n: 1 }, b: { n: 2 } });
  assert.equal(client.seq, 2);
});

test('a repeated event is dropped', () => {
  const { client, server } = liveClient();
  const entry = server.write('b', { n: 2 });
  say(client, server.event(entry), 1);
  assert.deepEqual(say(client, server.event(entry), 2), []);
  assert.equal(client.seq, 2);
});

test('a gap resyncs at once without a cursor', () => {
  const { client, server } = liveClient();
  server.write('lost', { n: 2 });
  const actions = say(client, server.event(server.write('b', { n: 3 })), 100);
  assert.deepEqual(kinds(actions), ['disconnect', 'connect']);
  const hello = open(client, server, 120);
  assert.equal('last_seq' in hello, false);
  assert.deepEqual(client.board.incidents, { a: { n: 1 }, lost: { n: 2 }, b: { n: 3 } });
});

test('prev honours filtering: a gap in seq alone is none', () => {
  const { client, server } = liveClient();
  server.write('hidden from me', {});
  const frame = { ...server.event(server.write('b', { n: 3 })), prev: 1 };
  assert.deepEqual(kinds(say(client, frame, 1)), ['event']);
});

test('a heartbeat reveals a lost last event', () => {
  const { client, server } = liveClient();
  assert.deepEqual(kinds(say(client, server.heartbeat(5), 5)), []);
  server.write('lost', {});
  assert.deepEqual(kinds(say(client, server.heartbeat(10), 10)), ['disconnect', 'connect']);
});

test('repeated resyncs slow down', () => {
  const { client, server } = liveClient();
  server.write('x', {});
  say(client, server.heartbeat(10), 10);
  open(client, server, 20);
  server.write('y', {});
  assert.deepEqual(kinds(say(client, server.heartbeat(30), 30)), ['disconnect']);
  assert.deepEqual(kinds(client.tick(31)), []);
  assert.deepEqual(kinds(client.tick(30 + 500)), ['connect']);
});

for (const kind of ['event', 'heartbeat', 'presence', 'eta', 'resume']) {
  test(`another epoch on ${kind} resyncs: reused numbers must not look in step`, () => {
    const { client, server } = liveClient();
    const frame = { ...server.heartbeat(1), ...server.event(server.write('b', {})), frame: kind, epoch: 'e2' };
    assert.deepEqual(kinds(say(client, frame, 10_000)), ['disconnect', 'connect']);
    assert.equal(client.board.incidents.b, undefined);
  });
}

test('after a server restart the new epoch brings a snapshot and forgets positions', () => {
  const { client } = liveClient();
  client.movers.apply(telemetry(900));
  assert.equal(client.movers.count, 1);
  client.socketClosed(1006, 20_000);
  client.tick(20_500);
  const fresh = new FakeServer('e2');
  fresh.write('z', { n: 9 });
  const hello = open(client, fresh, 20_600);
  assert.deepEqual([hello.epoch, hello.last_seq], ['e1', 1]);
  assert.deepEqual(client.board.incidents, { z: { n: 9 } });
  assert.equal(client.movers.count, 0);
  client.socketBinary(telemetry(1), 20_700);
  assert.equal(client.movers.count, 1, 'a smaller rev of the new server counts');
});

/** @param {number} rev */
function telemetry(rev) {
  const view = new DataView(new ArrayBuffer(40));
  view.setUint16(0, 0x5459, true);
  view.setUint8(2, 1);
  view.setUint32(4, 1, true);
  view.setBigUint64(8, BigInt(rev), true);
  view.setUint32(24, 1, true);
  return view.buffer;
}

test('a lost connection resumes with the cursor after a growing, jittered delay', () => {
  const { client, server } = liveClient();
  assert.deepEqual(kinds(client.socketClosed(1006, 6000)), []);
  assert.deepEqual(kinds(client.tick(6499)), []);
  assert.deepEqual(kinds(client.tick(6500)), ['connect']);
  client.socketClosed(1006, 6600);
  assert.deepEqual(kinds(client.tick(7599)), []);
  assert.deepEqual(kinds(client.tick(7600)), ['connect']);
  server.write('b', { n: 2 });
  const hello = open(client, server, 7700);
  assert.deepEqual([hello.epoch, hello.last_seq], ['e1', 1]);
  assert.deepEqual(client.board.incidents.b, { n: 2 });
  let now = 8000;
  for (let n = 0; n < 12; n += 1) {
    client.socketClosed(1006, now);
    assert.deepEqual(kinds(client.tick((now += 10_000))), ['connect'], 'never more than ten seconds');
  }
});

test('jitter halves the delay at most', () => {
  const client = makeClient({ random: () => 0 });
  client.start(0);
  client.socketClosed(1006, 0);
  assert.deepEqual(kinds(client.tick(249)), []);
  assert.deepEqual(kinds(client.tick(250)), ['connect']);
});

test('online or a page shown again reconnects at once', () => {
  const { client } = liveClient();
  assert.deepEqual(client.wake(1000), [], 'nothing to do while all is well');
  client.socketClosed(1006, 2000);
  assert.deepEqual(kinds(client.wake(2001)), ['connect']);
});

test('a page that slept through heartbeats does not trust its socket', () => {
  const { client } = liveClient();
  assert.deepEqual(kinds(client.wake(6001)), ['disconnect', 'connect']);
});

test('silence: stale after 12 s, given up 3 s later, lost until the next frame', () => {
  const { client, server } = liveClient();
  say(client, server.heartbeat(5000), 5000);
  client.tick(16_999);
  assert.equal(client.state, 'live');
  client.tick(17_000);
  assert.equal(client.state, 'stale');
  assert.deepEqual(kinds(client.tick(20_000)), ['disconnect']);
  assert.equal(client.state, 'lost');
  client.tick(20_500);
  open(client, server, 20_600);
  assert.equal(client.state, 'live');
});

test('a stale picture turns live with the next heartbeat', () => {
  const { client, server } = liveClient();
  client.tick(12_000);
  assert.equal(client.state, 'stale');
  say(client, server.heartbeat(13_000), 13_000);
  assert.equal(client.state, 'live');
});

test('the wall owns up after 10 s', () => {
  const server = new FakeServer('e1');
  const client = makeClient({ page: 'wall' });
  client.start(0);
  open(client, server, 0);
  client.tick(9_999);
  assert.equal(client.state, 'live');
  client.tick(10_000);
  assert.equal(client.state, 'stale');
});

test('a short loss is connecting, a long one lost', () => {
  const { client } = liveClient();
  client.socketClosed(1006, 1000);
  assert.equal(client.state, 'connecting');
  client.tick(12_000);
  assert.equal(client.state, 'lost');
});

test('a server that accepts but never greets is given up', () => {
  const client = makeClient();
  client.start(0);
  client.socketOpened(10);
  assert.deepEqual(kinds(client.tick(10_010)), ['disconnect']);
});

test('close codes: 4001 sign in, 4003 stop, 4008 again with cursor', () => {
  const ended = liveClient().client;
  ended.socketClosed(4001, 10);
  assert.equal(ended.state, 'signed_out');
  assert.deepEqual(ended.tick(100_000), []);
  assert.deepEqual(kinds(ended.restart(100_000)), ['connect']);

  const forbidden = liveClient().client;
  forbidden.socketClosed(4003, 10);
  assert.equal(forbidden.state, 'forbidden');
  assert.deepEqual(forbidden.wake(20), []);

  const { client: lagging, server } = liveClient();
  lagging.socketClosed(4008, 10);
  lagging.tick(510);
  assert.equal(open(lagging, server, 520).last_seq, 1);
});

test('a session found gone stops the client', () => {
  const { client } = liveClient();
  client.socketClosed(1006, 10);
  client.sessionEnded(20);
  assert.equal(client.state, 'signed_out');
  assert.deepEqual(client.tick(60_000), []);
});

test('an event that cannot be applied resyncs once, then shows a fault and tries slowly', () => {
  const { client, server } = liveClient();
  const poison = { ...server.event(server.write('b', 7)) };
  assert.deepEqual(kinds(say(client, poison, 10)), ['disconnect', 'connect']);
  assert.equal(client.fault, null);
  server.incidents.b = { n: 1 };
  open(client, server, 20);
  const again = { ...server.event(server.write('c', 7)) };
  assert.deepEqual(kinds(say(client, again, 30)), ['disconnect']);
  assert.match(client.fault ?? '', /incidents\/c/);
  assert.deepEqual(kinds(client.tick(9_000)), []);
  assert.deepEqual(kinds(client.tick(10_030)), ['connect']);
  open(client, server, 10_040);
  say(client, server.event(server.write('d', { n: 4 })), 10_050);
  assert.equal(client.fault, null, 'a good event clears it');
});

test('text that is no JSON counts as a fault too', () => {
  const { client } = liveClient();
  assert.deepEqual(kinds(client.socketText('{', 1)), ['disconnect', 'connect']);
});

test('bytes that are no telemetry count as a fault too', () => {
  const { client } = liveClient();
  assert.deepEqual(kinds(client.socketBinary(new ArrayBuffer(3), 1)), ['disconnect', 'connect']);
});

test('presence and ETAs are absolute', () => {
  const { client } = liveClient();
  const eta = (/** @type {string[]} */ ids) => ({
    frame: 'eta', epoch: 'e1', items: ids.map((assignment_id) => ({ assignment_id, eta_s: 60 })),
  });
  say(client, eta(['x', 'y']), 1);
  say(client, eta(['y']), 2);
  assert.deepEqual([...client.etas.keys()], ['y']);
  say(client, { frame: 'presence', epoch: 'e1', users: [{ user_id: 'u1' }] }, 3);
  say(client, { frame: 'presence', epoch: 'e1', users: [] }, 4);
  assert.deepEqual(client.presence, []);
});

test('an unknown frame of a newer server is left alone', () => {
  const { client } = liveClient();
  assert.deepEqual(say(client, { frame: 'weather', epoch: 'e1' }, 1), []);
});

test('the server clock is learnt from the least delayed message', () => {
  const { client } = liveClient();
  say(client, { frame: 'heartbeat', epoch: 'e1', seq: 1, server_time: new Date(10_000).toISOString() }, 4_000);
  say(client, { frame: 'heartbeat', epoch: 'e1', seq: 1, server_time: new Date(15_000).toISOString() }, 9_900);
  assert.equal(client.serverOffsetMs, 1_800_000_000_000);
  const other = makeClient();
  other.start(0);
  other.socketOpened(0);
  say(other, { frame: 'snapshot', epoch: 'e', seq: 0, board: {}, server_time: new Date(6_000).toISOString() }, 1_000);
  say(other, { frame: 'heartbeat', epoch: 'e', seq: 0, server_time: new Date(11_000).toISOString() }, 6_400);
  assert.equal(other.serverOffsetMs, 5_000);
});

test('view changes are told at most every 200 ms, the last one wins; new topics reconnect without cursor', () => {
  const { client, server } = liveClient();
  const first = client.setView({ bbox: [1, 2, 3, 4] }, 1000);
  assert.deepEqual(kinds(first), ['send']);
  assert.deepEqual(client.setView({ bbox: [5, 6, 7, 8] }, 1050), []);
  assert.deepEqual(client.setView({ bbox: [9, 9, 9, 9], viewing: { kind: 'incident', id: 'a' } }, 1100), []);
  const [later] = client.tick(1200);
  assert.ok(later.do === 'send');
  assert.deepEqual(JSON.parse(later.text), {
    type: 'view', bbox: [9, 9, 9, 9], follow: null, viewing: { kind: 'incident', id: 'a' },
  });
  assert.deepEqual(kinds(client.tick(1500)), []);
  assert.deepEqual(kinds(client.setView({ topics: ['incidents', 'cameras'] }, 2000)), ['disconnect', 'connect']);
  const hello = open(client, server, 2010);
  assert.equal('last_seq' in hello, false);
  assert.deepEqual(hello.topics, ['incidents', 'cameras']);
  assert.deepEqual(hello.bbox, [9, 9, 9, 9]);
  assert.deepEqual(kinds(client.tick(2500)), ['send'], 'what is viewed is told again to the new connection');
});

test('through loss, duplication, drops and restarts the board ends equal to the server', () => {
  let seed = 11;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let run = 0; run < 150; run += 1) {
    let now = 0;
    let server = new FakeServer(`e${run}-0`);
    const client = makeClient({ random });
    let connected = false;
    /** @type {any[]} */
    let wire = [];
    const obey = (/** @type {FeedAction[]} */ actions) => {
      for (const action of actions) {
        if (action.do === 'disconnect') {
          connected = false;
          wire = [];
        }
        if (action.do === 'connect') {
          connected = true;
          wire = [];
          obey(client.socketOpened(now));
        }
        if (action.do === 'send') {
          const message = JSON.parse(action.text);
          if (message.type === 'hello') wire.push(...server.answer(action.text, now));
        }
      }
    };
    const deliver = () => {
      const frame = wire.shift();
      if (frame) obey(say(client, frame, now));
    };
    obey(client.start(now));
    for (let step = 0; step < 120; step += 1) {
      now += Math.floor(random() * 400);
      const dice = random();
      if (dice < 0.4) {
        const value = random() < 0.25 ? null : { n: step };
        const entry = server.write('abcdef'[Math.floor(random() * 6)], value);
        if (connected) wire.push(server.event(entry));
      } else if (dice < 0.7) deliver();
      else if (dice < 0.76) wire.shift();
      else if (dice < 0.82 && wire[0]?.frame === 'event') wire.unshift(wire[0]);
      else if (dice < 0.88) {
        connected = false;
        wire = [];
        obey(client.socketClosed(random() < 0.5 ? 1006 : 4008, now));
      } else if (dice < 0.9) {
        server = new FakeServer(`e${run}-${step}`);
        for (const id of 'xyz') server.write(id, { n: step });
        connected = false;
        wire = [];
        obey(client.socketClosed(1012, now));
      } else obey(client.tick(now));
    }
    for (let step = 0; step < 400; step += 1) {
      now += 250;
      obey(client.tick(now));
      if (connected && step % 20 === 0) wire.push(server.heartbeat(now));
      for (let n = 0; n < 50; n += 1) deliver();
    }
    assert.deepEqual(client.board.incidents, server.incidents, `run ${run}`);
    assert.equal(client.state, 'live');
  }
});

// ── The shell around the client, with a fake socket and a fake clock ────────────────────────────────────────────────

class FakeSocket {
  readyState = 0;
  binaryType = '';
  /** @type {string[]} */
  sent = [];
  closed = false;
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onclose = null;

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  close() {
    this.closed = true;
  }
}

function shell({ alive = true } = {}) {
  const world = {
    now: 0,
    /** @type {FakeSocket[]} */
    sockets: [],
    /** @type {(() => void)[]} */
    frames: [],
    tick: () => {},
    wake: () => {},
    last: () => /** @type {FakeSocket} */ (world.sockets.at(-1)),
    /** @param {any} frame */
    say: (frame) => world.last().onmessage({ data: typeof frame === 'object' && !(frame instanceof ArrayBuffer) ? JSON.stringify(frame) : frame }),
    paint: () => world.frames.splice(0).forEach((fn) => fn()),
  };
  const feed = connectFeed(
    { page: 'console', topics: ['incidents'] },
    {
      url: 'ws://test/feed',
      openSocket() {
        const socket = new FakeSocket();
        world.sockets.push(socket);
        return /** @type {any} */ (socket);
      },
      now: () => world.now,
      nextFrame: (fn) => world.frames.push(fn),
      every(fn) {
        world.tick = fn;
        return 1;
      },
      cancel() {
        world.tick = () => {};
      },
      onWake(fn) {
        world.wake = fn;
        return () => {};
      },
      sessionAlive: async () => alive,
    },
  );
  const greet = () => {
    const socket = world.last();
    socket.readyState = 1;
    socket.onopen();
    world.say({ frame: 'snapshot', epoch: 'e', seq: 0, server_time: at(0), board: { incidents: {} } });
  };
  return { feed, world, greet };
}

test('shell: many changes before a frame are one call with all that changed', () => {
  const { feed, world, greet } = shell();
  /** @type {any[]} */
  const calls = [];
  feed.subscribe((changes) => calls.push(changes));
  greet();
  world.say(telemetry(1));
  assert.equal(calls.length, 0);
  world.paint();
  assert.deepEqual(calls, [{ board: true, presence: true, state: true, telemetry: true }]);
  world.paint();
  assert.equal(calls.length, 1);
});

test('shell: events reach listeners until they unsubscribe', () => {
  const { feed, world, greet } = shell();
  greet();
  /** @type {string[]} */
  const heard = [];
  const off = feed.onEvent((frame) => heard.push(frame.type));
  const event = (/** @type {number} */ seq) => ({
    frame: 'event', epoch: 'e', seq, prev: seq - 1, at: at(0), type: `t${seq}`, data: { changes: {} },
  });
  world.say(event(1));
  off();
  world.say(event(2));
  assert.deepEqual(heard, ['t1']);
  assert.equal(feed.seq, 2);
});

test('shell: a socket that was given up is closed and no longer heard', () => {
  const { feed, world, greet } = shell();
  greet();
  const old = world.last();
  world.now = 16_000;
  world.tick();
  assert.equal(old.closed, true);
  assert.equal(old.onmessage, null);
  assert.equal(feed.state, 'lost');
  world.now = 17_000;
  world.tick();
  assert.equal(world.sockets.length, 2);
  greet();
  assert.equal(feed.state, 'live');
});

test('shell: a refused handshake asks for the session', async () => {
  const { feed, world } = shell({ alive: false });
  world.last().onclose({ code: 1006 });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(feed.state, 'signed_out');
  const alive = shell();
  alive.world.last().onclose({ code: 1006 });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(alive.feed.state, 'connecting');
});

test('shell: close ends it', () => {
  const { feed, world, greet } = shell();
  greet();
  feed.close();
  assert.equal(world.last().closed, true);
  world.now = 60_000;
  world.tick();
  assert.equal(world.sockets.length, 1);
});
