// Reads our own fragmented MP4: tracks of an init segment, and the samples of the fragments that follow.
//
// Only what the service writes is understood (ISO/IEC 14496-12: moov with trak and trex, moof with tfhd, tfdt, trun,
// then one mdat). Anything else is a fault of the stream and ends the session; nothing here ever reads past the bytes.

/**
 * @typedef {object} Track
 * @property {number} id
 * @property {'video' | 'audio' | 'other'} kind
 * @property {number} timescale units per second
 * @property {Uint8Array | null} description contents of avcC or hvcC
 * @property {number} durationDefault
 * @property {number} sizeDefault bytes
 * @property {number} flagsDefault
 *
 * @typedef {object} Sample
 * @property {Track} track
 * @property {number} dts_s when to decode, seconds
 * @property {number} pts_s when to show, seconds
 * @property {number} duration_s
 * @property {boolean} key a decoder may start here
 * @property {Uint8Array} data a view, not a copy
 */

/** The bytes are not what the service writes. */
export class Fmp4Error extends Error {}

const NON_SYNC = 0x10000;
const BEFORE_DESCRIPTION_BYTES = 78;

/** @param {Uint8Array} bytes */
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {Uint8Array} bytes @param {number} at */
const nameAt = (bytes, at) => String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);

/**
 * The boxes of a range, in order.
 * @param {Uint8Array} bytes @param {number} [from] @param {number} [to]
 * @returns {Generator<{name: string, start: number, body: number, end: number}>}
 */
export function* boxesIn(bytes, from = 0, to = bytes.byteLength) {
  const view = viewOf(bytes);
  let at = from;
  while (at < to) {
    if (at + 8 > to) throw new Fmp4Error('cut box');
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1) {
      if (at + 16 > to) throw new Fmp4Error('cut box');
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    }
    if (size < head || at + size > to) throw new Fmp4Error(`box of ${size} bytes in ${to - at}`);
    yield { name: nameAt(bytes, at + 4), start: at, body: at + head, end: at + size };
    at += size;
  }
}

/** Does an init segment begin here? @param {Uint8Array} bytes */
export const isInit = (bytes) => bytes.byteLength >= 8 && nameAt(bytes, 4) === 'ftyp';

/**
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} to
 * @param {string} name
 */
export function find(bytes, from, to, name) {
  for (const box of boxesIn(bytes, from, to)) if (box.name === name) return box;
  throw new Fmp4Error(`no ${name}`);
}

/** @template T @param {() => T} read @returns {T} */
export function guarded(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new Fmp4Error('cut short');
    throw error;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Track[]}
 */
export function tracksOf(bytes) {
  return guarded(() => {
    const view = viewOf(bytes);
    const moov = find(bytes, 0, bytes.byteLength, 'moov');
    /** @type {Track[]} */
    const tracks = [];
    for (const box of boxesIn(bytes, moov.body, moov.end)) {
      if (box.name === 'trak') tracks.push(trackOf(bytes, view, box));
      if (box.name !== 'mvex') continue;
      for (const trex of boxesIn(bytes, box.body, box.end)) {
        if (trex.name !== 'trex') continue;
        const track = tracks.find((item) => item.id === view.getUint32(trex.body + 4));
        if (!track) continue;
        track.durationDefault = view.getUint32(trex.body + 12);
        track.sizeDefault = view.getUint32(trex.body + 16);
        track.flagsDefault = view.getUint32(trex.body + 20);
      }
    }
    return tracks;
  });
}

/**
 * @param {Uint8Array} bytes @param {DataView} view @param {{body: number, end: number}} trak
 * @returns {Track}
 */
function trackOf(bytes, view, trak) {
  const tkhd = find(bytes, trak.body, trak.end, 'tkhd');
  const mdia = find(bytes, trak.body, trak.end, 'mdia');
  const mdhd = find(bytes, mdia.body, mdia.end, 'mdhd');
  const handler = nameAt(bytes, find(bytes, mdia.body, mdia.end, 'hdlr').body + 8);
  const wide = bytes[mdhd.body] === 1;
  const timescale = view.getUint32(mdhd.body + (wide ? 20 : 12));
  if (!timescale) throw new Fmp4Error('no timescale');
  return {
    id: trackIdOf(bytes, view, tkhd),
    kind: handler === 'vide' ? 'video' : handler === 'soun' ? 'audio' : 'other',
    timescale,
    description: handler === 'vide' ? descriptionOf(bytes, mdia) : null,
    durationDefault: 0,
    sizeDefault: 0,
    flagsDefault: 0,
  };
}

/** @param {Uint8Array} bytes @param {DataView} view @param {{body: number}} tkhd */
export const trackIdOf = (bytes, view, tkhd) => view.getUint32(tkhd.body + (bytes[tkhd.body] === 1 ? 20 : 12));

/** @param {Uint8Array} bytes @param {{body: number, end: number}} mdia */
function descriptionOf(bytes, mdia) {
  const minf = find(bytes, mdia.body, mdia.end, 'minf');
  const stbl = find(bytes, minf.body, minf.end, 'stbl');
  const stsd = find(bytes, stbl.body, stbl.end, 'stsd');
  for (const entry of boxesIn(bytes, stsd.body + 8, stsd.end)) {
    for (const box of boxesIn(bytes, entry.body + BEFORE_DESCRIPTION_BYTES, entry.end)) {
      if (box.name === 'avcC' || box.name === 'hvcC') return bytes.slice(box.body, box.end);
    }
  }
  return null;
}

/**
 * The samples of whole fragments, in the order they came.
 * @param {Uint8Array} bytes
 * @param {Track[]} tracks
 * @returns {Sample[]}
 */
export function samplesOf(bytes, tracks) {
  return guarded(() => {
    /** @type {Sample[]} */
    const samples = [];
    const view = viewOf(bytes);
    for (const box of boxesIn(bytes)) {
      if (box.name !== 'moof') continue;
      for (const traf of boxesIn(bytes, box.body, box.end)) {
        if (traf.name === 'traf') readTraf(bytes, view, box.start, traf, tracks, samples);
      }
    }
    return samples;
  });
}

/**
 * @param {Uint8Array} bytes @param {DataView} view @param {number} base where the moof begins
 * @param {{body: number, end: number}} traf @param {Track[]} tracks @param {Sample[]} samples
 */
function readTraf(bytes, view, base, traf, tracks, samples) {
  const tfhd = find(bytes, traf.body, traf.end, 'tfhd');
  const track = tracks.find((item) => item.id === view.getUint32(tfhd.body + 4));
  if (!track) throw new Fmp4Error('fragment of an unknown track');
  const defaults = view.getUint32(tfhd.body) & 0xffffff;
  let at = tfhd.body + 8;
  if (defaults & 0x1) at += 8;
  if (defaults & 0x2) at += 4;
  /** @param {number} bit @param {number} otherwise */
  const next = (bit, otherwise) => {
    if (!(defaults & bit)) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  const duration = next(0x8, track.durationDefault);
  const size = next(0x10, track.sizeDefault);
  const flags = next(0x20, track.flagsDefault);
  const tfdt = find(bytes, traf.body, traf.end, 'tfdt');
  let dts = bytes[tfdt.body] === 1 ? Number(view.getBigUint64(tfdt.body + 4)) : view.getUint32(tfdt.body + 4);
  for (const trun of boxesIn(bytes, traf.body, traf.end)) {
    if (trun.name !== 'trun') continue;
    dts = readTrun(bytes, view, base, trun.body, { track, dts, duration, size, flags }, samples);
  }
}

/**
 * @param {Uint8Array} bytes @param {DataView} view @param {number} base @param {number} body
 * @param {{track: Track, dts: number, duration: number, size: number, flags: number}} run
 * @param {Sample[]} samples
 * @returns {number} dts after the run
 */
function readTrun(bytes, view, base, body, run, samples) {
  const has = view.getUint32(body) & 0xffffff;
  const signed = bytes[body] === 1;
  const count = view.getUint32(body + 4);
  let at = body + 8;
  let offset = base;
  if (has & 0x1) {
    offset += view.getInt32(at);
    at += 4;
  }
  let first = null;
  if (has & 0x4) {
    first = view.getUint32(at);
    at += 4;
  }
  /** @param {number} bit @param {number} otherwise */
  const next = (bit, otherwise) => {
    if (!(has & bit)) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  let { dts } = run;
  const { track } = run;
  for (let n = 0; n < count; n += 1) {
    const duration = next(0x100, run.duration);
    const size = next(0x200, run.size);
    const flags = next(0x400, n === 0 && first !== null ? first : run.flags);
    let shift = 0;
    if (has & 0x800) {
      shift = signed ? view.getInt32(at) : view.getUint32(at);
      at += 4;
    }
    if (offset < 0 || offset + size > bytes.byteLength) throw new Fmp4Error('sample outside the fragment');
    samples.push({
      track,
      dts_s: dts / track.timescale,
      pts_s: (dts + shift) / track.timescale,
      duration_s: duration / track.timescale,
      key: !(flags & NON_SYNC),
      data: bytes.subarray(offset, offset + size),
    });
    dts += duration;
    offset += size;
  }
  return dts;
}
