// The one owner of the WebSocket. What to do is decided in feed_core.js; here it is done, and listeners are told.

import { FeedClient } from './feed_core.js';
import { Movers } from './telemetry.js';

/** @import {FeedAction, FeedView} from './feed_core.js' */
/** @import {Board, EventFrame} from '../types/wire.d.ts' */

export { FeedClient } from './feed_core.js';

/**
 * @typedef {{state?: true, board?: true, presence?: true, etas?: true, telemetry?: true}} FeedChanges
 *   what changed since the last call
 * @typedef {object} FeedEnvironment everything of the browser the feed touches, replaceable in tests
 * @property {(url: string) => WebSocket} openSocket
 * @property {() => number} now epoch ms
 * @property {(fn: () => void) => void} nextFrame
 * @property {(fn: () => void, ms: number) => unknown} every
 * @property {(timer: any) => void} cancel
 * @property {(fn: () => void) => () => void} onWake
 * @property {() => Promise<boolean>} sessionAlive
 * @property {string} url
 */

const TICK_MS = 250;

/** @returns {FeedEnvironment} */
function browserEnvironment() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return {
    url: `${scheme}://${location.host}/api/v1/feed`,
    openSocket: (url) => new WebSocket(url),
    now: () => Date.now(),
    // A hidden page gets no animation frames, yet its title and sounds must keep up.
    nextFrame: (fn) => void (document.hidden ? setTimeout(fn, TICK_MS) : requestAnimationFrame(fn)),
    every: (fn, ms) => setInterval(fn, ms),
    cancel: (timer) => clearInterval(timer),
    onWake(fn) {
      const visible = () => {
        if (!document.hidden) fn();
      };
      addEventListener('online', fn);
      document.addEventListener('visibilitychange', visible);
      return () => {
        removeEventListener('online', fn);
        document.removeEventListener('visibilitychange', visible);
      };
    },
    async sessionAlive() {
      try {
        return (await fetch('/api/v1/session', { cache: 'no-store' })).status !== 401;
      } catch {
        return true; // unreachable is not signed out
      }
    },
  };
}

/**
 * Connect and stay connected.
 * @param {object} options
 * @param {'console' | 'wall' | 'field' | 'lead' | 'video'} options.page
 * @param {string[]} options.topics
 * @param {number[] | null} [options.bbox] west, south, east, north
 * @param {number} [options.staleAfterMs]
 * @param {FeedEnvironment} [env]
 */
export function connectFeed({ page, topics, bbox, staleAfterMs }, env = browserEnvironment()) {
  const movers = new Movers();
  const client = new FeedClient({ page, topics, bbox, staleAfterMs, movers });
  /** @type {Set<(changes: FeedChanges) => void>} */
  const subscribers = new Set();
  /** @type {Set<(frame: EventFrame, after: Board, before: Board) => void>} */
  const eventListeners = new Set();
  /** @type {FeedChanges | null} */
  let pending = null;
  /** @type {WebSocket | null} */
  let socket = null;

  /** @param {FeedAction[]} actions */
  function perform(actions) {
    for (const action of actions) {
      switch (action.do) {
        case 'connect':
          open();
          break;
        case 'disconnect':
          drop();
          break;
        case 'send':
          if (socket?.readyState === 1) socket.send(action.text);
          break;
        case 'changed':
          if (!pending) {
            pending = {};
            env.nextFrame(tell);
          }
          pending[action.what] = true;
          break;
        case 'event':
          for (const listener of eventListeners) listener(action.frame, action.after, action.before);
          break;
      }
    }
  }

  function tell() {
    const changes = pending ?? {};
    pending = null;
    for (const subscriber of subscribers) subscriber(changes);
  }

  function open() {
    drop();
    const mine = env.openSocket(env.url);
    mine.binaryType = 'arraybuffer';
    socket = mine;
    let opened = false;
    mine.onopen = () => {
      opened = true;
      perform(client.socketOpened(env.now()));
    };
    mine.onmessage = ({ data }) =>
      perform(
        typeof data === 'string' ? client.socketText(data, env.now()) : client.socketBinary(data, env.now()),
      );
    mine.onclose = ({ code }) => {
      if (socket !== mine) return;
      socket = null;
      perform(client.socketClosed(code, env.now()));
      // A refused handshake reaches scripts as an unexplained close; ask whether it was the session.
      if (!opened) {
        env.sessionAlive().then((alive) => {
          if (!alive && !client.connected) perform(client.sessionEnded(env.now()));
        });
      }
    };
  }

  function drop() {
    if (!socket) return;
    const old = socket;
    socket = null;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
  }

  const timer = env.every(() => perform(client.tick(env.now())), TICK_MS);
  const unwake = env.onWake(() => perform(client.wake(env.now())));
  perform(client.start(env.now()));

  return {
    get state() {
      return client.state;
    },
    get fault() {
      return client.fault;
    },
    get board() {
      return client.board;
    },
    get presence() {
      return client.presence;
    },
    get etas() {
      return client.etas;
    },
    movers,
    /** Epoch ms on our clock of the last frame, or null before the first. */
    get lastMessageAt() {
      return client.lastMessageAt;
    },
    get serverOffsetMs() {
      return client.serverOffsetMs;
    },
    get seq() {
      return client.seq;
    },
    /** The server's clock now, epoch ms. */
    serverNow: () => env.now() + client.serverOffsetMs,
    /** @param {FeedView} view */
    setView: (view) => perform(client.setView(view, env.now())),
    /** Try again after `signed_out`. */
    restart: () => perform(client.restart(env.now())),
    /**
     * Called at most once per animation frame, with what changed.
     * @param {(changes: FeedChanges) => void} subscriber
     * @returns {() => void} unsubscribe
     */
    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    /**
     * Called for each applied event, in order; not for what a snapshot brought.
     * @param {(frame: EventFrame, after: Board, before: Board) => void} listener
     * @returns {() => void} unsubscribe
     */
    onEvent(listener) {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    close() {
      env.cancel(timer);
      unwake();
      perform(client.close());
    },
  };
}

/** @typedef {ReturnType<typeof connectFeed>} Feed */
