// The cameras on the wall: the tours that run now, and before them what stands near a grave incident.
import { call } from '../api.js';
import { isDown } from '../video/shown.js';
import { minuteOfDay } from '../time.js';
import { CameraCell } from './camera-cell.js';
import { graveIncidents } from './figures.js';
import { TourClock, pinsOf, playList } from './tour.js';

/** @import {Board, Camera} from '../../types/wire.d.ts' */
/** @import {Feed} from '../feed.js' */
/** @import {Pinned, Slot} from './tour.js' */

export const TILES = 4;
const ASK_NEAR = 8;
const ASK_AGAIN_MS = 60_000;
const GIVEN_UP_MS = 120_000;
const LIST_EVERY_MS = 5_000;

/** @typedef {Camera & {distance_m: number}} NearCamera */

export class CameraShow {
  #feed;
  #clock = new TourClock(TILES);
  /** @type {(CameraCell | null)[]} */ #cells = Array.from({ length: TILES }, () => null);
  /** @type {Map<string, {at: number, items: NearCamera[]}>} by incident */ #near = new Map();
  /** @type {Map<string, number>} never gave a picture: not tried again before */ #givenUp = new Map();
  /** @type {import('./tour.js').Turn[]} */ #list = [];
  #listAt = -Infinity;
  /** @type {unknown} */ #listOf = null;

  /** @param {Feed} feed */
  constructor(feed) {
    this.#feed = feed;
  }

  /** Once a second: who is shown, and the pictures follow. @returns {(Slot | null)[]} */
  tick() {
    const { board } = this.#feed;
    const nowMs = this.#feed.serverNow();
    for (const cell of this.#cells) {
      if (this.#feed.state === 'live') cell?.revive();
      const id = cell?.givenUp;
      if (id) this.#givenUp.set(id, nowMs + GIVEN_UP_MS);
    }
    for (const [id, until] of this.#givenUp) if (until < nowMs) this.#givenUp.delete(id);
    const slots = this.#clock.step({
      nowMs,
      list: this.#turns(board, nowMs),
      pins: this.#pins(board, nowMs),
      isUp: (id) => this.#isUp(board.cameras[id]),
      isReady: (id, index) => this.#cells[index]?.isReady(id) ?? false,
    });
    slots.forEach((slot, index) => {
      if (slot && board.cameras[slot.id]) this.#cells[index] ??= new CameraCell(() => this.#feed.serverNow());
      else this.#close(index);
    });
    return slots;
  }

  /** Going through fifteen thousand cameras for their groups is not done every second. @param {Board} board @param {number} nowMs */
  #turns(board, nowMs) {
    if (nowMs - this.#listAt > LIST_EVERY_MS || this.#listOf !== board.tours) {
      this.#listAt = nowMs;
      this.#listOf = board.tours;
      this.#list = playList(board.tours, board.cameras, minuteOfDay(nowMs));
    }
    return this.#list;
  }

  /** @param {Camera | undefined} camera */
  #isUp(camera) {
    return Boolean(camera && camera.source !== null && !isDown(camera.status) && !this.#givenUp.has(camera.id));
  }

  /** @param {Board} board @param {number} nowMs @returns {Pinned[]} */
  #pins(board, nowMs) {
    const grave = graveIncidents(board).slice(0, 2);
    const ids = new Set(grave.map((item) => item.id));
    for (const id of this.#near.keys()) if (!ids.has(id)) this.#near.delete(id);
    for (const incident of grave) {
      const known = this.#near.get(incident.id);
      if (!known || nowMs - known.at > ASK_AGAIN_MS) void this.#askNear(incident.id, incident.lon, incident.lat, nowMs);
    }
    const incidents = grave.map((incident) => ({ incidentId: incident.id, near: this.#near.get(incident.id)?.items ?? [] }));
    return pinsOf(incidents, TILES, (camera) => this.#isUp(board.cameras[camera.id])).map(({ incidentId, camera }) => ({
      id: camera.id, incidentId, distance_m: camera.distance_m,
    }));
  }

  /** @param {string} id @param {number} lon @param {number} lat @param {number} nowMs */
  async #askNear(id, lon, lat, nowMs) {
    this.#near.set(id, { at: nowMs, items: this.#near.get(id)?.items ?? [] });
    try {
      const { items } = await call('GET', `/cameras/near?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}&limit=${ASK_NEAR}`, undefined, { redirect: false });
      if (this.#near.has(id)) this.#near.set(id, { at: nowMs, items });
    } catch (error) {
      console.warn('cameras', error); // the tour goes on; asked again in a minute
    }
  }

  /** @param {number} index @returns {CameraCell | null} */
  cell(index) {
    return this.#cells[index];
  }

  /** Numbers for the map. @returns {{camera: Camera, number: number}[]} */
  pins() {
    return this.#clock.slots.flatMap((slot, index) => {
      const camera = slot && this.#feed.board.cameras[slot.id];
      return camera ? [{ camera, number: index + 1 }] : [];
    });
  }

  get slots() {
    return this.#clock.slots;
  }

  /** @param {number} index */
  #close(index) {
    this.#cells[index]?.close();
    this.#cells[index] = null;
  }
}
