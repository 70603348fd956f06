// A closure being drawn or changed: its points, times and words, and what the server says it would close.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { districtStamp, ofDistrictStamp } from '../time.js';
import { refusal, select, toast } from './actions.js';
import { board, keyOf, may, nowMs, set, ui } from './state.js';

/** @import {Closure} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Preview
 * @property {string[]} roads
 * @property {number} length_m
 * @property {boolean} allowed
 * @property {string | null} place
 * @property {{coordinates: [number, number][][]}} geometry
 *
 * @typedef {object} ClosureDraft
 * @property {string | null} id of the closure that is changed
 * @property {number | null} version it is changed from
 * @property {boolean} begun its beginning can no longer be changed
 * @property {'line' | 'polygon'} shape
 * @property {[number, number][]} points
 * @property {boolean} done nothing more is being drawn
 * @property {[number, number] | null} next where the pointer is
 * @property {'both' | 'along' | 'against'} direction
 * @property {boolean} foot people on foot are stopped too
 * @property {string} reason
 * @property {string} from district time, '' for now
 * @property {'30' | '60' | '120' | 'open' | 'at'} until
 * @property {string} end district time, for until 'at'
 * @property {Preview | null} preview
 * @property {string} trouble why there is none
 */

export const UNTILS = /** @type {const} */ (['30', '60', '120', 'open', 'at']);
export const LEAST = { line: 1, polygon: 3 };
const PREVIEW_MS = 150;
const FIVE_MIN_MS = 300_000;

export const mayClose = () => may('roads.close');

/** The next full five minutes, some time from now. @param {number} [minutes] */
export const soon = (minutes = 0) => districtStamp(Math.ceil((nowMs() + minutes * 60_000) / FIVE_MIN_MS) * FIVE_MIN_MS);

/** Begin to draw. @param {Partial<ClosureDraft>} [start] */
export function startClosure(start = {}) {
  if (!mayClose()) return;
  /** @type {ClosureDraft} */
  const draft = {
    id: null, version: null, begun: false, shape: 'line', points: [], done: false, next: null, direction: 'both', foot: false,
    reason: '', from: '', until: '60', end: '', preview: null, trouble: '', ...start,
  };
  ui.preview = false; // also what nobody chose is come back to
  select({ kind: 'closure-form', id: draft.id ?? 'new' });
  set({ closureDraft: draft });
  if (draft.points.length) readPreview();
}

/** The same closure in the form: to change it, or to close the same roads again. @param {Closure} closure @param {{again?: boolean}} [options] */
export function editClosure(closure, { again = false } = {}) {
  startClosure({
    id: again ? null : closure.id,
    version: again ? null : closure.version,
    begun: !again && closure.state === 'in_force',
    shape: closure.kind === 'polygon' ? 'polygon' : 'line',
    points: closure.coordinates,
    done: true,
    direction: closure.direction,
    foot: closure.profiles.includes('foot'),
    reason: closure.reason,
    from: !again && closure.state === 'planned' ? districtStamp(Date.parse(closure.starts_at)) : '',
    until: again ? '60' : closure.ends_at ? 'at' : 'open',
    end: !again && closure.ends_at ? districtStamp(Date.parse(closure.ends_at)) : '',
  });
}

/** @param {Partial<ClosureDraft>} patch */
export function changeDraft(patch) {
  const draft = ui.closureDraft;
  if (!draft) return;
  set({ closureDraft: { ...draft, ...patch }, fault: null });
  if ('points' in patch || 'shape' in patch || 'direction' in patch || 'foot' in patch) readPreview();
}

/** @param {ClosureDraft} draft */
export const kindOf = (draft) => (draft.shape === 'polygon' ? 'polygon' : draft.points.length === 1 ? 'point' : 'line');

/** @param {ClosureDraft} draft */
function drawingOf(draft) {
  const kind = kindOf(draft);
  return {
    kind,
    coordinates: draft.points,
    direction: kind === 'line' ? draft.direction : 'both',
    profiles: draft.foot ? ['car', 'motorcycle', 'foot'] : ['car', 'motorcycle'],
  };
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let asked = 0;

/** Ask what it would close, once the pointer rests. */
function readPreview() {
  clearTimeout(timer);
  asked += 1;
  const mine = asked;
  timer = setTimeout(async () => {
    const draft = ui.closureDraft;
    if (!draft || mine !== asked) return;
    if (draft.points.length < LEAST[draft.shape]) return set({ closureDraft: { ...draft, preview: null, trouble: '' } });
    /** @type {Partial<ClosureDraft>} */ let found;
    try {
      found = { preview: await call('POST', '/closures/preview', drawingOf(draft)), trouble: '' };
    } catch (error) {
      found = { preview: null, trouble: refusal(error) };
    }
    if (mine === asked && ui.closureDraft) set({ closureDraft: { ...ui.closureDraft, ...found } });
  }, PREVIEW_MS);
}

/** Nothing more is drawn; what is still missing is written. */
export function finishDrawing() {
  const draft = ui.closureDraft;
  if (!draft || draft.done || draft.points.length < LEAST[draft.shape]) return;
  changeDraft({ done: true, next: null });
}

/** @param {ClosureDraft} draft @returns {{starts_at: string | null, ends_at: string | null, planned: boolean, bad: boolean}} */
export function timesOf(draft) {
  const now = nowMs();
  const held = draft.id ? board().closures[draft.id] : undefined;
  const from = draft.from ? ofDistrictStamp(draft.from) : draft.begun && held ? Date.parse(held.starts_at) : now;
  const end = draft.until === 'open' ? null : draft.until === 'at' ? ofDistrictStamp(draft.end) : Math.max(from, now) + Number(draft.until) * 60_000;
  const bad = Number.isNaN(from) || (end !== null && !(end > from && end > now));
  // A plan without its hour is brought forward to now.
  const starts_at = draft.from && !bad ? new Date(from).toISOString() : draft.id && !draft.begun ? new Date(now).toISOString() : null;
  return { starts_at, ends_at: end === null || bad ? null : new Date(end).toISOString(), planned: !bad && from > now, bad };
}

/** Everything is there that the server needs. @param {ClosureDraft} draft */
export const isReady = (draft) =>
  draft.done && Boolean(draft.reason.trim()) && Boolean(draft.preview?.allowed && draft.preview.geometry.coordinates.length) && !timesOf(draft).bad;

export async function submitClosure() {
  const draft = ui.closureDraft;
  if (!draft || ui.busy || !isReady(draft)) return;
  const { starts_at, ends_at } = timesOf(draft);
  const body = { ...drawingOf(draft), reason: draft.reason.trim(), starts_at, ends_at };
  set({ busy: 'closure', fault: null });
  try {
    const made = draft.id
      ? await call('PUT', `/closures/${draft.id}`, body, { expectedVersion: draft.version ?? undefined })
      : await call('POST', '/closures', body);
    ui.closureDraft = null;
    set({ busy: '' });
    select({ kind: 'closure', id: made.id }, { keepBack: true });
  } catch (error) {
    set({ busy: '', fault: { where: keyOf(ui.selection), text: refusal(error), retry: () => void submitClosure() } });
  }
}

/** Keep a closure for longer; null: until somebody ends it. @param {Closure} closure @param {number | null} minutes */
export async function extendClosure(closure, minutes) {
  if (ui.busy) return;
  const from = Math.max(nowMs(), Date.parse(closure.ends_at ?? closure.starts_at));
  const { kind, coordinates, direction, profiles, reason } = closure;
  set({ busy: 'closure', fault: null });
  try {
    await call(
      'PUT',
      `/closures/${closure.id}`,
      { kind, coordinates, direction, profiles, reason, starts_at: null, ends_at: minutes === null ? null : new Date(from + minutes * 60_000).toISOString() },
      { expectedVersion: closure.version },
    );
    set({ busy: '' });
  } catch (error) {
    set({ busy: '', fault: { where: keyOf(ui.selection), text: refusal(error), retry: null } });
  }
}

/** Told by the feed: somebody else closed or opened a road. @param {string} type @param {Closure} closure @param {string} text */
export function noteClosure(type, closure, text) {
  const name = closure.roads[0] ?? closure.place ?? '';
  toast({
    id: `closure:${closure.id}`,
    title: t(`closure.note.${type}`, { name }),
    text,
    open: () => select({ kind: 'closure', id: closure.id }),
  });
}
