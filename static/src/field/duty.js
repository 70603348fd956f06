// Position sharing and the lit screen, both only while on duty. Off duty this module watches nothing and sends nothing.

import { ApiError, call } from '../api.js';

/** @import {Outbox} from './outbox.js' */

/**
 * @typedef {object} Position as the server takes it; WGS-84, what phones give
 * @property {number} lon degrees
 * @property {number} lat degrees
 * @property {number | null} accuracy_m
 * @property {number | null} heading_deg
 * @property {number | null} speed_kmh
 * @property {string} fix_at time of the fix on the server's clock, RFC 3339 UTC
 */

const SEND_EVERY_MS = 3_000;
/** Without movement the receiver is asked again this often, so that the centre can tell standing still from gone. */
const REPEAT_EVERY_MS = 15_000;
const OFFLINE_EVERY_MS = 10_000;
/** A fix from the receiver's memory may be older than the shift, so only new ones count. */
const FRESH = { enableHighAccuracy: true, maximumAge: 0, timeout: 20_000 };

export class Duty {
  #outbox;
  #changed;
  #offsetMs;
  /** @type {number | null} */
  #watch = null;
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #lastTryAt = -Infinity;
  #lastKeptAt = -Infinity;
  #askedAt = -Infinity;
  #unsent = false;
  #busy = false;
  /** @type {Position | null} */
  position = null;
  /** Epoch ms of the last position the server took. @type {number | null} */
  sentAt = null;
  /** @type {'denied' | 'unavailable' | 'insecure' | null} */
  problem = null;

  /**
   * @param {Outbox} outbox
   * @param {() => void} changed
   * @param {() => number} offsetMs server clock minus this phone's
   */
  constructor(outbox, changed, offsetMs) {
    this.#outbox = outbox;
    this.#offsetMs = offsetMs;
    this.#changed = changed;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#watch !== null) void this.#stayLit();
    });
  }

  get sharing() {
    return this.#watch !== null;
  }

  /** @param {boolean} onDuty */
  set(onDuty) {
    if (onDuty === this.sharing) return;
    if (onDuty) this.#start();
    else this.#stop();
    this.#changed();
  }

  #start() {
    if (!isSecureContext || !navigator.geolocation) {
      this.problem = isSecureContext ? 'unavailable' : 'insecure';
      return;
    }
    this.#watch = navigator.geolocation.watchPosition(
      (found) => this.#take(found),
      (error) => this.#fail(error),
      FRESH,
    );
    void this.#stayLit();
  }

  #stop() {
    if (this.#watch !== null) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = null;
    this.position = null;
    this.sentAt = null;
    this.problem = null;
    void this.#lock?.release();
    this.#lock = null;
  }

  /** @param {GeolocationPositionError} error */
  #fail(error) {
    this.problem = error.code === error.PERMISSION_DENIED ? 'denied' : 'unavailable';
    this.#changed();
  }

  /** @param {GeolocationPosition} found */
  #take(found) {
    const { longitude, latitude, accuracy, heading, speed } = found.coords;
    this.problem = null;
    this.position = {
      lon: longitude,
      lat: latitude,
      accuracy_m: accuracy ?? null,
      heading_deg: heading == null || Number.isNaN(heading) ? null : heading,
      speed_kmh: speed == null || Number.isNaN(speed) ? null : speed * 3.6,
      fix_at: new Date(found.timestamp + this.#offsetMs()).toISOString(),
    };
    this.#unsent = true;
    this.#changed();
    void this.#send();
  }

  /** Call every second: sends what had to wait, and asks for a new fix when nothing moved for a while. */
  tick() {
    const now = Date.now();
    if (this.#unsent) {
      void this.#send();
    } else if (this.sharing && now - Math.max(this.#lastTryAt, this.#askedAt) >= REPEAT_EVERY_MS) {
      // The old fix again would only grow older: standing still must be told with a new one.
      this.#askedAt = now;
      navigator.geolocation.getCurrentPosition((found) => this.#take(found), () => {}, FRESH);
    }
  }

  async #send() {
    const now = Date.now();
    if (!this.position || this.#busy || now - this.#lastTryAt < SEND_EVERY_MS) return;
    this.#lastTryAt = now;
    this.#busy = true;
    this.#unsent = false;
    try {
      const answer = await call('POST', '/positions', this.position, { redirect: false, timeoutMs: 8_000 });
      // A fix from before the shift, or one that jumped, is answered kindly and not taken: nobody sees it.
      if (this.sharing && answer?.accepted !== 0) this.sentAt = Date.now();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const keep = error.unreachable && this.position && now - this.#lastKeptAt >= OFFLINE_EVERY_MS;
      if (keep && this.position) {
        this.#lastKeptAt = now;
        await this.#outbox.putPosition(this.position);
      }
    } finally {
      this.#busy = false;
      this.#changed();
    }
  }

  async #stayLit() {
    if (!('wakeLock' in navigator)) return;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
    } catch {
      this.#lock = null; // a low battery may refuse; the page works with a dark screen too
    }
  }
}
