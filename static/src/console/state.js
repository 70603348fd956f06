// What this desk is looking at: selection, lists being read, text being typed. Never a copy of the board: everything
// about incidents and people is read from the feed at each render.

/** @import {Feed} from '../feed.js' */
/** @import {LiveMap} from '../map/map.js' */
/** @import {District, User} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Selection
 * @property {'incident' | 'area' | 'responder' | 'camera' | 'point' | 'form' | 'closures' | 'closure' | 'closure-form'} kind
 * @property {string} id
 * @property {number} [lon]
 * @property {number} [lat]
 * @property {boolean} [whole] an area asked for by name: the map shows all of it
 *
 * @typedef {object} Ranked one row of /nearest
 * @property {string} responder_id
 * @property {number} unit
 * @property {string} name
 * @property {string} kind
 * @property {string | null} station
 * @property {string | null} phone
 * @property {string} status free, busy or off_duty
 * @property {number | null} distance_m
 * @property {number | null} eta_s
 * @property {'road' | 'straight_line'} eta_method
 * @property {number | null} fix_age_s
 * @property {boolean} stale
 * @property {number} lon
 * @property {number} lat
 * @property {string[]} reasons
 * @property {{coordinates: [number, number][]} | null} [route]
 *
 * @typedef {object} RankedList
 * @property {string} key what it was asked for
 * @property {Ranked[]} items
 * @property {{reason: string, count: number}[]} excluded
 * @property {boolean} loading
 * @property {string} error
 * @property {number} readAt epoch ms, server clock
 *
 * @typedef {object} Fault words of a refused action, kept where it was asked for
 * @property {string} where selection key
 * @property {string} text
 * @property {(() => void) | null} retry
 *
 * @typedef {object} Draft
 * @property {number} lon
 * @property {number} lat
 * @property {string} title
 * @property {string} description
 * @property {string} category
 * @property {string} level
 * @property {string} address
 * @property {string} reporter_contact
 * @property {string} source
 */

export const ui = {
  /** @type {User} */ me: /** @type {any} */ (null),
  /** @type {District} */ district: /** @type {any} */ (null),
  /** @type {Feed} */ feed: /** @type {any} */ (null),
  /** @type {LiveMap | null} */ map: null,
  /** @type {import('../map/base-choice.js').BaseChoice | null} which map lies underneath */ base: null,
  /** @type {Selection | null} */ selection: null,
  /** Nobody chose the selection: a graver incident may take its place. */ preview: false,
  /** @type {Selection[]} */ back: [],
  /** @type {'all' | 'mine' | 'late'} */ filter: 'all',
  /** @type {string} id under the J/K cursor */ cursor: '',
  /** @type {string} incident whose preview was put away */ dismissed: '',
  /** @type {RankedList | null} */ ranked: null,
  rankedLocked: false,
  /** Ask for every kind of people, not only those the category asks for. */ allKinds: false,
  /** Index of the chosen candidate. */ choice: 0,
  /** Responder chosen by hand; empty: the first free one is. */ byHand: '',
  /** @type {string} */ overrideReason: '',
  /** @type {Map<string, string>} candidates lost to another desk: id → who won */ lost: new Map(),
  /** @type {any[]} */ cameras: [],
  camerasFor: '',
  /** @type {any} answer of /areas/{code}/overview */ overview: null,
  /** @type {any} answer of /locate for the point */ located: null,
  /** @type {{id: string, items: any[]} | null} */ timeline: null,
  /** @type {{incident: string, contact: string} | null} */ contact: null,
  /** @type {Fault | null} */ fault: null,
  /** @type {string} */ busy: '',
  /** @type {'' | 'close' | 'menu' | 'note' | 'contact' | 'ask'} */ panel: '',
  /** @type {import('./commands-list.js').IncidentCommand | null} */ asking: null,
  /** @type {Draft | null} */ draft: null,
  /** @type {import('./closure-draft.js').ClosureDraft | null} */ closureDraft: null,
  help: false,
  userMenu: false,
  theme: /** @type {import('../map/palette.js').Theme} */ ('dark'),
  layers: { areas: true, incidents: true, people: true, cameras: true, places: false },
  /** @type {Map<string, import('../map/map.js').AreaLabel & {parent: string | null}>} */ areas: new Map(),
  /** @type {{code: string, name: string}[]} */ crumbs: [],
  queueOpen: { handled: false, running: 40 },
};

/** @type {Set<() => void>} */
const listeners = new Set();
let queued = false;

/** Change something and have it drawn with the next frame. @param {Partial<typeof ui>} patch */
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

/** @param {Selection | null} selection */
export const keyOf = (selection) => (selection ? `${selection.kind}:${selection.id}` : '');

export const board = () => ui.feed.board;
export const nowMs = () => ui.feed.serverNow();

/** The selected incident as the board has it now. */
export function selectedIncident() {
  return ui.selection?.kind === 'incident' ? (board().incidents[ui.selection.id] ?? null) : null;
}

/** Does the account hold a permission? The server asks again; this only spares buttons that would be refused.
 * @param {string} permission
 */
export const may = (permission) => ui.me.permissions.includes(permission);
export const mayDispatch = () => may('incident.dispatch');
export const mayClaim = () => may('incident.accept');
