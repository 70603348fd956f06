// What the operator does with the grid, the tours and the layouts.
import { call, newKey } from '../api.js';
import { t } from '../i18n.js';
import { refusal } from '../ui/refusal.js';
import * as grids from './grid.js';
import { advance, bodyOf, camerasOf, inWindow, pauseRun, resumeRun, startRun, turn } from './tours.js';
import { cameras, layouts, note, nowMs, redraw, set, tours, ui } from './state.js';
import { minuteOfDay } from './words.js';

/** @import {Grid} from './grid.js' */
/** @import {Camera, Layout, Split, Tour} from '../../types/wire.d.ts' */
/** @import {TourDraft} from './tours.js' */

const KEPT = 'yiping.video.grid';

/** @param {Grid} grid */
function keep(grid) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(grid));
  } catch {
    // storage may be blocked; the grid is then empty after a reload
  }
}

/** Show what this browser showed last. @returns {boolean} whether it had shown anything */
export function recallGrid() {
  try {
    const kept = localStorage.getItem(KEPT);
    ui.grid = grids.remembered(kept);
    return kept !== null;
  } catch {
    return false; // see keep
  }
}

/** Somebody's first visit begins with the centre's first layout rather than with an empty wall. */
export function showFirstLayout() {
  const [first] = Object.values(layouts()).sort((a, b) => a.name.localeCompare(b.name, 'zh'));
  if (first) loadLayout(first);
}

/** The operator changes the grid by hand: a running tour holds still rather than take it away again. @param {Grid} grid */
export function change(grid) {
  if (ui.run && ui.run.pausedAt_ms === null && grid.cells !== ui.grid.cells) {
    ui.run = pauseRun(ui.run, nowMs());
    note(t('video.tour.held'));
  }
  set({ grid });
  if (!ui.run) keep(grid);
}

/** @param {string} id @param {number} [cell] */
export const show = (id, cell) => change(grids.put(ui.grid, cell ?? grids.freeCell(ui.grid), id));

/** A whole node of the tree. @param {Camera[]} list @param {number} cell */
export function showAll(list, cell) {
  const fits = list.slice(0, ui.grid.split).map((camera) => camera.id);
  if (list.length > ui.grid.split) note(t('video.grid.cut', { n: ui.grid.split, total: list.length }));
  change(grids.fill(ui.grid, cell, fits));
}

/** @param {Split} split */
export function split(split) {
  if (ui.run) return note(t('video.tour.split_fixed'));
  return change(grids.withSplit(ui.grid, split));
}

/** @param {number} a @param {number} b */
export const swap = (a, b) => change(grids.swap(ui.grid, a, b));
/** @param {number} cell */
export const clear = (cell) => change(grids.clear(ui.grid, cell));
export function clearAll() {
  set({ layout: null });
  change(grids.clearAll(ui.grid));
}
/** @param {number} cell */
export const focus = (cell) => set({ grid: { ...ui.grid, focus: cell } });
/** @param {'left' | 'right' | 'up' | 'down'} way */
export const move = (way) => set({ grid: grids.moveFocus(ui.grid, way) });

/** Show a camera on a console's map: one that is open on this machine answers, else a new one opens. @param {string} id */
export function showOnMap(id) {
  const channel = new BroadcastChannel('yiping.desk');
  const timer = window.setTimeout(() => {
    channel.close();
    window.open(`/?camera=${encodeURIComponent(id)}`, 'yiping-console');
  }, 400);
  channel.onmessage = ({ data }) => {
    if (data?.shown !== id) return;
    window.clearTimeout(timer);
    channel.close();
    note(t('video.on_map'));
  };
  channel.postMessage({ show: id });
}

// ── Tours ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const runningTour = () => (ui.run ? (tours()[ui.run.tourId] ?? null) : null);

/** @param {Tour} tour */
export function startTour(tour) {
  const list = camerasOf(tour, cameras());
  if (!list.length) return note(t('video.tour.no_cameras'));
  const run = startRun(tour, list, nowMs());
  return set({ run, beforeTour: ui.beforeTour ?? ui.grid, grid: paged(run.cells, tour.split), tab: 'grid' });
}

/** @param {(string | null)[]} cells @param {Split} size @returns {Grid} */
function paged(cells, size) {
  const empty = grids.emptyGrid(size);
  return { ...empty, cells: empty.cells.map((_, index) => cells[index] ?? null), focus: Math.min(ui.grid.focus, size - 1) };
}

export function stopTour() {
  set({ run: null, grid: ui.beforeTour ?? ui.grid, beforeTour: null });
}

export function pauseOrResume() {
  const { run } = ui;
  const tour = runningTour();
  if (!run || !tour) return;
  if (run.pausedAt_ms === null) set({ run: pauseRun(run, nowMs()) });
  else set({ run: resumeRun(run, nowMs()), grid: paged(run.cells, tour.split) });
}

export function nextOfTour() {
  const tour = runningTour();
  if (!ui.run || !tour) return;
  const run = turn(ui.run, tour, camerasOf(tour, cameras()), nowMs());
  set({ run, grid: paged(run.cells, tour.split) });
}

/** Once a second: turn the page when its time is over, hold still outside the window, end with a tour that was deleted. */
export function tickTour() {
  if (!ui.run) return;
  const tour = runningTour();
  if (!tour) {
    if (ui.feed.state !== 'live') return;
    stopTour();
    note(t('video.tour.gone'));
    return;
  }
  if (!inWindow(tour, minuteOfDay(nowMs()))) return;
  const run = advance(ui.run, tour, camerasOf(tour, cameras()), nowMs());
  if (run !== ui.run) set({ run, grid: paged(run.cells, tour.split) });
}

/** @param {TourDraft} draft @returns {Promise<string>} words of a refusal, "" when it was saved */
export async function saveTour(draft) {
  const id = draft.id || `t-${newKey().slice(0, 12)}`;
  const old = draft.id ? tours()[draft.id] : undefined;
  return saving('PUT', `/tours/${encodeURIComponent(id)}`, bodyOf(draft), old?.version);
}

/** @param {Layout | null} layout null: a new one from the grid @param {string} name @param {boolean} withGrid */
export async function saveLayout(layout, name, withGrid) {
  const id = layout?.id ?? `l-${newKey().slice(0, 12)}`;
  const kept = withGrid || !layout ? grids.saved(ui.grid) : { split: layout.split, cells: layout.cells };
  const words = await saving('PUT', `/layouts/${encodeURIComponent(id)}`, { name: name.trim(), ...kept }, layout?.version);
  if (!words && (withGrid || !layout)) set({ layout: { id, name: name.trim() } });
  return words;
}

/** @param {Layout} layout */
export function loadLayout(layout) {
  const lost = layout.cells.filter((id) => id !== null && !cameras()[id]).length;
  if (ui.run) set({ run: null, beforeTour: null });
  set({ layout: { id: layout.id, name: layout.name }, tab: 'grid' });
  change(grids.load(layout, (id) => Boolean(cameras()[id])));
  if (lost) note(t('video.layout.lost', { n: lost }));
}

/** @param {'tours' | 'layouts'} what @param {string} id */
export const remove = (what, id) => saving('DELETE', `/${what}/${encodeURIComponent(id)}`);

/** @param {string} method @param {string} path @param {unknown} [body] @param {number} [version] */
async function saving(method, path, body, version) {
  try {
    await call(method, path, body, version === undefined ? {} : { expectedVersion: version });
    redraw();
    return '';
  } catch (error) {
    return refusal(error);
  }
}
