// One picture through WebCodecs: each sample is decoded as it comes and drawn at once, with nothing buffered. For moving
// a camera, where every tenth of a second is felt. Needs a secure page; has no sound.
import { isInit, samplesOf, tracksOf } from './fmp4.js';

/** @import {Config, Screen, ScreenEvents} from './session.js' */

/** Samples the decoder may owe before older ones are given up. */
const MOST_BEHIND = 24;
const MOST_TIMES = 256;

export const webcodecsCan = () => typeof VideoDecoder !== 'undefined' && globalThis.isSecureContext;

/** @implements {Screen} */
export class CodecScreen {
  element = document.createElement('canvas');
  #events;
  #pen = /** @type {CanvasRenderingContext2D} */ (this.element.getContext('2d', { alpha: false, desynchronized: true }));
  /** @type {VideoDecoder | null} */ #decoder = null;
  /** @type {Config | null} */ #config = null;
  /** @type {import('./fmp4.js').Track[]} */ #tracks = [];
  #needKey = true;
  /** Samples that came in one message are not a sign of being behind. */ #allowed = MOST_BEHIND;
  /** When the sample of a time stamp (µs) came. @type {Map<number, number>} */ #times = new Map();
  /** @type {VideoFrame | null} */ #pending = null;
  #drawing = 0;
  /** @type {number | null} */ #shownAt = null;
  #closed = false;

  /** @param {ScreenEvents} events */
  constructor(events) {
    this.#events = events;
  }

  setMuted() {}

  /** @param {Config} config */
  config(config) {
    this.#config = config;
  }

  /** @param {Uint8Array} bytes @param {number} at */
  push(bytes, at) {
    if (this.#closed) return;
    try {
      if (isInit(bytes)) this.#begin(bytes);
      else this.#decode(samplesOf(bytes, this.#tracks), at);
    } catch (error) {
      this.#break(String(error));
    }
  }

  /** @param {Uint8Array} init */
  #begin(init) {
    this.#tracks = tracksOf(init);
    const track = this.#tracks.find((item) => item.kind === 'video');
    if (!track?.description || !this.#config) throw new Error('no picture track');
    this.#decoder?.close();
    this.#decoder = new VideoDecoder({
      output: (frame) => this.#show(frame),
      error: (error) => this.#break(String(error)),
    });
    this.#decoder.configure({ codec: this.#config.codec, description: track.description, optimizeForLatency: true });
    this.#needKey = true;
  }

  /** @param {import('./fmp4.js').Sample[]} samples @param {number} at */
  #decode(samples, at) {
    const decoder = this.#decoder;
    if (!decoder || decoder.state !== 'configured') return;
    const pictures = samples.filter((item) => item.track.kind === 'video');
    this.#allowed = Math.max(pictures.length + MOST_BEHIND, decoder.decodeQueueSize < MOST_BEHIND ? MOST_BEHIND : this.#allowed);
    if (decoder.decodeQueueSize > this.#allowed) this.#needKey = true;
    for (const item of pictures) {
      if (this.#needKey && !item.key) continue;
      this.#needKey = false;
      const timestamp = Math.round(item.pts_s * 1e6);
      this.#times.set(timestamp, at);
      decoder.decode(new EncodedVideoChunk({ type: item.key ? 'key' : 'delta', timestamp, data: item.data }));
    }
    if (this.#times.size > MOST_TIMES) {
      for (const key of [...this.#times.keys()].slice(0, MOST_TIMES / 2)) this.#times.delete(key);
    }
  }

  /** Only the newest decoded picture is drawn. @param {VideoFrame} frame */
  #show(frame) {
    this.#pending?.close();
    this.#pending = frame;
    if (this.#closed) return this.#discard();
    if (!this.#drawing) this.#drawing = requestAnimationFrame(() => this.#draw());
    return undefined;
  }

  #draw() {
    this.#drawing = 0;
    const frame = this.#pending;
    if (!frame || this.#closed) return this.#discard();
    const { displayWidth: width, displayHeight: height } = frame;
    if (this.element.width !== width || this.element.height !== height) Object.assign(this.element, { width, height });
    this.#pen.drawImage(frame, 0, 0, width, height);
    const came = this.#times.get(frame.timestamp) ?? performance.now();
    this.#discard();
    if (this.#shownAt === null) this.#events.first();
    this.#shownAt = came;
    return undefined;
  }

  #discard() {
    this.#pending?.close();
    this.#pending = null;
  }

  /** @returns {number | null} when the shown picture came */
  tick() {
    return this.#shownAt;
  }

  frame() {
    const { width, height } = this.element;
    return this.#shownAt === null ? null : { source: /** @type {CanvasImageSource} */ (this.element), width, height };
  }

  /** @param {string} why */
  #break(why) {
    if (!this.#closed) this.#events.broken(why);
  }

  /** Nothing more will come; the last picture stays on screen. */
  freeze() {
    this.#closed = true;
    if (this.#drawing) cancelAnimationFrame(this.#drawing);
    this.#discard();
    if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = null;
    this.#times.clear();
  }

  close() {
    this.freeze();
    this.element.remove();
  }
}
