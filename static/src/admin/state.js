// What the administrator is looking at, and what was read from the server. Nothing here is pushed: lists are asked for.

/** @import {District, User} from '../../types/wire.d.ts' */
/** @import {AreaRow} from '../../types/video.d.ts' */

/** @typedef {'cameras' | 'devices' | 'areas'} Tab */

export const ui = {
  /** @type {User} */ me: /** @type {any} */ (null),
  /** @type {District} */ district: /** @type {any} */ (null),
  serverOffsetMs: 0,
  /** @type {Tab} */ tab: 'cameras',
  /** @type {Map<string, AreaRow>} */ areas: new Map(),
  /** @type {{kind: 'import'} | null} */ dialog: null,
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
