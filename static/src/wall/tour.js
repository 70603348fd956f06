// Which cameras the wall shows, and for how long. Pure: tours, cameras and the time go in, what each tile shows comes
// out. Tiles change one after another, never all at once, and only to a picture that is already there.

/** @import {Camera, Tour} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Turn one camera of the play list
 * @property {string} id
 * @property {number} dwell_ms
 *
 * @typedef {object} Pinned a camera near a grave incident
 * @property {string} id
 * @property {string} incidentId
 * @property {number} distance_m
 *
 * @typedef {object} Slot what a tile shows
 * @property {string} id of the camera
 * @property {Pinned | null} pinned
 * @property {number} since epoch ms
 * @property {number | null} until epoch ms; null: nothing takes its place
 * @property {string | null} next to be opened behind the picture now
 */

/** The next picture is opened this long before its turn. */
export const LEAD_MS = 6_000;
/** A picture that is not there by now loses its turn. */
const PATIENCE_MS = 6_000;
const DAY_MIN = 24 * 60;

/** @param {string | null} text "HH:MM" */
function minutesOf(text) {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text ?? '');
  return match ? (Number(match[1]) * 60 + Number(match[2])) % DAY_MIN : null;
}

/**
 * Does a tour run at this time of day? A window may pass midnight; without one it runs all day.
 * @param {Pick<Tour, 'from' | 'to' | 'enabled'>} tour
 * @param {number} minute of the district's day
 */
export function isRunning({ from, to, enabled }, minute) {
  if (!enabled) return false;
  const [start, end] = [minutesOf(from), minutesOf(to)];
  if (start === null || end === null || start === end) return true;
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

/**
 * The cameras of all running tours, each once, in the order of the tours' names.
 * @param {Record<string, Tour>} tours
 * @param {Record<string, Camera>} cameras
 * @param {number} minute of the district's day
 * @returns {Turn[]}
 */
export function playList(tours, cameras, minute) {
  /** @type {Map<string, Turn>} */
  const turns = new Map();
  const running = Object.values(tours).filter((tour) => isRunning(tour, minute));
  running.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  for (const tour of running) {
    const grouped = tour.group
      ? Object.values(cameras).filter((camera) => camera.tour_groups?.includes(/** @type {string} */ (tour.group))).map((camera) => camera.id).sort()
      : [];
    for (const id of [...tour.camera_ids, ...grouped]) {
      if (!turns.has(id) && cameras[id]) turns.set(id, { id, dwell_ms: Math.max(3, tour.dwell_s) * 1000 });
    }
  }
  return [...turns.values()];
}

export class TourClock {
  /** @type {(Slot | null)[]} */ slots;
  /** Where the list was last taken from. */ #at = -1;
  /** @type {Map<string, number>} passed over until then */ #passed = new Map();

  /** @param {number} count of tiles */
  constructor(count) {
    this.slots = Array.from({ length: count }, () => null);
  }

  /**
   * @param {object} now
   * @param {number} now.nowMs
   * @param {Turn[]} now.list
   * @param {Pinned[]} now.pins most important first
   * @param {(id: string) => boolean} now.isUp worth showing at all
   * @param {(id: string, slot: number) => boolean} now.isReady its picture stands behind the tile
   * @returns {(Slot | null)[]}
   */
  step({ nowMs, list, pins, isUp, isReady }) {
    const count = this.slots.length;
    const shownPins = pins.slice(0, count);
    const turns = new Map(list.map((turn) => [turn.id, turn]));
    const before = this.slots;
    const pinnedIds = new Set(shownPins.map((pin) => pin.id));
    this.slots = before.map((slot, index) => {
      const pin = shownPins[index];
      if (pin) {
        const same = slot?.id === pin.id;
        return { id: pin.id, pinned: pin, since: same ? slot.since : nowMs, until: null, next: null };
      }
      // What a pinned tile showed goes with its incident; what is pinned elsewhere is not shown twice.
      return slot && !slot.pinned && turns.has(slot.id) && !pinnedIds.has(slot.id) ? slot : null;
    });
    const free = count - shownPins.length;
    for (let index = shownPins.length; index < count; index += 1) {
      const slot = this.slots[index];
      if (!slot) this.slots[index] = this.#begin(list, nowMs, isUp, (index - shownPins.length + 1) / free);
      else this.slots[index] = this.#go(slot, index, list, nowMs, isUp, isReady);
    }
    return this.slots;
  }

  /**
   * An empty tile: at once, with a first turn cut so that the tiles change one after another.
   * @param {Turn[]} list @param {number} nowMs @param {(id: string) => boolean} isUp @param {number} share
   */
  #begin(list, nowMs, isUp, share) {
    const turn = this.#peek(list, nowMs, isUp);
    if (!turn) return null;
    this.#at = list.indexOf(turn);
    return { id: turn.id, pinned: null, since: nowMs, until: nowMs + turn.dwell_ms * share, next: null };
  }

  /**
   * @param {Slot} slot @param {number} index @param {Turn[]} list @param {number} nowMs
   * @param {(id: string) => boolean} isUp @param {(id: string, slot: number) => boolean} isReady
   * @returns {Slot}
   */
  #go(slot, index, list, nowMs, isUp, isReady) {
    const until = slot.until ?? nowMs;
    const elsewhere = this.slots.some((other) => other && other !== slot && other.next !== null);
    if (nowMs < until - LEAD_MS || (slot.next === null && elsewhere)) return { ...slot, until, next: null };
    let { next } = slot;
    if (next !== null && nowMs > until + PATIENCE_MS && !isReady(next, index)) {
      this.#passed.set(next, nowMs + this.#roundMs(list));
      next = null;
    }
    const turn = next === null ? this.#peek(list, nowMs, isUp) : list.find((item) => item.id === next);
    if (!turn) return { ...slot, until: until + PATIENCE_MS, next: null };
    if (nowMs >= until && isReady(turn.id, index)) {
      this.#at = list.indexOf(turn);
      return { id: turn.id, pinned: null, since: nowMs, until: nowMs + turn.dwell_ms, next: null };
    }
    // Opened late: its time to come counts from now.
    return { ...slot, until: next === null ? Math.max(until, nowMs) : until, next: turn.id };
  }

  /** @param {Turn[]} list */
  #roundMs(list) {
    return list.reduce((sum, turn) => sum + turn.dwell_ms, 0) / Math.max(1, this.slots.length);
  }

  /** The next of the list that is up and on no tile. @param {Turn[]} list @param {number} nowMs @param {(id: string) => boolean} isUp */
  #peek(list, nowMs, isUp) {
    const shown = new Set(this.slots.flatMap((slot) => (slot ? [slot.id, slot.next] : [])));
    for (let step = 1; step <= list.length; step += 1) {
      const turn = list[(this.#at + step) % list.length];
      if (shown.has(turn.id) || !isUp(turn.id) || (this.#passed.get(turn.id) ?? -Infinity) > nowMs) continue;
      return turn;
    }
    return null;
  }
}

/**
 * Cameras for the gravest incidents: four for one, two each for two.
 * @template {{id: string}} T
 * @param {{incidentId: string, near: T[]}[]} incidents gravest first, their cameras nearest first
 * @param {number} tiles
 * @param {(camera: T) => boolean} isUp
 * @returns {{incidentId: string, camera: T}[]}
 */
export function pinsOf(incidents, tiles, isUp) {
  const each = Math.ceil(tiles / Math.max(1, Math.min(2, incidents.length)));
  /** @type {Map<string, {incidentId: string, camera: T}>} */
  const pins = new Map();
  for (const { incidentId, near } of incidents.slice(0, 2)) {
    let left = each;
    for (const camera of near) {
      if (left === 0 || pins.size === tiles) break;
      if (pins.has(camera.id) || !isUp(camera)) continue;
      pins.set(camera.id, { incidentId, camera });
      left -= 1;
    }
  }
  return [...pins.values()];
}
