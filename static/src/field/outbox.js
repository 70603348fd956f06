// What the phone still has to tell: kept in IndexedDB, sent in order, each with its own idempotency key.
//
// A dead spot can swallow an answer after the server has acted. Sending the same entry with the same key again is then
// answered from memory without a second effect, so an entry may be repeated until an answer comes: exactly once.

import { newKey } from '../api.js';

/**
 * @typedef {object} Entry
 * @property {string} key idempotency key, also the identity of the entry
 * @property {number} order
 * @property {number} createdAt epoch ms
 * @property {'command' | 'message' | 'photo' | 'report' | 'positions' | 'receipt' | 'shift'} kind
 * @property {string} label what the list of waiting things says
 * @property {string} method
 * @property {string} path below /api/v1; `{needs}` stands for the id the needed entry was answered with
 * @property {unknown} [body] JSON value
 * @property {{name: string, blob: Blob}} [file] sent as multipart instead of the body
 * @property {string} [needs] key of an entry that must have been answered before
 * @property {{assignmentId?: string, command?: string, messageId?: string}} [about]
 * @property {'waiting' | 'refused'} state
 * @property {string} [refusal] the server's words
 * @property {number} [refusedStatus]
 *
 * @typedef {Pick<Entry, 'kind' | 'label' | 'method' | 'path'> & Partial<Entry>} NewEntry
 *
 * @typedef {object} Store
 * @property {() => Promise<Entry[]>} all in order
 * @property {(entry: Entry) => Promise<boolean>} add false when the key is known already, done or not
 * @property {(entry: Entry) => Promise<void>} update
 * @property {(key: string, id: string | null) => Promise<void>} done remove and remember the answer's id
 * @property {(key: string) => Promise<string | null>} answerOf
 * @property {(key: string) => Promise<void>} drop
 *
 * @typedef {{status: number, id: string | null, detail: string, retryAfterMs?: number}} Answer status 0: no answer
 */

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
const POSITIONS_MAX = 600;

/**
 * Whether the server has not decided yet: nothing came back, it was busy, or the sign-in ran out.
 * @param {number} status
 */
const undecided = (status) => status === 0 || status === 401 || status === 408 || status === 429 || status >= 500;

export class Outbox {
  #store;
  #send;
  #now;
  /** @type {Entry[]} */
  #entries = [];
  #sending = false;
  #again = false;
  #failures = 0;
  #nextTryAt = 0;
  #lastOrder = 0;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** Epoch ms since when nothing could be sent, or null. @type {number | null} */
  stuckSince = null;

  /**
   * @param {object} parts
   * @param {Store} parts.store
   * @param {(entry: Entry, neededId: string | null) => Promise<Answer>} parts.send
   * @param {() => number} [parts.now]
   */
  constructor({ store, send, now = () => Date.now() }) {
    this.#store = store;
    this.#send = send;
    this.#now = now;
  }

  /** Load what an earlier visit left. */
  async open() {
    this.#entries = await this.#store.all();
    this.#lastOrder = this.#entries.reduce((most, entry) => Math.max(most, entry.order), 0);
    this.#tell();
  }

  /** Everything not answered yet or refused, oldest first. */
  get entries() {
    return this.#entries;
  }

  get waiting() {
    return this.#entries.filter((entry) => entry.state === 'waiting');
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }

  /**
   * Keep an entry and try to send it. The same key given twice is one entry.
   * @param {NewEntry} entry
   * @returns {Promise<string>} its key
   */
  async put(entry) {
    this.#lastOrder = Math.max(this.#lastOrder + 1, this.#now());
    /** @type {Entry} */
    const full = { key: newKey(), ...entry, order: this.#lastOrder, createdAt: this.#now(), state: 'waiting' };
    if (await this.#store.add(full)) {
      this.#entries = [...this.#entries, full];
      this.#tell();
    }
    void this.flush();
    return full.key;
  }

  /**
   * Positions that could not be sent: one growing entry, thinned when long, so that a night in a cellar stays small.
   * @param {object} position
   */
  async putPosition(position) {
    const open = this.#entries.find((entry) => entry.kind === 'positions' && entry.state === 'waiting' && !this.#sending);
    if (!open) {
      await this.put({ kind: 'positions', label: '', method: 'POST', path: '/positions', body: [position] });
      return;
    }
    const kept = /** @type {object[]} */ (open.body);
    const thinned = kept.length >= POSITIONS_MAX ? kept.filter((_, index) => index % 2 === 0) : kept;
    // Other content under the same key would be refused, so a changed batch is a new entry in the old one's place.
    const next = { ...open, key: newKey(), body: [...thinned, position] };
    if (!(await this.#store.add(next))) return;
    await this.#store.drop(open.key);
    this.#entries = this.#entries.map((entry) => (entry === open ? next : entry));
    this.#tell();
  }

  /** Forget a refused entry once the person has read why. @param {string} key */
  async dismiss(key) {
    await this.#store.drop(key);
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#tell();
  }

  /** Send what waits, unless a pause is still running. Call often. */
  async tick() {
    if (this.#now() >= this.#nextTryAt && this.waiting.length) await this.flush();
  }

  /** Send what waits, now. */
  async flush() {
    if (this.#sending) {
      this.#again = true;
      return;
    }
    this.#sending = true;
    try {
      do {
        this.#again = false;
        while (await this.#sendFirst());
      } while (this.#again && this.waiting.length && this.stuckSince === null);
    } finally {
      this.#sending = false;
    }
  }

  /** @returns {Promise<boolean>} whether to go on with the next one */
  async #sendFirst() {
    const entry = this.#entries.find((item) => item.state === 'waiting');
    if (!entry) return false;
    let neededId = null;
    if (entry.needs) {
      const needed = this.#entries.find((item) => item.key === entry.needs);
      neededId = await this.#store.answerOf(entry.needs);
      if (neededId === null) {
        await this.#refuse(entry, needed?.refusal ?? '', needed?.refusedStatus ?? 0);
        return true;
      }
    }
    const answer = await this.#send(entry, neededId);
    if (undecided(answer.status)) {
      this.#failures += 1;
      const pause = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures - 1));
      this.#nextTryAt = this.#now() + Math.max(pause, answer.retryAfterMs ?? 0);
      this.stuckSince ??= this.#now();
      this.#tell();
      return false;
    }
    this.#failures = 0;
    this.#nextTryAt = 0;
    this.stuckSince = null;
    if (answer.status < 300) {
      await this.#store.done(entry.key, answer.id);
      this.#entries = this.#entries.filter((item) => item.key !== entry.key);
      this.#tell();
    } else if (entry.kind === 'receipt' || entry.kind === 'positions') {
      await this.dismiss(entry.key); // nothing a person could do about it
    } else await this.#refuse(entry, answer.detail, answer.status);
    return true;
  }

  /** @param {Entry} entry @param {string} refusal @param {number} refusedStatus */
  async #refuse(entry, refusal, refusedStatus) {
    const refused = /** @type {Entry} */ ({ ...entry, state: 'refused', refusal, refusedStatus });
    await this.#store.update(refused);
    this.#entries = this.#entries.map((item) => (item.key === entry.key ? refused : item));
    this.#tell();
  }
}
