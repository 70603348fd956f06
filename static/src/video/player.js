// Keeps one camera's live picture on screen: connects, reconnects with patience, changes the way of decoding, and lets a
// hidden page cost nothing. The last picture stays where it is until a newer one is ready, so nothing ever blinks.
import { onBeat } from './clock.js';
import { retryDelayMs } from './lag.js';
import { mseCan } from './mse.js';
import { STUCK, Session } from './session.js';
import { webcodecsCan } from './webcodecs.js';

/**
 * @typedef {object} ServerState what the server says of the camera
 * @property {'connecting' | 'live' | 'late' | 'lost' | 'refused' | 'no_capacity'} state
 * @property {string | null} [reason]
 * @property {string | null} [detail]
 * @property {number | null} [late_s]
 * @property {number | null} [retry_s]
 *
 * @typedef {object} PlayerOptions
 * @property {string} cameraId
 * @property {'watch' | 'incident' | 'tour' | 'control'} [purpose] goes into the viewing log
 * @property {string | null} [incidentId]
 * @property {boolean} [lowLatency] decode picture by picture where the page may
 * @property {{start: string, end: string} | null} [playback] a recording (RFC 3339) instead of the live picture
 * @property {() => void} [onChange] state, link or picture changed; ages are read by polling `age_s`
 *
 * @typedef {'signed_out' | 'forbidden' | 'gone' | 'ended'} Stop
 */

/** @type {Record<number, Stop>} */
const STOPS = { 4001: 'signed_out', 4003: 'forbidden', 4004: 'gone' };
/** Pictures for this long make the next loss start from the shortest delay. */
const GOOD_AFTER_MS = 10_000;
const UNPLAYABLE_RETRY_MS = 30_000;
const BROKEN_IN_A_ROW = 3;
const OUTDONE_MS = 1_500;
const H265 = ['hvc1.1.6.L93.B0', 'hvc1.1.6.L123.B0'];

/** @type {Promise<boolean> | null} */
let h265 = null;

/** Can this browser show H.265? Asked once. */
export function canH265() {
  h265 ??= (async () => {
    if (H265.some((codec) => mseCan(`video/mp4; codecs="${codec}"`))) return true;
    if (!webcodecsCan()) return false;
    try {
      return (await VideoDecoder.isConfigSupported({ codec: H265[0] })).supported === true;
    } catch {
      return false;
    }
  })();
  return h265;
}

/** @param {PlayerOptions} options @param {boolean} takesH265 */
export function addressOf({ cameraId, purpose = 'watch', incidentId = null, playback = null }, takesH265) {
  const query = new URLSearchParams({ h265: takesH265 ? '1' : '0', purpose });
  if (incidentId) query.set('incident_id', incidentId);
  if (playback) {
    query.set('start', playback.start);
    query.set('end', playback.end);
  }
  return `/api/v1/cameras/${encodeURIComponent(cameraId)}/${playback ? 'playback' : 'live'}?${query}`;
}

export class Player {
  /** Holds the picture; put it anywhere, also into another parent while it plays. */
  element = document.createElement('div');
  /** @type {ServerState | null} */ server = null;
  /** @type {'opening' | 'open' | 'waiting' | 'hidden' | 'stopped'} */ link = 'stopped';
  /** @type {Stop | null} */ stop = null;
  unplayable = false;
  muted = true;
  #options;
  /** @type {Session | null} on screen */ #current = null;
  /** @type {Session | null} will replace it with its first picture */ #next = null;
  /** @type {number | null} performance.now() when the shown picture came */ #pictureAt = null;
  #saidAt = 0;
  #attempt = 0;
  #broken = 0;
  #goodSince = 0;
  #retry = 0;
  #lowLatency;
  /** Decoding picture by picture failed on this camera. */ #noCodecs = false;
  #noSound = false;
  /** The browser said it could show H.265, and then did not. */ #noH265 = false;
  /** @type {(() => void)[]} */ #undo = [];

  /** @param {PlayerOptions} options */
  constructor(options) {
    this.#options = options;
    this.#lowLatency = options.lowLatency ?? false;
    this.element.className = 'vp';
  }

  get cameraId() {
    return this.#options.cameraId;
  }

  start() {
    if (this.link !== 'stopped') return this;
    const seen = () => this.#seen();
    const online = () => this.#hurry();
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', online);
    this.#undo = [
      () => document.removeEventListener('visibilitychange', seen),
      () => removeEventListener('online', online),
      onBeat(() => this.#beat()),
    ];
    this.stop = null;
    if (document.hidden) this.#set('hidden');
    else this.#connect();
    return this;
  }

  /** Ends for good, takes the picture off the page. */
  close() {
    this.#cease();
    this.#current?.close();
    this.#current = null;
    this.element.remove();
  }

  /** Stop receiving and keep the last picture. */
  #cease() {
    for (const undo of this.#undo) undo();
    this.#undo = [];
    window.clearTimeout(this.#retry);
    this.#next?.close();
    this.#next = null;
    this.#current?.freeze();
    this.link = 'stopped';
  }

  /** Seconds since the picture on screen came; null before the first. */
  get age_s() {
    return this.#pictureAt === null ? null : Math.max(0, (performance.now() - this.#pictureAt) / 1000);
  }

  /** The camera sends sound. */
  get hasSound() {
    return Boolean(this.#current?.config?.audio) && !this.#noSound;
  }

  /** How the shown picture is decoded. @returns {'mse' | 'webcodecs' | null} */
  get way() {
    const element = this.#current?.screen?.element;
    return !element ? null : element.tagName === 'VIDEO' ? 'mse' : 'webcodecs';
  }

  /** Pixels of the picture on screen, to be drawn from at once. */
  frame() {
    return this.#current?.screen?.frame() ?? null;
  }

  /** Sound is fetched only while it is wanted: a picture with it takes over. @param {boolean} muted */
  setMuted(muted) {
    if (muted === this.muted || (!muted && this.#noSound)) return;
    this.muted = muted;
    this.#current?.setMuted(muted || !this.#current.sound);
    if (!muted) this.#lowLatency = false;
    this.#change();
    this.#tell();
  }

  /** Change between smooth and immediate. The other way takes over with its first picture. @param {boolean} wanted */
  setLowLatency(wanted) {
    if (wanted === this.#lowLatency) return;
    this.#lowLatency = wanted;
    if (webcodecsCan() && !this.#noCodecs) this.#change();
  }

  /** The same picture, now for another reason: the viewing log must say so. @param {Pick<PlayerOptions, 'purpose' | 'incidentId'>} reason */
  setReason({ purpose, incidentId }) {
    const { purpose: before = 'watch', incidentId: about = null } = this.#options;
    if ((purpose ?? 'watch') === before && (incidentId ?? null) === about) return;
    this.#options = { ...this.#options, purpose, incidentId };
    this.#change();
  }

  #change() {
    if (this.link === 'open' || this.link === 'opening') this.#connect();
  }

  /** @param {Player['link']} link */
  #set(link) {
    if (this.link === link) return;
    this.link = link;
    this.#tell();
  }

  #tell() {
    this.#options.onChange?.();
  }

  #seen() {
    if (document.hidden) {
      window.clearTimeout(this.#retry);
      this.#next?.close();
      this.#next = null;
      this.#current?.freeze();
      this.#set('hidden');
    } else if (this.link === 'hidden') {
      this.#attempt = 0;
      this.#connect();
    }
  }

  /** Do not wait out the delay. */
  #hurry() {
    if (this.link === 'waiting') this.#connect();
  }

  #connect() {
    window.clearTimeout(this.#retry);
    this.#next?.close();
    this.#next = null;
    this.#set('opening');
    void canH265().then((takesH265) => {
      if (this.link !== 'opening' || this.#next) return; // closed, hidden, or asked again meanwhile
      const way = { lowLatency: this.#lowLatency && !this.#noCodecs, sound: !this.muted };
      const url = location.origin.replace(/^http/, 'ws') + addressOf(this.#options, takesH265 && !this.#noH265);
      /** @type {Session} */
      const session = new Session(url, way, {
        opened: () => session === this.#next && this.#set('open'),
        state: (state) => {
          this.server = state;
          this.#saidAt = performance.now();
          this.#tell();
        },
        first: () => this.#promote(session),
        ended: (end) => this.#ended(session, end),
      });
      this.#next = session;
    });
  }

  /** The new picture is there: it takes the old one's place. @param {Session} session */
  #promote(session) {
    if (session !== this.#next || !session.screen) return;
    this.#next = null;
    const old = this.#current;
    this.#current = session;
    this.element.append(session.screen.element);
    old?.close();
    session.setMuted(this.muted || !session.sound);
    this.unplayable = false;
    this.#goodSince = performance.now();
    this.#tell();
  }

  /** @param {Session} session @param {{code: number, why: string, unplayable: boolean}} end */
  #ended(session, { code, why, unplayable }) {
    if (session !== this.#next && session !== this.#current) return;
    if (session === this.#next) {
      if (session.lowLatency && code >= 4900) this.#noCodecs = true;
      if (session.sound && code >= 4900) this.#refuseSound();
      session.close();
      this.#next = null;
    } else if (this.#next) return; // its successor is already on the way
    else if (session.sound && why === STUCK) this.#refuseSound();
    const stop = STOPS[code] ?? (this.#options.playback && code === 1000 ? 'ended' : null);
    if (stop) {
      this.#cease();
      this.stop = stop;
      this.#tell();
      return;
    }
    if (code >= 4900) {
      console.warn('camera', this.cameraId, why);
      this.#broken += 1;
      if (/^h(vc|ev)1/.test(session.config?.codec ?? '') && this.#broken >= BROKEN_IN_A_ROW) this.#noH265 = true;
      this.unplayable = unplayable || (this.#broken >= BROKEN_IN_A_ROW && session !== this.#current);
    }
    if (this.#goodSince && performance.now() - this.#goodSince > GOOD_AFTER_MS) this.#attempt = 0;
    this.#goodSince = 0;
    const delay = this.unplayable ? UNPLAYABLE_RETRY_MS : retryDelayMs(this.#attempt);
    this.#attempt += 1;
    this.#set('waiting');
    this.#retry = window.setTimeout(() => this.#connect(), delay);
  }

  /** A track of sound that never fills holds the picture up: better a picture without. */
  #refuseSound() {
    this.#noSound = true;
    this.muted = true;
  }

  #beat() {
    const next = this.#next;
    const screen = next?.screen;
    // A video element decodes only inside the page; it waits behind the picture it will replace.
    if (screen && !screen.element.isConnected) this.element.prepend(screen.element);
    next?.tick();
    const at = this.#current?.tick() ?? null;
    if (at !== null) {
      if (this.#broken && performance.now() - this.#goodSince > GOOD_AFTER_MS) this.#broken = 0;
      this.#pictureAt = at;
      // Pictures that go on coming speak louder than what was said before them.
      if (this.server && this.server.state !== 'live' && at > this.#saidAt + OUTDONE_MS) this.server = { state: 'live' };
    }
  }
}
