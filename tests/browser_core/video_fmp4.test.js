import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pictureFragments, pictureOnly } from '../../static/src/video/fmp4-silent.js';
import { Fmp4Error, boxesIn, isInit, samplesOf, tracksOf } from '../../static/src/video/fmp4.js';

/** @param {...(number | number[] | Uint8Array | string)} parts numbers are 32 bits */
function join(...parts) {
  /** @type {number[]} */
  const bytes = [];
  for (const part of parts) {
    if (typeof part === 'number') bytes.push((part >>> 24) & 255, (part >>> 16) & 255, (part >>> 8) & 255, part & 255);
    else if (typeof part === 'string') bytes.push(...[...part].map((letter) => letter.charCodeAt(0)));
    else bytes.push(...part);
  }
  return new Uint8Array(bytes);
}

/** @param {string} name @param {...(number | number[] | Uint8Array | string)} parts */
function box(name, ...parts) {
  const body = join(...parts);
  return join(body.length + 8, name, body);
}

const zeros = (/** @type {number} */ n) => new Uint8Array(n);
const AVCC = [1, 0x64, 0, 0x1f, 0xff, 0xe1];

/** @param {number} id @param {string} handler @param {number} timescale @param {Uint8Array} entry */
const trak = (id, handler, timescale, entry) =>
  box('trak', box('tkhd', 0, 0, 0, id, zeros(64)), box('mdia',
    box('mdhd', 0, 0, 0, timescale, 0, 0), box('hdlr', 0, 0, handler, zeros(12)),
    box('minf', box('stbl', box('stsd', 0, 1, entry)))));

const INIT = join(
  box('ftyp', 'iso6', 0),
  box('moov', box('mvhd', zeros(100)),
    trak(1, 'vide', 90_000, box('avc1', zeros(78), box('avcC', AVCC), box('pasp', 1, 1))),
    trak(2, 'soun', 8_000, box('mp4a', zeros(28))),
    box('mvex', box('trex', 0, 1, 1, 3600, 0, 0x10000), box('trex', 0, 2, 1, 1024, 0, 0))));

/** One picture or sound in a fragment, as the service writes them.
 * @param {object} what @param {number} what.track @param {number} what.dts @param {boolean} [what.key] @param {number} [what.shift]
 * @param {number[]} what.data @param {number} [what.duration]
 */
function fragment({ track, dts, key = false, shift = 0, data, duration = 3600 }) {
  const make = (/** @type {number} */ offset) =>
    box('moof', box('mfhd', 0, 1), box('traf', box('tfhd', 0x020000, track), box('tfdt', 0x01000000, 0, dts),
      box('trun', 0x01000f01, 1, offset, duration, data.length, key ? 0x02000000 : 0x01010000, shift)));
  return join(make(make(0).length + 8), box('mdat', data));
}

test('an init segment tells its tracks and how to set up a decoder', () => {
  assert.ok(isInit(INIT));
  assert.ok(!isInit(fragment({ track: 1, dts: 0, data: [1] })));
  const [picture, sound] = tracksOf(INIT);
  assert.deepEqual([picture.id, picture.kind, picture.timescale, picture.durationDefault], [1, 'video', 90_000, 3600]);
  assert.deepEqual([...(picture.description ?? [])], AVCC);
  assert.deepEqual([sound.id, sound.kind, sound.description], [2, 'audio', null]);
});

test('fragments one after another give their samples with times, keys and bytes', () => {
  const tracks = tracksOf(INIT);
  const bytes = join(
    fragment({ track: 1, dts: 900_000, key: true, data: [1, 2, 3] }),
    fragment({ track: 2, dts: 80_000, data: [9], duration: 1024 }),
    fragment({ track: 1, dts: 903_600, shift: 7200, data: [4, 5] }),
    fragment({ track: 1, dts: 907_200, shift: -3600, data: [6] }),
  );
  const samples = samplesOf(bytes, tracks);
  assert.deepEqual(samples.map((item) => [item.track.id, item.dts_s, item.key, [...item.data]]), [
    [1, 10, true, [1, 2, 3]], [2, 10, false, [9]], [1, 10.04, false, [4, 5]], [1, 10.08, false, [6]],
  ]);
  assert.deepEqual(samples.map((item) => Math.round(item.pts_s * 1000)), [10_000, 10_000, 10_120, 10_040]);
  assert.equal(samples[0].duration_s, 0.04);
});

test('a run of several samples leans on its defaults', () => {
  const tracks = tracksOf(INIT);
  const make = (/** @type {number} */ offset) =>
    box('moof', box('traf', box('tfhd', 0x020010, 1, 2), box('tfdt', 0, 7200), box('trun', 0x000005, 3, offset, 0x02000000)));
  const samples = samplesOf(join(make(make(0).length + 8), box('mdat', [1, 2, 3, 4, 5, 6])), tracks);
  assert.deepEqual(samples.map((item) => [item.key, [...item.data]]), [[true, [1, 2]], [false, [3, 4]], [false, [5, 6]]]);
  assert.deepEqual(samples.map((item) => Math.round(item.dts_s * 90_000)), [7200, 10_800, 14_400]);
});

test('a muted picture is taken without its sound', () => {
  const tracks = tracksOf(INIT);
  const silent = pictureOnly(INIT);
  assert.deepEqual(tracksOf(silent).map((track) => [track.id, track.kind, track.durationDefault]), [[1, 'video', 3600]]);
  assert.deepEqual([...boxesIn(silent)].map((part) => part.name), ['ftyp', 'moov']);
  assert.equal(pictureOnly(silent), silent, 'nothing to leave out, nothing copied');
  const picture = fragment({ track: 1, dts: 0, key: true, data: [1] });
  const sound = fragment({ track: 2, dts: 0, data: [2] });
  assert.deepEqual(pictureFragments(join(sound, picture, sound), tracks), picture);
  assert.equal(pictureFragments(picture, tracks), picture);
  assert.equal(pictureFragments(sound, tracks).byteLength, 0);
});

test('cut, wrong and hostile bytes are one kind of error and never more', () => {
  const tracks = tracksOf(INIT);
  const whole = fragment({ track: 1, dts: 0, key: true, data: [1, 2, 3, 4] });
  for (let cut = 1; cut < whole.length; cut += 1) {
    try {
      samplesOf(whole.subarray(0, cut), tracks);
    } catch (error) {
      assert.ok(error instanceof Fmp4Error, `${cut}: ${error}`);
    }
  }
  for (let cut = 0; cut < INIT.length; cut += 7) {
    try {
      tracksOf(INIT.subarray(0, cut));
    } catch (error) {
      assert.ok(error instanceof Fmp4Error, `${cut}: ${error}`);
    }
  }
  assert.throws(() => [...boxesIn(join(4, 'free'))], Fmp4Error);
  assert.throws(() => [...boxesIn(join(0xffffffff, 'free'))], Fmp4Error);
  assert.throws(() => samplesOf(fragment({ track: 7, dts: 0, data: [1] }), tracks), Fmp4Error);
  let seed = 7;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  for (let n = 0; n < 3000; n += 1) {
    const bytes = whole.slice();
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    try {
      for (const item of samplesOf(bytes, tracks)) assert.ok(item.data.byteLength <= bytes.length);
    } catch (error) {
      assert.ok(error instanceof Fmp4Error, String(error));
    }
  }
});
