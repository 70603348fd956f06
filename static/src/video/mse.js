// One picture through Media Source Extensions: segments go in, the newest one is on screen.
//
// The time line has no gaps: each init segment that comes later is shifted to where the buffer ends, whatever clock the
// camera began to count from.
import { pictureFragments, pictureOnly } from './fmp4-silent.js';
import { isInit, samplesOf, tracksOf } from './fmp4.js';
import { LagPolicy } from './lag.js';

/** @import {Config, Screen, ScreenEvents} from './session.js' */

const QUEUE_BYTES = 8 << 20;
const KEEP_BEHIND_S = 8;
const TRIM_AT_S = 20;
/** The time line starts here, so that a picture shown before it is decoded still has a time above zero. */
const ORIGIN_S = 1;
const MOST_MARKS = 400;
/** Running dry right after the start tells nothing about the network. */
const SETTLE_MS = 1_500;

/** @returns {typeof MediaSource | null} */
export const mediaSource = () =>
  globalThis.MediaSource ?? /** @type {any} */ (globalThis).ManagedMediaSource ?? null;

/** @param {string} mime */
export const mseCan = (mime) => mediaSource()?.isTypeSupported(mime) ?? false;

/** @param {Config} config @param {boolean} sound */
export const mimeOf = (config, sound) => (sound || !config.audio ? config.mime : `video/mp4; codecs="${config.codec}"`);

/** @implements {Screen} */
export class MseScreen {
  element = document.createElement('video');
  #events;
  #source;
  /** @type {SourceBuffer | null} */ #buffer = null;
  /** @type {{bytes: Uint8Array, at: number, mime: string | null}[]} mime: an init segment's */ #queue = [];
  #queued = 0;
  #mime = '';
  #appendedMime = '';
  /** @type {import('./fmp4.js').Track[]} */ #tracks = [];
  /** Tracks of what comes while sound is left out. @type {import('./fmp4.js').Track[] | null} */ #coming = null;
  #shiftDue = false;
  #skipToKey = false;
  /** Where the buffer ended when what came at a time was in it. @type {{end_s: number, at: number}[]} */ #marks = [];
  #appendedAt = 0;
  #lag = new LagPolicy();
  #frames = 0;
  /** @type {number | null} */ #shownAt = null;
  #startedAt = 0;
  #trimming = false;
  #closed = false;
  #url = '';

  /** Sound is left out of what comes. */ #silent = false;
  #sound;

  /** @param {ScreenEvents} events @param {boolean} sound take the sound too, if there is any */
  constructor(events, sound) {
    const Source = mediaSource();
    if (!Source) throw new Error('no media source');
    this.#events = events;
    this.#sound = sound;
    const video = this.element;
    Object.assign(video, { muted: true, autoplay: true, playsInline: true, disablePictureInPicture: true, disableRemotePlayback: true });
    video.addEventListener('error', () => this.#break(video.error?.message ?? 'video'));
    video.addEventListener('waiting', () => this.#dry());
    video.addEventListener('pause', () => this.#play());
    video.requestVideoFrameCallback?.(() => this.tick());
    this.#source = new Source();
    this.#source.addEventListener('sourceopen', () => this.#open(), { once: true });
    this.#url = URL.createObjectURL(this.#source);
    video.src = this.#url;
  }

  #open() {
    URL.revokeObjectURL(this.#url);
    this.#pump();
  }

  #dry() {
    const now = performance.now();
    if (this.#startedAt && now - this.#startedAt > SETTLE_MS && !this.element.seeking) this.#lag.ranDry(now);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.element.muted = muted;
  }

  /** @param {Config} config of what follows */
  config(config) {
    this.#mime = mimeOf(config, this.#sound);
    this.#silent = !this.#sound && Boolean(config.audio);
  }

  /** @param {Uint8Array} bytes @param {number} at */
  push(bytes, at) {
    if (this.#closed) return;
    const init = isInit(bytes);
    if (this.#queued + bytes.byteLength > QUEUE_BYTES && !init) {
      // The decoder is far behind: what waits is old, and what follows cannot be shown before the next key picture.
      this.#queue = this.#queue.filter((item) => item.mime !== null);
      this.#queued = 0;
      this.#skipToKey = true;
    }
    try {
      // Which tracks there are is known once the init segment has come; nothing of use comes before it.
      if (init) this.#coming = this.#silent ? tracksOf(bytes) : null;
      const kept = !this.#coming ? bytes : init ? pictureOnly(bytes) : pictureFragments(bytes, this.#coming);
      if (!kept.byteLength) return;
      this.#queue.push({ bytes: kept, at, mime: init ? this.#mime : null });
      this.#queued += kept.byteLength;
    } catch (error) {
      this.#break(String(error));
      return;
    }
    this.#pump();
  }

  #pump() {
    const next = this.#queue[0];
    if (!next || this.#closed || this.#source.readyState !== 'open' || this.#buffer?.updating) return;
    try {
      if (next.mime !== null) this.#appendInit(next.bytes, next.mime);
      else this.#appendMedia();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') this.#makeRoom();
      else this.#break(String(error));
    }
  }

  /** @param {Uint8Array} bytes @param {string} mime */
  #appendInit(bytes, mime) {
    if (!this.#buffer) {
      this.#buffer = this.#source.addSourceBuffer(mime);
      this.#buffer.mode = 'segments';
      this.#buffer.addEventListener('updateend', () => this.#updated());
      this.#buffer.addEventListener('error', () => this.#break('append'));
    } else if (mime !== this.#appendedMime) this.#buffer.changeType(mime);
    this.#appendedMime = mime;
    this.#tracks = tracksOf(bytes);
    this.#shiftDue = true;
    this.#take(1);
    this.#buffer.appendBuffer(/** @type {BufferSource} */ (bytes));
  }

  #appendMedia() {
    const buffer = this.#buffer;
    if (!buffer) return this.#drop(1); // fragments before any init segment
    let count = 0;
    let size = 0;
    while (count < this.#queue.length && this.#queue[count].mime === null) {
      size += this.#queue[count].bytes.byteLength;
      count += 1;
    }
    let bytes = this.#queue[0].bytes;
    if (count > 1) {
      bytes = new Uint8Array(size);
      let to = 0;
      for (const item of this.#queue.slice(0, count)) {
        bytes.set(item.bytes, to);
        to += item.bytes.byteLength;
      }
    }
    this.#appendedAt = this.#queue[count - 1].at;
    if (this.#skipToKey || this.#shiftDue) {
      const samples = samplesOf(bytes, this.#tracks);
      if (this.#skipToKey) {
        if (!samples.some((item) => item.key && item.track.kind === 'video')) return this.#drop(count);
        this.#skipToKey = false;
      }
      if (this.#shiftDue && samples.length) {
        const first = Math.min(...samples.map((item) => item.dts_s));
        buffer.timestampOffset = (this.#end() ?? ORIGIN_S) - first;
        this.#shiftDue = false;
      }
    }
    buffer.appendBuffer(/** @type {BufferSource} */ (bytes));
    return this.#take(count);
  }

  /** @param {number} count */
  #take(count) {
    for (const item of this.#queue.splice(0, count)) this.#queued -= item.bytes.byteLength;
    this.#queued = Math.max(0, this.#queued);
  }

  /** @param {number} count */
  #drop(count) {
    this.#take(count);
    this.#pump();
  }

  #makeRoom() {
    const buffer = this.#buffer;
    const from = this.#start();
    const now = this.element.currentTime;
    if (!buffer || from === null) return this.#break('quota');
    this.#trimming = true;
    if (now - 1 > from) buffer.remove(0, now - 1);
    else {
      this.#skipToKey = true;
      buffer.remove(0, Infinity);
    }
    return undefined;
  }

  /** End of what is buffered. @returns {number | null} */
  #end() {
    const ranges = this.#buffer?.buffered;
    return ranges?.length ? ranges.end(ranges.length - 1) : null;
  }

  #start() {
    const ranges = this.#buffer?.buffered;
    return ranges?.length ? ranges.start(0) : null;
  }

  #updated() {
    if (this.#closed) return;
    const end = this.#end();
    if (end !== null && !this.#trimming) {
      const last = this.#marks.at(-1);
      if (!last || end > last.end_s) this.#marks.push({ end_s: end, at: this.#appendedAt });
      if (this.#marks.length > MOST_MARKS) this.#marks.splice(0, MOST_MARKS / 2);
    }
    this.#trimming = false;
    this.#follow();
    this.#pump();
  }

  /** Stay close to live. */
  #follow() {
    const video = this.element;
    const ranges = this.#buffer?.buffered;
    const end = this.#end();
    if (!ranges || end === null) return;
    const from = ranges.start(ranges.length - 1);
    if (!this.#startedAt || video.currentTime < from) {
      this.#startedAt ||= performance.now();
      video.currentTime = Math.max(from, end - this.#lag.aim_s);
      this.#play();
      return;
    }
    const { jumpTo_s, rate } = this.#lag.decide(end - video.currentTime, performance.now());
    if (jumpTo_s !== null && !video.seeking) video.currentTime = Math.max(from, end - jumpTo_s);
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  #play() {
    // Refused before a gesture only for sound, and then the muted picture still plays.
    if (!this.#closed && this.element.paused) this.element.play().catch(() => {});
  }

  /** A few times a second: what is on screen, and is the buffer short. @returns {number | null} when the shown picture came */
  tick() {
    if (this.#closed) return this.#shownAt;
    const video = this.element;
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    if (totalVideoFrames !== this.#frames && video.readyState >= 2 && !video.seeking) {
      this.#frames = totalVideoFrames;
      const mark = this.#marks.find((item) => item.end_s >= video.currentTime - 0.001) ?? this.#marks.at(-1);
      if (mark) {
        this.#marks.splice(0, this.#marks.indexOf(mark));
        if (this.#shownAt === null) this.#events.first();
        this.#shownAt = mark.at;
      }
    }
    this.#play();
    const start = this.#start();
    if (start !== null && !this.#buffer?.updating && video.currentTime - start > TRIM_AT_S) {
      this.#trimming = true;
      this.#buffer?.remove(0, video.currentTime - KEEP_BEHIND_S);
    }
    return this.#shownAt;
  }

  /** @returns {{source: CanvasImageSource, width: number, height: number} | null} */
  frame() {
    const { videoWidth: width, videoHeight: height } = this.element;
    return width && this.#shownAt !== null ? { source: this.element, width, height } : null;
  }

  /** @param {string} why */
  #break(why) {
    if (this.#closed) return;
    this.#events.broken(why);
  }

  /** Nothing more will come; the last picture stays on screen. */
  freeze() {
    this.#closed = true;
    this.#queue = [];
    this.element.pause();
  }

  close() {
    this.freeze();
    this.element.removeAttribute('src');
    this.element.load();
    this.element.remove();
  }
}

