// What this page is looking at. Cameras, tours and layouts are read from the feed's board at each render; here is only
// what the operator chose and what was asked for besides.
import { emptyGrid } from './grid.js';

/** @import {Feed} from '../feed.js' */
/** @import {District, Layout, Tour, User} from '../../types/wire.d.ts' */
/** @import {AreaRow} from '../../types/video.d.ts' */
/** @import {Grouping} from './tree.js' */
/** @import {Grid} from './grid.js' */
/** @import {Run} from './tours.js' */

/** @typedef {'grid' | 'faults' | 'clips' | 'playback' | 'viewings'} Tab */

export const ui = {
  /** @type {User} */ me: /** @type {any} */ (null),
  /** @type {District} */ district: /** @type {any} */ (null),
  /** @type {Feed} */ feed: /** @type {any} */ (null),
  /** @type {Tab} */ tab: 'grid',
  /** @type {Map<string, AreaRow>} */ areas: new Map(),
  /** @type {'cameras' | 'tours' | 'layouts'} */ side: 'cameras',
  /** @type {Grouping} */ grouping: 'area',
  /** @type {Set<string>} keys of the opened nodes */ open: new Set(),
  query: '',
  /** @type {Set<string>} cameras the server found for the query */ found: new Set(),
  /** @type {Grid} */ grid: emptyGrid(4),
  /** @type {{id: string, name: string} | null} the layout that was loaded */ layout: null,
  /** @type {Run | null} */ run: null,
  /** @type {Grid | null} what was shown before the tour */ beforeTour: null,
  /** @type {{kind: 'tour', tour: Tour | null} | {kind: 'layout', layout: Layout | null}
   *   | {kind: 'remove', what: 'tours' | 'layouts', id: string, name: string} | null} */ dialog: null,
  /** @type {string} a short message over the grid */ note: '',
  /** @type {string} camera whose recordings are looked at */ playbackCamera: '',
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

export const cameras = () => ui.feed.board.cameras;
/** @returns {Record<string, Tour>} */
export const tours = () => ui.feed.board.tours;
/** @returns {Record<string, Layout>} */
export const layouts = () => ui.feed.board.layouts;
export const nowMs = () => ui.feed.serverNow();
/** @param {string} permission */
export const may = (permission) => ui.me.permissions.includes(permission);

let noteTimer = 0;

/** Say something for six seconds. @param {string} text */
export function note(text) {
  window.clearTimeout(noteTimer);
  noteTimer = window.setTimeout(() => set({ note: '' }), 6000);
  set({ note: text });
}
