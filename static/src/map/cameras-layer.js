// The cameras of the register on the live map, with what belongs to one of them: its wedge, its number, its last picture
// under the pointer.
//
// A whole county of cameras is sent to the map once; after that only what changed.
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { nowMs } from '../video/clock.js';
import { element, say, stateMark } from '../video/dom.js';
import { statusMark } from '../video/shown.js';
import { mayHaveStill, thumbnail } from '../video/thumbnail.js';
import { faultWords, statusWords } from '../video/words.js';
import { sectorOf } from './sector.js';

/** @import {Camera} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Pin
 * @property {Camera} camera
 * @property {number} number
 *
 * @typedef {object} Host
 * @property {any} gl the MapLibre map
 * @property {number} scale of marks
 * @property {(name: string, features: object[]) => void} fill
 * @property {(name: string) => any} source null while the style is not there
 */

const CHANGES_AT_ONCE = 400;
const PIN_GAP_PX = 22;
const PIN_FOOT_PX = 2;
const HOVER_MS = 180;
const CARD_PX = { width: 208, height: 158, gap: 14 };

/** @param {Camera} camera */
const propertiesOf = (camera) => ({ id: camera.id, mark: statusMark(camera.status) });

/** @param {Camera} camera */
export const featureOf = (camera) => ({
  type: 'Feature',
  properties: propertiesOf(camera),
  geometry: { type: 'Point', coordinates: [camera.lon, camera.lat] },
});

/**
 * What the map must be told, or null when telling it everything again is less work.
 * @param {Record<string, Camera>} before
 * @param {Record<string, Camera>} after
 */
export function differenceOf(before, after) {
  const add = [];
  const update = [];
  const remove = [];
  for (const id in after) {
    const [old, camera] = [before[id], after[id]];
    if (old === camera) continue;
    if (!old) add.push(featureOf(camera));
    else {
      const moved = old.lon !== camera.lon || old.lat !== camera.lat;
      const mark = statusMark(camera.status);
      if (!moved && mark === statusMark(old.status)) continue;
      update.push({
        id,
        addOrUpdateProperties: [{ key: 'mark', value: mark }],
        ...(moved ? { newGeometry: featureOf(camera).geometry } : {}),
      });
    }
    if (add.length + update.length > CHANGES_AT_ONCE) return null;
  }
  for (const id in before) if (!(id in after)) remove.push(id);
  return remove.length > CHANGES_AT_ONCE ? null : { add, update, remove };
}

/**
 * How far pins must step aside, in px, so that each number can be read: those in one heap stand in a row above it.
 * @param {{x: number, y: number}[]} places on screen
 * @param {number} gap_px
 * @returns {[number, number][]}
 */
export function spread(places, gap_px) {
  /** @type {[number, number][]} */
  const aside = places.map(() => [0, 0]);
  const left = new Set(places.keys());
  for (const first of places.keys()) {
    if (!left.delete(first)) continue;
    const heap = [first];
    for (const at of heap) {
      for (const other of [...left]) {
        if (Math.hypot(places[at].x - places[other].x, places[at].y - places[other].y) >= gap_px) continue;
        left.delete(other);
        heap.push(other);
      }
    }
    if (heap.length < 2) continue;
    const middle = heap.reduce((sum, at) => sum + places[at].x, 0) / heap.length;
    const top = Math.min(...heap.map((at) => places[at].y));
    heap.sort((a, b) => a - b).forEach((at, nth) => {
      const x = middle + (nth - (heap.length - 1) / 2) * gap_px;
      aside[at] = [Math.round(x - places[at].x), Math.round(top - places[at].y)];
    });
  }
  return aside;
}

export class CamerasLayer {
  #host;
  /** @type {Record<string, Camera>} */ #cameras = {};
  /** The map has the whole of `#cameras` in its present style. */ #whole = false;
  /** @type {string | null} */ #focus = null;
  /** @type {string | null} */ #hovered = null;
  /** @type {Pin[]} */ #pins = [];
  #viewsKey = '';
  #pinsKey = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #card = element('div', 'map-cam');
  #picture = element('img', '', { alt: '' });
  #none = element('p');
  #name = element('b');
  #state = element('span');
  #word = element('span');
  #time = element('small');

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.#state.append(stateMark(), this.#word);
    this.#card.append(this.#picture, this.#none, this.#name, this.#state, this.#time);
    this.#card.hidden = true;
    this.#card.dataset.testid = 'camera-card';
  }

  /** Goes into the map's overlay. */
  get card() {
    return this.#card;
  }

  /** A new style has been filled with the collections this layer gave last. */
  installed() {
    this.#whole = false;
    this.#viewsKey = this.#pinsKey = '';
    this.set(this.#cameras);
    this.#draw();
  }

  /** @param {Record<string, Camera>} cameras by id */
  set(cameras) {
    const before = this.#cameras;
    this.#cameras = cameras;
    const source = this.#host.source('cameras');
    const change = this.#whole && source?.updateData ? differenceOf(before, cameras) : null;
    if (!change) {
      this.#whole = Boolean(source);
      this.#host.fill('cameras', Object.values(cameras).map(featureOf));
    } else if (change.add.length || change.update.length || change.remove.length) source.updateData(change);
    this.#draw();
  }

  /** @param {string} id */
  camera(id) {
    return this.#cameras[id] ?? this.#pins.find((pin) => pin.camera.id === id)?.camera ?? null;
  }

  /** The selected one. @param {string | null} id */
  setFocus(id) {
    this.#focus = id;
    this.#draw();
  }

  /** Those whose pictures are shown, with the numbers on the pictures. @param {Pin[]} pins */
  setPins(pins) {
    this.#pins = pins;
    this.#draw();
  }

  /** The view changed its scale. */
  moved() {
    this.#draw();
    this.place();
  }

  #draw() {
    const { gl, scale } = this.#host;
    const aside = this.#pins.length ? spread(this.#pins.map(({ camera }) => gl.project([camera.lon, camera.lat])), PIN_GAP_PX * scale) : [];
    const pinsKey = this.#pins.map(({ camera, number }, nth) => `${number}:${camera.id}:${camera.lon}:${camera.lat}:${aside[nth]}`).join();
    if (pinsKey !== this.#pinsKey) {
      this.#pinsKey = pinsKey;
      this.#host.fill('camera-pins', this.#pins.map(({ camera, number }, nth) => ({
        type: 'Feature',
        properties: { id: camera.id, number, aside: [aside[nth][0] / scale, aside[nth][1] / scale + PIN_FOOT_PX] },
        geometry: { type: 'Point', coordinates: [camera.lon, camera.lat] },
      })));
    }
    const shown = new Map(this.#pins.map(({ camera }) => [camera.id, false]));
    for (const id of [this.#focus, this.#hovered]) if (id) shown.set(id, true);
    const views = [...shown].flatMap(([id, strong]) => {
      const camera = this.camera(id);
      const ring = camera ? sectorOf(camera) : null;
      return ring ? [{ id, strong, ring }] : [];
    });
    const viewsKey = views.map(({ id, strong, ring }) => `${id}:${strong}:${ring[1]}`).join('|');
    if (viewsKey === this.#viewsKey) return;
    this.#viewsKey = viewsKey;
    this.#host.fill('camera-views', views.map(({ id, strong, ring }) => ({
      type: 'Feature', properties: { id, strong }, geometry: { type: 'Polygon', coordinates: [ring] },
    })));
  }

  // ── Under the pointer ──────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {string | null} id */
  hover(id) {
    if (id === this.#hovered) return;
    this.#hovered = id;
    clearTimeout(this.#timer);
    this.#card.hidden = true;
    this.#draw();
    if (id) this.#timer = setTimeout(() => this.#open(id), HOVER_MS);
  }

  /** @param {string} id */
  #open(id) {
    const camera = this.camera(id);
    if (!camera) return;
    this.#card.dataset.mark = { live: 'full', late: 'half', offline: 'hollow', unknown: 'dotted' }[statusMark(camera.status)];
    say(this.#name, camera.name);
    say(this.#word, [statusWords(camera.status), faultWords(camera.fault)].filter(Boolean).join(' · '));
    say(this.#none, t(camera.source === null ? 'camera.no_view.no_source' : 'camera.no_picture'));
    say(this.#time, '');
    this.#picture.hidden = true;
    this.#none.hidden = false;
    this.#card.hidden = false;
    this.place();
    if (!mayHaveStill(camera)) return;
    void thumbnail(id).then((still) => {
      if (!still || this.#hovered !== id) return;
      this.#picture.src = still.url;
      this.#picture.hidden = false;
      this.#none.hidden = true;
      if (still.takenAt !== null) {
        const age = durationText((nowMs() - still.takenAt) / 1000);
        say(this.#time, `${timeOfDay(still.takenAt, { seconds: true })} · ${t('camera.age.ago', { age })}`);
      }
    });
  }

  /** Keep the card beside its camera. */
  place() {
    const camera = this.#hovered ? this.camera(this.#hovered) : null;
    if (this.#card.hidden || !camera) return;
    const { gl } = this.#host;
    const at = gl.project([camera.lon, camera.lat]);
    const { clientWidth: width, clientHeight: height } = gl.getContainer();
    const x = at.x + CARD_PX.gap + CARD_PX.width > width ? at.x - CARD_PX.gap - CARD_PX.width : at.x + CARD_PX.gap;
    const y = Math.max(8, Math.min(height - CARD_PX.height - 8, at.y - CARD_PX.height / 2));
    this.#card.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
