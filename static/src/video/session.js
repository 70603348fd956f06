// One connection to one camera with the screen it fills. It lives from one connection to its loss; the player makes the
// next one and leaves the last picture standing until a newer one is there.
import { MseScreen, mimeOf, mseCan } from './mse.js';
import { CodecScreen, webcodecsCan } from './webcodecs.js';

/** @import {ServerState} from './player.js' */

/**
 * @typedef {{codec: string, audio: string | null, mime: string, width: number, height: number}} Config
 *
 * @typedef {object} ScreenEvents
 * @property {() => void} first the first picture is on screen
 * @property {(why: string) => void} broken it cannot go on
 *
 * @typedef {object} Screen
 * @property {HTMLVideoElement | HTMLCanvasElement} element
 * @property {(muted: boolean) => void} setMuted
 * @property {(config: Config) => void} config
 * @property {(bytes: Uint8Array, at: number) => void} push at: performance.now() when it came
 * @property {() => number | null} tick
 * @property {() => {source: CanvasImageSource, width: number, height: number} | null} frame
 * @property {() => void} freeze
 * @property {() => void} close
 *
 * @typedef {object} SessionEvents
 * @property {() => void} opened
 * @property {(state: ServerState) => void} state
 * @property {() => void} first
 * @property {(end: {code: number, why: string, unplayable: boolean}) => void} ended told once
 */

const BROKEN = 4900;
/** Why a session ended whose media came without a picture following. */
export const STUCK = 'stuck';
/** Media comes, yet no picture follows. */
const STUCK_MS = 5_000;
const HALF_OPEN_MS = 75_000;

export class Session {
  /** @type {Screen | null} */ screen = null;
  /** @type {Config | null} */ config = null;
  lowLatency;
  sound;
  #events;
  #socket;
  #muted = true;
  #done = false;
  #heardAt = performance.now();
  #mediaAt = 0;
  #mediaSince = 0;

  /** @param {string} url @param {{lowLatency: boolean, sound: boolean}} way @param {SessionEvents} events */
  constructor(url, { lowLatency, sound }, events) {
    this.lowLatency = lowLatency;
    this.sound = sound;
    this.#events = events;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#events.opened();
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    const now = performance.now();
    this.#heardAt = now;
    if (typeof data === 'string') {
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return this.#end(BROKEN, 'not JSON');
      }
      if (typeof message.mime === 'string') return this.#configure(message);
      if (typeof message.state === 'string') this.#events.state(message);
      return undefined;
    }
    if (!this.screen) return undefined; // media before the first config is not of this protocol
    if (!this.#mediaSince) this.#mediaSince = now;
    this.#mediaAt = now;
    this.screen.push(new Uint8Array(data), now);
    return undefined;
  }

  /** @param {Config} config */
  #configure(config) {
    this.config = config;
    if (!this.screen) {
      /** @type {ScreenEvents} */
      const events = { first: () => this.#events.first(), broken: (why) => this.#end(BROKEN, why) };
      const canSegments = mseCan(mimeOf(config, this.sound));
      if (webcodecsCan() && (this.lowLatency || !canSegments)) this.screen = new CodecScreen(events);
      else if (canSegments) this.screen = new MseScreen(events, this.sound);
      else return this.#end(BROKEN, config.codec, true);
      this.screen.setMuted(this.#muted);
    }
    this.screen.config(config);
    return undefined;
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted = muted;
    this.screen?.setMuted(muted);
  }

  /** A few times a second. @returns {number | null} when the shown picture came, performance.now() */
  tick() {
    const shownAt = this.screen?.tick() ?? null;
    if (this.#done) return shownAt;
    const now = performance.now();
    const mediaFlows = this.#mediaSince > 0 && now - this.#mediaAt < 1_000;
    if (mediaFlows && now - Math.max(shownAt ?? 0, this.#mediaSince) > STUCK_MS) this.#end(BROKEN, STUCK);
    else if (now - this.#heardAt > HALF_OPEN_MS) this.#end(BROKEN, 'silent');
    if (!mediaFlows) this.#mediaSince = 0;
    return shownAt;
  }

  /** @param {number} code @param {string} why */
  #end(code, why, unplayable = false) {
    if (this.#done) return;
    this.#quit();
    this.screen?.freeze();
    this.#events.ended({ code, why, unplayable });
  }

  #quit() {
    this.#done = true;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  /** Stop receiving; the last picture stays. */
  freeze() {
    this.#quit();
    this.screen?.freeze();
  }

  close() {
    this.#quit();
    this.screen?.close();
  }
}
