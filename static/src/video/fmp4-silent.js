// Leaves the sound out of a stream: init segments lose its track, fragments of sound are dropped.
import { boxesIn, find, guarded, trackIdOf, tracksOf, viewOf } from './fmp4.js';

/** @import {Track} from './fmp4.js' */

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.byteLength;
  }
  return whole;
}

/** A box with another body. @param {Uint8Array} bytes @param {{start: number}} box @param {Uint8Array[]} body */
function rebuilt(bytes, box, body) {
  const whole = joined([bytes.subarray(box.start, box.start + 8), ...body]);
  viewOf(whole).setUint32(0, whole.byteLength);
  return whole;
}

/**
 * An init segment without its sound, so that a muted picture neither decodes nor waits for any.
 * @param {Uint8Array} init
 */
export function pictureOnly(init) {
  return guarded(() => {
    const view = viewOf(init);
    const silent = new Set(tracksOf(init).filter((track) => track.kind !== 'video').map((track) => track.id));
    if (!silent.size) return init;
    const parts = [];
    for (const box of boxesIn(init)) {
      if (box.name !== 'moov') parts.push(init.subarray(box.start, box.end));
      else parts.push(rebuilt(init, box, moovParts(init, view, box, silent)));
    }
    return joined(parts);
  });
}

/** @param {Uint8Array} init @param {DataView} view @param {{body: number, end: number}} moov @param {Set<number>} silent */
function moovParts(init, view, moov, silent) {
  const parts = [];
  for (const box of boxesIn(init, moov.body, moov.end)) {
    if (box.name === 'trak') {
      if (silent.has(trackIdOf(init, view, find(init, box.body, box.end, 'tkhd')))) continue;
    }
    if (box.name === 'mvex') {
      const kept = [...boxesIn(init, box.body, box.end)].filter((item) => item.name !== 'trex' || !silent.has(view.getUint32(item.body + 4)));
      parts.push(rebuilt(init, box, kept.map((item) => init.subarray(item.start, item.end))));
    } else parts.push(init.subarray(box.start, box.end));
  }
  return parts;
}

/**
 * Fragments without those of sound. Sound comes in fragments of its own.
 * @param {Uint8Array} bytes
 * @param {Track[]} tracks
 */
export function pictureFragments(bytes, tracks) {
  return guarded(() => {
    const view = viewOf(bytes);
    const pictures = new Set(tracks.filter((track) => track.kind === 'video').map((track) => track.id));
    let keep = true;
    let whole = true;
    const parts = [];
    for (const box of boxesIn(bytes)) {
      if (box.name === 'moof') {
        const traf = find(bytes, box.body, box.end, 'traf');
        keep = pictures.has(view.getUint32(find(bytes, traf.body, traf.end, 'tfhd').body + 4));
      }
      if (keep) parts.push(bytes.subarray(box.start, box.end));
      else whole = false;
    }
    return whole ? bytes : joined(parts);
  });
}
