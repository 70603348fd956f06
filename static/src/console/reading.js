// What the drawer reads besides the board: the ranked list, cameras nearby, a community's overview, the timeline.
//
// The ranked list is never re-ordered under the pointer: while it rests there, new figures go into the old order.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { activeAssignments } from '../board.js';
import { isWaiting } from '../ui/levels.js';
import { board, keyOf, may, nowMs, selectedIncident, set, ui } from './state.js';

const RANKED_EVERY_MS = 6000;
/** A screen with room for more candidates. */
const TALL_PX = 1280;
const OVERVIEW_EVERY_MS = 20_000;

/** @param {unknown} error */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

/** What to ask /nearest for this selection; null: nothing is ranked for it. */
function rankedQuery() {
  const { selection } = ui;
  const kinds = ui.allKinds ? '&kinds=all' : '';
  if (!selection || !may('positions.view')) return null;
  if (selection.kind === 'incident') {
    const incident = board().incidents[selection.id];
    if (!incident || !(isWaiting(incident) || incident.state === 'dispatched' || incident.state === 'handling'))
      return null;
    return `incident_id=${encodeURIComponent(selection.id)}${kinds}`;
  }
  if ((selection.kind === 'point' || selection.kind === 'area') && selection.lon !== undefined) {
    return `lon=${selection.lon.toFixed(6)}&lat=${/** @type {number} */ (selection.lat).toFixed(6)}${kinds}`;
  }
  return null;
}

/** @param {import('./state.js').Ranked[]} fresh @param {import('./state.js').Ranked[]} shown */
export function keepOrder(fresh, shown) {
  const byId = new Map(fresh.map((item) => [item.responder_id, item]));
  return shown.map((item) => byId.get(item.responder_id) ?? item);
}

/** Ask again; keeps the old list with its age while waiting. */
export async function readRanked() {
  const query = rankedQuery();
  if (!query) {
    if (ui.ranked) set({ ranked: null });
    return;
  }
  const key = keyOf(ui.selection) + query;
  const old = ui.ranked?.key === key ? ui.ranked : null;
  if (!old)
    set({
      ranked: { key, items: [], excluded: [], loading: true, error: '', readAt: 0 },
      choice: 0,
      byHand: '',
      overrideReason: '',
      lost: new Map(),
    });
  try {
    const incident = selectedIncident();
    const sent = new Set(incident ? activeAssignments(board(), incident).map((job) => job.responder_id) : []);
    const limit = (incident ? 5 : 4) + (innerHeight >= TALL_PX ? 3 : 0);
    const answer = await call('GET', `/nearest?${query}&limit=${limit + sent.size}`);
    if (ui.ranked?.key !== key) return;
    answer.items = answer.items.filter((/** @type {any} */ item) => !sent.has(item.responder_id)).slice(0, limit);
    const shown = ui.ranked.items;
    const items = ui.rankedLocked && shown.length ? keepOrder(answer.items, shown) : answer.items;
    set({ ranked: { key, items, excluded: answer.excluded ?? [], loading: false, error: '', readAt: nowMs() } });
    // A choice made by hand stays with the person, wherever they stand now; the default stays with the first row.
    const chosen = items.findIndex((/** @type {any} */ item) => item.responder_id === ui.byHand);
    if (chosen >= 0) return set({ choice: chosen });
    const next = firstFree(items);
    const gone = shown.find((item) => item.responder_id === ui.byHand);
    set({ choice: next, byHand: '' });
    if (!gone) return;
    // The next Enter would send somebody else than the person looked at.
    const text = t('console.choice.gone', { name: gone.name, next: items[next]?.name ?? '' });
    set({ overrideReason: '', fault: { where: keyOf(ui.selection), text, retry: null } });
  } catch (error) {
    if (ui.ranked?.key === key) set({ ranked: { ...ui.ranked, loading: false, error: wordsOf(error) } });
  }
}

/** Index of the first candidate nobody else has taken. @param {import('./state.js').Ranked[]} items */
export function firstFree(items) {
  const index = items.findIndex((item) => !ui.lost.has(item.responder_id));
  return index < 0 ? 0 : index;
}

/** Cameras nearest to what is selected: those that have it in view first. One picked from the strip keeps the strip. */
export async function readCameras() {
  const { selection } = ui;
  if (!may('camera.view') || selection?.kind === 'closure-form' || selection?.kind === 'closures') return; // the pictures stay meanwhile
  if (selection?.kind === 'camera' && ui.cameras.some((item) => item.id === selection.id)) return;
  const at = placeOfSelection();
  const key = at ? `${at[0].toFixed(5)},${at[1].toFixed(5)}` : '';
  if (key === ui.camerasFor) return;
  ui.camerasFor = key;
  if (!at) return set({ cameras: [] });
  try {
    const answer = await call('GET', `/cameras/near?lon=${at[0].toFixed(6)}&lat=${at[1].toFixed(6)}&limit=4`);
    if (ui.camerasFor === key) set({ cameras: answer.items });
  } catch (error) {
    if (ui.camerasFor === key) {
      ui.camerasFor = '';
      set({ cameras: [] });
      console.warn('cameras', error);
    }
  }
}

/** lon, lat of the selection. @returns {[number, number] | null} */
export function placeOfSelection() {
  const { selection } = ui;
  if (!selection) return ui.district ? ui.district.center : null;
  const at =
    selection.kind === 'incident'
      ? board().incidents[selection.id]
      : selection.kind === 'camera'
        ? board().cameras[selection.id]
        : null;
  if (at) return [at.lon, at.lat];
  if (selection.kind === 'responder') {
    const responder = board().responders[selection.id];
    const row = responder ? ui.feed.movers.rowOf(responder.unit) : -1;
    return row < 0 ? null : [ui.feed.movers.lon[row], ui.feed.movers.lat[row]];
  }
  if (selection.kind === 'closure') return board().closures?.[selection.id]?.coordinates[0] ?? null;
  if (selection.kind === 'form' && ui.draft) return [ui.draft.lon, ui.draft.lat];
  return selection.lon === undefined ? null : [selection.lon, /** @type {number} */ (selection.lat)];
}

/** @param {string} code */
export async function readOverview(code) {
  try {
    const overview = await call('GET', `/areas/${encodeURIComponent(code)}/overview`);
    if (ui.selection?.kind === 'area' && ui.selection.id === code) set({ overview });
  } catch (error) {
    if (ui.selection?.id === code)
      set({ fault: { where: `area:${code}`, text: wordsOf(error), retry: () => void readOverview(code) } });
  }
}

/** @param {string} id */
export async function readTimeline(id) {
  try {
    const answer = await call('GET', `/incidents/${encodeURIComponent(id)}/timeline`);
    if (ui.selection?.id === id) set({ timeline: { id, items: answer.items } });
  } catch (error) {
    console.warn('timeline', error);
  }
}

/** @param {number} lon @param {number} lat */
export async function locate(lon, lat) {
  return call('GET', `/locate?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}`);
}

/** Keep the ranked list fresh while somebody still has to be sent, and the figures of the area one looks at. */
export function startReading() {
  window.setInterval(() => {
    const incident = selectedIncident();
    if (document.hidden || !ui.ranked) return;
    const busy = incident && !isWaiting(incident) && activeAssignments(board(), incident).length > 0;
    if (!busy || nowMs() - ui.ranked.readAt > 30_000) void readRanked();
  }, RANKED_EVERY_MS);
  window.setInterval(() => {
    if (ui.selection?.kind === 'area' && !document.hidden) void readOverview(ui.selection.id);
  }, OVERVIEW_EVERY_MS);
}
