// What the administrator is looking at, and what was read from the server. Nothing here is pushed: lists are asked for.
import { ApiError, callAll } from '../api.js';

/** @import {District, User} from '../../types/wire.d.ts' */
/** @import {AreaRow} from '../../types/video.d.ts' */

/** @typedef {'cameras' | 'devices' | 'areas' | 'basemap' | 'imports' | 'history'} Tab */

export const ui = {
  /** @type {User} */ me: /** @type {any} */ (null),
  /** @type {District} */ district: /** @type {any} */ (null),
  serverOffsetMs: 0,
  /** @type {Tab} */ tab: 'cameras',
  /** @type {Map<string, AreaRow>} */ areas: new Map(),
  /** @type {string} kind of file to bring in next */ kind: 'areas',
  /** @type {string} import that is open, or "" */ job: '',
  /** @type {string} camera in the form, "new", or "" */ editing: '',
  /** @type {Record<string, unknown> | null} what a new camera starts from */ template: null,
  said: '',
};

/** @type {Set<() => void>} */
const listeners = new Set();
let queued = false;

/** Change something and have it drawn. @param {Partial<typeof ui>} patch */
export function set(patch) {
  Object.assign(ui, patch);
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

export const nowMs = () => Date.now() + ui.serverOffsetMs;

let timer = 0;

/** Say that something was done, for six seconds. @param {string} text */
export function say(text) {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => set({ said: '' }), 6000);
  set({ said: text });
}

/** Go to a tab, or to an import in it; the address follows, so that reloading and going back work. @param {Tab} tab @param {string} [job] */
export function openTab(tab, job = '') {
  if (tab === ui.tab && job === ui.job) return;
  set({ tab, job });
  history.pushState(null, '', `?${new URLSearchParams({ tab, ...(job ? { job } : {}) })}`);
}

/** Look at what the address says. @param {readonly Tab[]} tabs those the account has */
export function followAddress(tabs) {
  const query = new URLSearchParams(location.search);
  const tab = tabs.find((one) => one === query.get('tab')) ?? tabs[0];
  if (tab) set({ tab, job: tab === 'imports' ? (query.get('job') ?? '') : '' });
}

/** Names for codes, where the account may read them; without them the codes are shown. */
export async function renameAreas() {
  try {
    const areas = new Map();
    for (const { code, name, tier, parent } of await callAll('/areas')) areas.set(code, { code, name, tier, parent });
    set({ areas });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403)) console.warn('areas', error);
  }
}

/** 汀口镇 汀口社区 @param {string | null | undefined} code */
export function areaText(code) {
  const names = [];
  let at = ui.areas.get(code ?? '');
  for (let guard = 0; at && at.tier > 1 && guard < 9; guard += 1) {
    if (at.tier < 4) names.unshift(at.name);
    at = at.parent ? ui.areas.get(at.parent) : undefined;
  }
  return names.join(' ');
}
