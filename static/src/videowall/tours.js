// Tours (轮巡): pages of cameras shown in turn. What is next, whether the hour is right, whether a draft may be saved.
// Pure; the page keeps the clock.

import { isOnline } from '../board.js';

/** @import {Camera, Split, Tour} from '../../types/wire.d.ts' */

export const DWELL_MIN_S = 3;
export const DWELL_MAX_S = 3600;
export const CAMERAS_MAX = 500;
const NAME_MAX = 80;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/**
 * @typedef {object} Run a tour on the screen
 * @property {string} tourId
 * @property {number} cursor where in the list the next page starts
 * @property {number} page the page shown, from 1
 * @property {number} pageAt_ms when it came on
 * @property {number | null} pausedAt_ms
 * @property {(string | null)[]} cells
 * @property {number} skipped offline cameras passed over on the way to this page
 */

/** Minutes of the day of "HH:MM". @param {string} text */
const minutesOf = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/**
 * Is this minute of the day inside the window? The start belongs to it, the end does not; a window may run over
 * midnight; without both ends every hour is right.
 * @param {{from: string | null, to: string | null}} tour @param {number} minute 0 … 1439
 */
export function inWindow(tour, minute) {
  if (!tour.from || !tour.to) return true;
  const from = minutesOf(tour.from);
  const to = minutesOf(tour.to);
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/**
 * The cameras of a tour: its list in the order given, or its group by name.
 * @param {Tour} tour @param {Record<string, Camera>} cameras @returns {Camera[]}
 */
export function camerasOf(tour, cameras) {
  if (tour.group) {
    const group = tour.group;
    return Object.values(cameras)
      .filter((camera) => camera.tour_groups.includes(group))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  }
  return [...new Set(tour.camera_ids)].map((id) => cameras[id]).filter((camera) => camera !== undefined);
}

/** May it be shown in a tour? Unknown ones may: nobody has looked yet. @param {Camera} camera */
const worthShowing = (camera) => isOnline(camera) || camera.status === 'unknown' || camera.status === 'stale';

/**
 * The next page from a cursor: the next cameras worth showing. With none, all of them take their turn: a tile that says
 * why there is no picture is better than an empty wall.
 * @param {Camera[]} list @param {number} cursor @param {Split} split
 * @returns {{cells: (string | null)[], cursor: number, skipped: number}}
 */
export function nextPage(list, cursor, split) {
  const usable = list.some(worthShowing) ? worthShowing : () => true;
  /** @type {(string | null)[]} */
  const cells = [];
  let skipped = 0;
  let at = list.length ? cursor % list.length : 0;
  for (let seen = 0; seen < list.length && cells.length < split; seen += 1) {
    if (usable(list[at])) cells.push(list[at].id);
    else skipped += 1;
    at = (at + 1) % list.length;
    // A round ends with its list: the last page is shorter rather than mixed with the first.
    if (at === 0 && cells.length) break;
  }
  while (cells.length < split) cells.push(null);
  return { cells, cursor: at, skipped };
}

/** Pages of a round. @param {Camera[]} list @param {Split} split */
export function pagesOf(list, split) {
  const usable = list.filter(worthShowing).length || list.length;
  return Math.max(1, Math.ceil(usable / split));
}

/** @param {Tour} tour @param {Camera[]} list @param {number} now_ms @returns {Run} */
export function startRun(tour, list, now_ms) {
  const { cells, cursor, skipped } = nextPage(list, 0, tour.split);
  return { tourId: tour.id, cursor, page: 1, pageAt_ms: now_ms, pausedAt_ms: null, cells, skipped };
}

/**
 * The run as it is now: the same one, or the next page once the dwell time is over.
 * @param {Run} run @param {Tour} tour @param {Camera[]} list @param {number} now_ms
 * @returns {Run}
 */
export function advance(run, tour, list, now_ms) {
  if (run.pausedAt_ms !== null || now_ms - run.pageAt_ms < tour.dwell_s * 1000) return run;
  return turn(run, tour, list, now_ms);
}

/** The next page at once. @param {Run} run @param {Tour} tour @param {Camera[]} list @param {number} now_ms @returns {Run} */
export function turn(run, tour, list, now_ms) {
  const first = run.cursor === 0 || run.cursor >= list.length;
  const { cells, cursor, skipped } = nextPage(list, first ? 0 : run.cursor, tour.split);
  return {
    ...run, cells, cursor, skipped, page: first ? 1 : run.page + 1, pageAt_ms: now_ms,
    pausedAt_ms: run.pausedAt_ms === null ? null : now_ms,
  };
}

/** @param {Run} run @param {number} now_ms @returns {Run} */
export function pauseRun(run, now_ms) {
  return run.pausedAt_ms === null ? { ...run, pausedAt_ms: now_ms } : run;
}

/** Goes on with what was left of the page. @param {Run} run @param {number} now_ms @returns {Run} */
export function resumeRun(run, now_ms) {
  if (run.pausedAt_ms === null) return run;
  return { ...run, pageAt_ms: run.pageAt_ms + (now_ms - run.pausedAt_ms), pausedAt_ms: null };
}

/** Share of the page's time that has passed, 0 … 1. @param {Run} run @param {Tour} tour @param {number} now_ms */
export function shareOf(run, tour, now_ms) {
  const passed_ms = (run.pausedAt_ms ?? now_ms) - run.pageAt_ms;
  return Math.max(0, Math.min(1, passed_ms / (tour.dwell_s * 1000)));
}

/**
 * @typedef {object} TourDraft
 * @property {string} id "" for a new one
 * @property {string} name
 * @property {'group' | 'list'} kind
 * @property {string} group
 * @property {string[]} camera_ids
 * @property {string} dwell_s as typed
 * @property {Split} split
 * @property {boolean} windowed
 * @property {string} from
 * @property {string} to
 * @property {boolean} enabled
 */

/** @param {Tour | null} tour @returns {TourDraft} */
export function draftOf(tour) {
  return {
    id: tour?.id ?? '',
    name: tour?.name ?? '',
    kind: tour && !tour.group ? 'list' : 'group',
    group: tour?.group ?? '',
    camera_ids: [...(tour?.camera_ids ?? [])],
    dwell_s: String(tour?.dwell_s ?? 15),
    split: tour?.split ?? 4,
    windowed: Boolean(tour?.from && tour?.to),
    from: tour?.from ?? '19:00',
    to: tour?.to ?? '07:00',
    enabled: tour?.enabled ?? true,
  };
}

/**
 * What is wrong with a draft: field → key of the words. Empty: it may be saved.
 * @param {TourDraft} draft @param {{id: string, name: string}[]} others tours already there
 * @returns {Record<string, string>}
 */
export function draftFaults(draft, others) {
  /** @type {Record<string, string>} */
  const faults = {};
  const name = draft.name.trim();
  if (!name) faults.name = 'video.tour.fault.name';
  else if (name.length > NAME_MAX) faults.name = 'video.tour.fault.name_long';
  else if (others.some((tour) => tour.id !== draft.id && tour.name === name)) faults.name = 'video.tour.fault.name_taken';
  if (draft.kind === 'group' && !draft.group) faults.group = 'video.tour.fault.group';
  if (draft.kind === 'list' && !draft.camera_ids.length) faults.camera_ids = 'video.tour.fault.cameras';
  if (draft.kind === 'list' && draft.camera_ids.length > CAMERAS_MAX) faults.camera_ids = 'video.tour.fault.too_many';
  const dwell_s = Number(draft.dwell_s);
  if (!/^\d+$/.test(draft.dwell_s.trim()) || dwell_s < DWELL_MIN_S || dwell_s > DWELL_MAX_S)
    faults.dwell_s = 'video.tour.fault.dwell';
  if (draft.windowed) {
    if (!CLOCK.test(draft.from) || !CLOCK.test(draft.to)) faults.window = 'video.tour.fault.clock';
    else if (draft.from === draft.to) faults.window = 'video.tour.fault.window';
  }
  return faults;
}

/** The draft as the server takes it. @param {TourDraft} draft */
export function bodyOf(draft) {
  const listed = draft.kind === 'list';
  return {
    name: draft.name.trim(),
    group: listed ? null : draft.group,
    camera_ids: listed ? draft.camera_ids : [],
    dwell_s: Number(draft.dwell_s),
    split: draft.split,
    from: draft.windowed ? draft.from : null,
    to: draft.windowed ? draft.to : null,
    enabled: draft.enabled,
  };
}

/** All groups any camera is in, by name. @param {Iterable<Camera>} cameras */
export function groupsOf(cameras) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const camera of cameras) {
    for (const group of camera.tour_groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
