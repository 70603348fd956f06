// The feed client without a socket: frames and clock ticks go in, actions come out.
//
// It decides when the picture may be trusted. A gap in the numbering, another server epoch or an event that cannot be
// applied each lead to a fresh snapshot; silence leads to a state the pages must show. feed.js carries out the actions
// on a real WebSocket, the tests on a fake one.

import { BoardError, applyEvent, applySnapshot, emptyBoard } from './board.js';
import { Movers, TelemetryError } from './telemetry.js';

/** @import {Board, EtaItem, EventFrame, PresenceUser} from '../types/wire.d.ts' */

export const CLOSE_SIGNED_OUT = 4001;
export const CLOSE_FORBIDDEN = 4003;
export const CLOSE_LAGGING = 4008;

export const STALE_AFTER_MS = 12_000;
/** A wall is read by people who cannot ask it anything: it owns up earlier. */
export const WALL_STALE_AFTER_MS = 10_000;
/** A server that was merely slow gets this long past the banner before its connection is given up. */
const GIVE_UP_AFTER_MS = 3_000;
const GREETING_MS = 10_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** A connection that held this long counts as good: the next loss starts from the shortest delay. */
const GOOD_AFTER_MS = 5_000;
const MISSED_HEARTBEAT_MS = 6_000;
const VIEW_EVERY_MS = 200;
const OFFSET_SAMPLES = 12;

/**
 * @typedef {'connecting' | 'live' | 'stale' | 'lost' | 'signed_out' | 'forbidden'} FeedState
 *   connecting: no picture yet, or a reconnection younger than the stale limit; stale: silent although connected;
 *   lost: no connection for longer than the stale limit.
 * @typedef {{topics?: string[], bbox?: number[] | null, follow?: number | null,
 *            viewing?: {kind: string, id: string} | null}} FeedView
 * @typedef {{do: 'connect'} | {do: 'disconnect'} | {do: 'send', text: string}
 *   | {do: 'changed', what: 'state' | 'board' | 'presence' | 'etas' | 'telemetry'}
 *   | {do: 'event', frame: EventFrame, before: Board, after: Board}} FeedAction
 */

export class FeedClient {
  /** @type {FeedState} */
  state = 'connecting';
  /** Words for the operator once the picture cannot be kept in step; null otherwise. @type {string | null} */
  fault = null;
  /** @type {Board} */
  board = emptyBoard();
  /** @type {PresenceUser[]} */
  presence = [];
  /** @type {Map<string, EtaItem>} */
  etas = new Map();
  /** When the last frame came, on the clock given to the inputs (epoch ms). @type {number | null} */
  lastMessageAt = null;
  /** Server clock minus ours, ms. */
  serverOffsetMs = 0;
  /** @type {string | null} */
  epoch = null;
  /** @type {number | null} */
  seq = null;

  #page;
  #random;
  #staleAfterMs;
  /** @type {FeedView} */
  #view;
  /** @type {'idle' | 'waiting' | 'opening' | 'greeting' | 'synced' | 'stopped'} */
  #phase = 'idle';
  #phaseAt = 0;
  #startedAt = 0;
  #retryAt = 0;
  #attempt = 0;
  #cursor = false;
  #strikes = 0;
  #lastResyncAt = -Infinity;
  #viewDirty = false;
  #viewSentAt = -Infinity;
  /** @type {number[]} */
  #offsets = [];

  /**
   * @param {object} options
   * @param {string} options.page console, wall, field or lead
   * @param {string[]} options.topics
   * @param {number[] | null} [options.bbox] telemetry area: west, south, east, north
   * @param {number} [options.staleAfterMs]
   * @param {Movers} [options.movers]
   * @param {() => number} [options.random] 0 … 1, for the jitter
   */
  constructor({ page, topics, bbox = null, staleAfterMs, movers = new Movers(), random = Math.random }) {
    this.#page = page;
    this.#view = { topics, bbox };
    this.#staleAfterMs = staleAfterMs ?? (page === 'wall' ? WALL_STALE_AFTER_MS : STALE_AFTER_MS);
    this.#random = random;
    this.movers = movers;
  }

  get connected() {
    return this.#phase === 'synced';
  }

  // ── Inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {number} now @returns {FeedAction[]} */
  start(now) {
    this.#startedAt = now;
    return this.#connect(now);
  }

  /** @param {number} now @returns {FeedAction[]} */
  socketOpened(now) {
    this.#enter('greeting', now);
    const { topics, bbox } = this.#view;
    const hello = {
      type: 'hello',
      protocol: 1,
      ...(this.#cursor ? { epoch: this.epoch, last_seq: this.seq } : {}),
      topics,
      ...(bbox ? { bbox } : {}),
      page: this.#page,
    };
    return [{ do: 'send', text: JSON.stringify(hello) }];
  }

  /** @param {string} text @param {number} now @returns {FeedAction[]} */
  socketText(text, now) {
    if (this.#phase !== 'greeting' && this.#phase !== 'synced') return [];
    this.lastMessageAt = now;
    try {
      return [...this.#take(JSON.parse(text), now), ...this.#settle(now)];
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof BoardError) return this.#strike(error, now);
      throw error;
    }
  }

  /** @param {ArrayBuffer} buffer @param {number} now @returns {FeedAction[]} */
  socketBinary(buffer, now) {
    if (this.#phase !== 'greeting' && this.#phase !== 'synced') return [];
    this.lastMessageAt = now;
    try {
      this.movers.apply(buffer);
    } catch (error) {
      if (error instanceof TelemetryError) return this.#strike(error, now);
      throw error;
    }
    return [{ do: 'changed', what: 'telemetry' }, ...this.#settle(now)];
  }

  /** @param {number} code @param {number} now @returns {FeedAction[]} */
  socketClosed(code, now) {
    if (this.#phase === 'stopped' || this.#phase === 'waiting') return [];
    if (code === CLOSE_SIGNED_OUT) return this.#stop('signed_out', now);
    if (code === CLOSE_FORBIDDEN) return this.#stop('forbidden', now);
    return this.#retry(now);
  }

  /** The session turned out to be gone although no socket could say so. @param {number} now @returns {FeedAction[]} */
  sessionEnded(now) {
    return [...this.#drop(), ...this.#stop('signed_out', now)];
  }

  /** Call a few times a second. @param {number} now @returns {FeedAction[]} */
  tick(now) {
    /** @type {FeedAction[]} */
    const actions = [];
    if (this.#phase === 'waiting' && now >= this.#retryAt) actions.push(...this.#connect(now));
    else if ((this.#phase === 'opening' || this.#phase === 'greeting') && now - this.#phaseAt >= GREETING_MS) {
      actions.push({ do: 'disconnect' }, ...this.#retry(now));
    } else if (this.#phase === 'synced' && this.#silence(now) >= this.#staleAfterMs + GIVE_UP_AFTER_MS) {
      actions.push({ do: 'disconnect' }, ...this.#retry(now));
    }
    if (this.#phase === 'synced') actions.push(...this.#sendView(now));
    return [...actions, ...this.#settle(now)];
  }

  /** The network or the page came back: do not wait out the delay. @param {number} now @returns {FeedAction[]} */
  wake(now) {
    if (this.#phase === 'waiting') return this.#connect(now);
    if (this.#phase === 'synced' && this.#silence(now) > MISSED_HEARTBEAT_MS) {
      return [{ do: 'disconnect' }, ...this.#connect(now)];
    }
    return [];
  }

  /** Sign-in succeeded elsewhere, or the page wants another try after `signed_out`.
   * @param {number} now @returns {FeedAction[]} */
  restart(now) {
    if (this.#phase !== 'stopped') return [];
    this.#attempt = 0;
    this.#startedAt = now;
    return [...this.#connect(now), ...this.#settle(now)];
  }

  /**
   * Change what is wanted. New topics need another snapshot, so they reconnect; the rest is told in place.
   * @param {FeedView} view only the members given change
   * @param {number} now
   * @returns {FeedAction[]}
   */
  setView(view, now) {
    const topicsChanged = view.topics && view.topics.join() !== this.#view.topics?.join();
    this.#view = { ...this.#view, ...view };
    if (topicsChanged) {
      this.#cursor = false;
      if (this.#phase === 'idle' || this.#phase === 'stopped' || this.#phase === 'waiting') return [];
      return [...this.#drop(), ...this.#connect(now)];
    }
    this.#viewDirty = true;
    return this.#phase === 'synced' ? this.#sendView(now) : [];
  }

  /** @returns {FeedAction[]} */
  close() {
    const actions = this.#drop();
    this.#phase = 'stopped';
    return actions;
  }

  // ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * @param {any} frame
   * @param {number} now
   * @returns {FeedAction[]}
   */
  #take(frame, now) {
    const kind = frame?.frame ?? frame?.type;
    if (kind === 'snapshot') return this.#takeSnapshot(frame, now);
    if (frame?.epoch !== this.epoch) return this.#resync(now);
    switch (kind) {
      case 'resume':
        if (frame.seq !== this.seq) return this.#resync(now);
        this.#learnOffset(frame.server_time, now);
        this.#enter('synced', now);
        return [];
      case 'event':
        return this.#takeEvent(frame, now);
      case 'heartbeat':
        this.#learnOffset(frame.server_time, now);
        return this.#phase === 'synced' && frame.seq !== this.seq ? this.#resync(now) : [];
      case 'presence':
        this.presence = frame.users ?? [];
        return [{ do: 'changed', what: 'presence' }];
      case 'eta':
        this.etas = new Map((frame.items ?? []).map((/** @type {EtaItem} */ item) => [item.assignment_id, item]));
        return [{ do: 'changed', what: 'etas' }];
      default:
        return []; // a newer server may tell more; what matters for the board is numbered
    }
  }

  /** @param {any} frame @param {number} now @returns {FeedAction[]} */
  #takeSnapshot(frame, now) {
    if (typeof frame.epoch !== 'string' || !Number.isInteger(frame.seq)) throw new BoardError('snapshot without cursor');
    const board = applySnapshot(frame.board);
    if (frame.epoch !== this.epoch) {
      this.movers.reset();
      this.etas = new Map();
      this.presence = [];
      this.#offsets = [];
    }
    this.board = board;
    this.epoch = frame.epoch;
    this.seq = frame.seq;
    this.#cursor = true;
    this.#learnOffset(frame.server_time, now);
    this.#enter('synced', now);
    return [
      { do: 'changed', what: 'board' },
      { do: 'changed', what: 'presence' },
    ];
  }

  /** @param {EventFrame} frame @param {number} now @returns {FeedAction[]} */
  #takeEvent(frame, now) {
    if (this.#phase !== 'synced' || this.seq === null) return this.#resync(now);
    if (frame.seq <= this.seq) return [];
    if (frame.prev !== this.seq) return this.#resync(now);
    const before = this.board;
    this.board = applyEvent(before, frame);
    this.seq = frame.seq;
    this.#strikes = 0;
    this.fault = null;
    return [
      { do: 'changed', what: 'board' },
      { do: 'event', frame, before, after: this.board },
    ];
  }

  /** @param {unknown} serverTime @param {number} now */
  #learnOffset(serverTime, now) {
    const at = typeof serverTime === 'string' ? Date.parse(serverTime) : NaN;
    if (Number.isNaN(at)) return;
    this.#offsets.push(at - now);
    if (this.#offsets.length > OFFSET_SAMPLES) this.#offsets.shift();
    // A delay on the way only ever makes the server look earlier, so the largest sample is the best one.
    this.serverOffsetMs = Math.max(...this.#offsets);
  }

  // ── Connection ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {number} now @returns {FeedAction[]} */
  #connect(now) {
    this.#enter('opening', now);
    return [{ do: 'connect' }, ...this.#settle(now)];
  }

  /** @returns {FeedAction[]} */
  #drop() {
    const open = this.#phase === 'opening' || this.#phase === 'greeting' || this.#phase === 'synced';
    return open ? [{ do: 'disconnect' }] : [];
  }

  /** Lost the connection: try again after a growing delay. @param {number} now @returns {FeedAction[]} */
  #retry(now) {
    if (this.#phase === 'synced' && now - this.#phaseAt >= GOOD_AFTER_MS) this.#attempt = 0;
    const full = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#retryAt = now + full * (0.5 + 0.5 * this.#random());
    this.#enter('waiting', now);
    return this.#settle(now);
  }

  /** The numbers do not fit: start over from a snapshot, at once unless we did so just now.
   * @param {number} now @returns {FeedAction[]} */
  #resync(now) {
    const actions = this.#drop();
    this.#cursor = false;
    const again = now - this.#lastResyncAt < GOOD_AFTER_MS;
    this.#lastResyncAt = now;
    if (again) return [...actions, ...this.#retry(now)];
    return [...actions, ...this.#connect(now)];
  }

  /** Something could not be applied. One resync; if that does not help, say so and try slowly.
   * @param {Error} error @param {number} now @returns {FeedAction[]} */
  #strike(error, now) {
    this.#strikes += 1;
    if (this.#strikes < 2) return this.#resync(now);
    this.fault = error.message;
    const actions = this.#drop();
    this.#cursor = false;
    this.#enter('waiting', now);
    this.#retryAt = now + RETRY_MAX_MS;
    return [...actions, { do: 'changed', what: 'state' }, ...this.#settle(now)];
  }

  /** @param {'signed_out' | 'forbidden'} state @param {number} now @returns {FeedAction[]} */
  #stop(state, now) {
    this.#enter('stopped', now);
    this.state = state;
    return [{ do: 'changed', what: 'state' }];
  }

  /** @param {'waiting' | 'opening' | 'greeting' | 'synced' | 'stopped'} phase @param {number} now */
  #enter(phase, now) {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.#phaseAt = now;
    if (phase === 'synced') this.#viewDirty = this.#view.follow != null || this.#view.viewing != null;
  }

  /** @param {number} now */
  #silence(now) {
    return now - (this.lastMessageAt ?? this.#startedAt);
  }

  /** @param {number} now @returns {FeedAction[]} */
  #settle(now) {
    if (this.#phase === 'stopped' || this.#phase === 'idle') return [];
    const silent = this.#silence(now) >= this.#staleAfterMs;
    /** @type {FeedState} */
    let state = 'connecting';
    if (this.#phase === 'synced') state = silent ? 'stale' : 'live';
    else if (silent) state = 'lost';
    if (state === this.state) return [];
    this.state = state;
    return [{ do: 'changed', what: 'state' }];
  }

  /** @param {number} now @returns {FeedAction[]} */
  #sendView(now) {
    if (!this.#viewDirty || now - this.#viewSentAt < VIEW_EVERY_MS) return [];
    this.#viewDirty = false;
    this.#viewSentAt = now;
    const { bbox, follow, viewing } = this.#view;
    const view = { type: 'view', ...(bbox ? { bbox } : {}), follow: follow ?? null, viewing: viewing ?? null };
    return [{ do: 'send', text: JSON.stringify(view) }];
  }
}
