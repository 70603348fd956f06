// Which map lies underneath: ours, the customer's, or pictures from above. Each user's choice is remembered; where the
// customer's server does not answer, ours takes its place until it does, and the map says so.

/** @import {BaseSource} from '../../types/wire.d.ts' */
/** @import {Base} from './base-style.js' */

/** @typedef {Base['mode']} Mode */

/**
 * What the map should say of what lies underneath.
 * @typedef {object} BaseNote
 * @property {'stale' | 'unreachable'} state
 * @property {Mode} mode
 * @property {string} name
 * @property {number | null} oldest_s age of the oldest tile shown
 * @property {string | null} since RFC 3339
 */

export const MODES = /** @type {const} */ (['own', 'custom', 'imagery']);
const LOOK_EVERY_MS = 30_000;
const LOOK_OFTEN_MS = 8_000;
const LOOK_SOON_MS = 1500;
const STORED = 'yiping.base';

/** What to show, and what to say of it. Pure, so that it can be tested.
 * @param {Mode | null} chosen by the user; null: nothing yet
 * @param {BaseSource[]} sources
 * @returns {{mode: Mode, source: BaseSource | null, note: BaseNote | null}}
 */
export function decideBase(chosen, sources) {
  const wanted = chosen ?? sources.find((source) => source.preferred)?.slot ?? 'own';
  const source = sources.find((one) => one.slot === wanted) ?? null;
  if (!source) return { mode: 'own', source: null, note: null };
  const { state, oldest_s, since } = source.health;
  const note = state === 'ok' ? null : { state, mode: wanted, name: source.name, oldest_s, since };
  return state === 'unreachable' ? { mode: 'own', source: null, note } : { mode: wanted, source, note };
}

export class BaseChoice {
  /** @type {BaseSource[]} */
  sources = [];
  /** @type {BaseNote | null} */
  note = null;
  /** What the user sees as chosen, whether it can be shown or not. @type {Mode} */
  mode = 'own';
  /** @type {Mode | null} */
  #chosen;
  #own = '';
  #ownAtStart = '';
  #soon = 0;
  #timer = 0;
  #stopped = false;
  #key;

  /**
   * @param {object} options
   * @param {{setBase: (base: Base) => void, onBaseTrouble: () => void}} options.map
   * @param {() => Promise<{items: BaseSource[], own: string | null}>} options.read asks the service for the sources
   * @param {string} options.user whose choice it is
   * @param {() => void} [options.onChange]
   */
  constructor({ map, read, user, onChange = () => {} }) {
    this.map = map;
    this.read = read;
    this.onChange = onChange;
    this.#key = `${STORED}.${user}`;
    this.#chosen = stored(this.#key);
    map.onBaseTrouble = () => this.#lookSoon();
  }

  /** Begin, and go on looking while something of the customer's is wanted. */
  async start() {
    await this.look();
    const again = () => {
      if (this.#stopped) return;
      this.#timer = Number(globalThis.setTimeout(async () => {
        if (this.mode !== 'own') await this.look();
        again();
      }, this.note ? LOOK_OFTEN_MS : LOOK_EVERY_MS));
    };
    again();
  }

  /** The map is gone. */
  stop() {
    this.#stopped = true;
    globalThis.clearTimeout(this.#timer);
    globalThis.clearTimeout(this.#soon);
  }

  /** @param {Mode} mode */
  choose(mode) {
    this.#chosen = mode;
    try {
      localStorage.setItem(this.#key, mode);
    } catch {
      // storage may be blocked; the choice is then not remembered
    }
    this.#apply();
    void this.look();
  }

  /** What can be chosen; only our own where there is nothing else. @returns {Mode[]} */
  get modes() {
    return MODES.filter((mode) => mode === 'own' || this.sources.some((source) => source.slot === mode));
  }

  /** Ask how the sources are, and show what can be shown. */
  async look() {
    try {
      const { items, own } = await this.read();
      this.sources = items;
      this.#own = own ?? '';
      if (!this.#ownAtStart) this.#ownAtStart = this.#own;
    } catch (error) {
      console.warn('basemap', error); // the service itself is away: what is shown stays
      return;
    }
    if (!this.#stopped) this.#apply();
  }

  #lookSoon() {
    if (this.#soon || this.#stopped) return;
    this.#soon = Number(globalThis.setTimeout(() => {
      this.#soon = 0;
      void this.look();
    }, LOOK_SOON_MS));
  }

  #apply() {
    const { mode, source, note } = decideBase(this.#chosen, this.sources);
    this.mode = note ? note.mode : mode;
    this.note = note;
    const anew = this.#own === this.#ownAtStart ? {} : { revision: this.#own };
    this.map.setBase({ mode, source, ...anew });
    this.onChange();
  }
}

/** @param {string} key @returns {Mode | null} */
function stored(key) {
  try {
    const kept = localStorage.getItem(key);
    return MODES.find((mode) => mode === kept) ?? null;
  } catch {
    return null;
  }
}
