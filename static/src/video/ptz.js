// Moves a camera while somebody holds a key, a button or the mouse. A move is repeated while it is held, and the server
// ends it by itself a second after the last one: a page that dies cannot leave a camera turning.

/**
 * @typedef {{pan: number, tilt: number, zoom: number}} Motion each -1 … 1; pan right, tilt up, zoom in are positive
 * @typedef {{action: 'move', pan: number, tilt: number, zoom: number} | {action: 'stop'}
 *   | {action: 'preset', preset: number} | {action: 'save_preset', preset: number}} Order
 */

const REPEAT_MS = 400;
const DRAG_FULL_PX = 90;
const DEAD_PX = 8;
const KEY_SPEED = 0.5;

/** @type {Record<string, Motion>} */
const KEYS = {
  ArrowLeft: { pan: -KEY_SPEED, tilt: 0, zoom: 0 },
  ArrowRight: { pan: KEY_SPEED, tilt: 0, zoom: 0 },
  ArrowUp: { pan: 0, tilt: KEY_SPEED, zoom: 0 },
  ArrowDown: { pan: 0, tilt: -KEY_SPEED, zoom: 0 },
  '+': { pan: 0, tilt: 0, zoom: KEY_SPEED },
  '=': { pan: 0, tilt: 0, zoom: KEY_SPEED },
  '-': { pan: 0, tilt: 0, zoom: -KEY_SPEED },
};

/** @param {string} key @returns {Motion | null} */
export const motionOfKey = (key) => KEYS[key] ?? null;

/** The further the pointer was drawn, the faster. @param {number} dx px to the right @param {number} dy px down @returns {Motion | null} */
export function motionOfDrag(dx, dy) {
  if (Math.hypot(dx, dy) < DEAD_PX) return null;
  /** @param {number} px */
  const speed = (px) => Math.round(Math.max(-1, Math.min(1, px / DRAG_FULL_PX)) * 100) / 100;
  return { pan: speed(dx), tilt: -speed(dy) || 0, zoom: 0 };
}

/** @param {Motion | null} a @param {Motion | null} b */
const same = (a, b) => a === b || (a !== null && b !== null && a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom);

export class PtzDriver {
  #send;
  #failed;
  /** @type {Motion | null} what is held now */ #wanted = null;
  /** @type {Motion | null} what was last ordered; null: stopped */ #ordered = null;
  #flying = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /**
   * @param {(order: Order) => Promise<unknown>} send
   * @param {(error: unknown) => void} failed
   */
  constructor(send, failed) {
    this.#send = send;
    this.#failed = failed;
  }

  get moving() {
    return this.#wanted !== null;
  }

  /** Hold a motion, or another one; null lets go. @param {Motion | null} motion */
  hold(motion) {
    if (same(motion, this.#wanted)) return;
    this.#wanted = motion;
    void this.#go();
  }

  release() {
    this.hold(null);
  }

  /** One order at a time: what changes meanwhile goes out next, and a stop is never overtaken. */
  async #go() {
    if (this.#flying) return;
    clearTimeout(this.#timer);
    const motion = this.#wanted;
    if (motion === null && this.#ordered === null) return;
    this.#flying = true;
    this.#ordered = motion;
    try {
      await this.#send(motion === null ? { action: 'stop' } : { action: 'move', ...motion });
    } catch (error) {
      if (motion !== null) {
        this.#wanted = null;
        this.#failed(error);
      }
    }
    this.#flying = false;
    if (!same(this.#wanted, motion)) void this.#go();
    else if (motion !== null) this.#timer = setTimeout(() => void this.#go(), REPEAT_MS);
  }
}
