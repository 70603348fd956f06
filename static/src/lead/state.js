// What this page shows: the last figures, what was chosen, and what was asked for besides.

/** @import {Feed} from '../feed.js' */
/** @import {District, User} from '../../types/wire.d.ts' */
/** @import {AreaCover, Cover, Followed, History, Indicators, Outlines, Period, Person, Post, Siting, Without} from '../../types/lead.d.ts' */
/** @import {Lack, Measure} from './figures.js' */

/** @typedef {'cover' | 'indicators' | 'supervision' | 'replay'} Tab */

export const MINUTES = /** @type {const} */ ([3, 5, 10]);

export const ui = {
  /** @type {User} */ me: /** @type {any} */ (null),
  /** @type {District} */ district: /** @type {any} */ (null),
  /** @type {Feed} */ feed: /** @type {any} */ (null),
  /** @type {number} */ minutes: 5,
  /** @type {Measure} */ measure: 'reach',
  /** @type {Cover | null} */ cover: null,
  /** @type {Map<string, AreaCover>} */ rows: new Map(),
  /** @type {unknown} why the figures could not be read */ error: null,
  /** @type {Map<number, Outlines>} tier → outlines */ outlines: new Map(),
  /** @type {Person[]} */ people: [],
  /** @type {Post[] | null} */ posts: null,
  /** @type {Siting | null} the question the posts answer */ siting: null,
  /** @type {'responder' | 'camera'} what is to be placed */ placing: /** @type {'responder' | 'camera'} */ ('responder'),
  /** @type {number} how many */ postsWanted: 3,
  /** @type {string} area looked at; '' the whole */ chosen: '',
  /** @type {Set<string>} rows opened in the table */ open: new Set(),
  /** @type {Lack | 'any'} */ lack: 'any',
  /** @type {string} who might be sent away */ person: '',
  /** @type {Without | null} */ without: null,
  /** @type {History | null} of the area looked at */ history: null,
  /** @type {'day' | 'week'} what the figures are compared with */ compare: /** @type {'day' | 'week'} */ ('day'),
  /** @type {Indicators | null} of the area looked at */ indicators: null,
  /** @type {Period} */ period: /** @type {Period} */ ('month'),
  /** @type {unknown} why the indicators could not be read */ indicatorsError: null,
  /** @type {Tab} */ tab: /** @type {Tab} */ ('cover'),
  /** @type {Followed[] | null} */ followed: null,
  /** @type {string} incident to be replayed */ replayOf: '',
  showGaps: true,
  showPeople: true,
};

/** @type {Set<() => void>} */
const listeners = new Set();
let queued = false;

/** Change something and have it drawn. @param {Partial<typeof ui>} patch */
export function set(patch) {
  Object.assign(ui, patch);
  redraw();
}

export function redraw() {
  if (queued) return;
  queued = true;
  queueMicrotask(() => {
    queued = false;
    for (const listener of listeners) listener();
  });
}

/** @param {() => void} listener */
export function onRedraw(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The area whose figures stand in the cards. @returns {AreaCover | null} */
export function topRow() {
  const chosen = ui.rows.get(ui.chosen);
  return chosen ?? ui.cover?.items[0] ?? null;
}

/** Look at an area: on the map, in the cards, and opened in the table. '' is the whole. @param {string} code */
export function choose(code) {
  const open = new Set(ui.open);
  for (let row = ui.rows.get(code); row; row = row.parent ? ui.rows.get(row.parent) : undefined) open.add(row.code);
  set({ chosen: code, open });
}

/** Older, a position counts for nothing. */
const OFFLINE_S = 300;

/** Those on duty whose position counts. */
export const placed = () => ui.people.filter((person) => person.lon !== undefined && (person.fix_age_s ?? 0) <= OFFLINE_S && !person.suspect);

/** @param {string} code */
export function toggle(code) {
  const open = new Set(ui.open);
  if (!open.delete(code)) open.add(code);
  set({ open });
}
