// The map underneath on a phone: the same choice as everywhere, yet never more of the customer's tiles in a day than a
// phone's contract bears. Then, or where the phone itself asks to save, it is ours.

import { call } from '../api.js';
import { BaseChoice } from '../map/base-choice.js';

/** @import {LiveMap} from '../map/map.js' */
/** @import {Base} from '../map/base-style.js' */

/** Tiles of the customer's in a day: some 60 MB of pictures. */
export const MOST_TILES = 3_000;
const STORED = 'yiping.field.tiles';

/** Counts what was fetched today; survives a reload. */
export class TileBudget {
  #day = '';
  #count = 0;
  #unsaved = 0;

  /** @param {() => Date} [now] */
  constructor(now = () => new Date()) {
    this.now = now;
    try {
      const kept = JSON.parse(localStorage.getItem(STORED) ?? '{}');
      if (typeof kept.day === 'string' && Number.isFinite(kept.count)) [this.#day, this.#count] = [kept.day, kept.count];
    } catch {
      // blocked or damaged: counted from here on
    }
  }

  get spent() {
    this.#turn();
    return this.#count >= MOST_TILES;
  }

  add() {
    this.#turn();
    this.#count += 1;
    this.#unsaved += 1;
    if (this.#unsaved < 20 && this.#count < MOST_TILES) return; // the phone's storage is slow
    this.#unsaved = 0;
    try {
      localStorage.setItem(STORED, JSON.stringify({ day: this.#day, count: this.#count }));
    } catch {
      // see above
    }
  }

  #turn() {
    const day = this.now().toDateString();
    if (day !== this.#day) [this.#day, this.#count] = [day, 0];
  }
}

/**
 * @param {LiveMap} map @param {string} user whose choice it is @param {() => void} onChange
 * @returns {{choice: BaseChoice, spent: () => boolean}} `spent`: none but ours is shown
 */
export function followBase(map, user, onChange) {
  const budget = new TileBudget();
  const thrifty = Boolean(/** @type {any} */ (navigator).connection?.saveData);
  const spent = () => thrifty || budget.spent;
  /** @type {Base} */
  let wanted = { mode: 'own' };
  const show = () => map.setBase(spent() && wanted.source ? { ...wanted, mode: 'own', source: null } : wanted);
  map.gl.on('sourcedata', (/** @type {any} */ event) => {
    if (event.sourceId !== 'custom' || !event.tile || event.tile.state !== 'loaded' || event.tile.counted) return;
    event.tile.counted = true;
    const before = spent();
    budget.add();
    if (before !== spent()) {
      show();
      onChange();
    }
  });
  const choice = new BaseChoice({
    map: {
      setBase: (base) => {
        wanted = { ...base, bright: true };
        show();
      },
      set onBaseTrouble(/** @type {() => void} */ trouble) {
        map.onBaseTrouble = trouble;
      },
    },
    read: () => call('GET', '/basemap/sources', undefined, { redirect: false }),
    user,
    onChange,
  });
  void choice.start();
  return { choice, spent };
}
