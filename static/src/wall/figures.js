// The wall's figures and sentences, computed from the board and the day's summary. Pure, so that tests hold them.

import { activeAssignments, compareUrgency, openIncidents, runningClock } from '../board.js';
import { isAlarm } from '../ui/levels.js';

/** @import {Assignment, Board, EtaItem, Incident, Level, Rate, Responder, ResponseTime, Stage, WallSummary} from '../../types/wire.d.ts' */

/** The six groups of the day's bar: which states each one holds, in the order of the work. */
export const GROUPS = /** @type {const} */ ([
  ['reported', ['reported']],
  ['accepted', ['accepted']],
  ['handling', ['dispatched', 'handling']],
  ['suspended', ['suspended']],
  ['handled', ['handled']],
  ['closed', ['closed', 'evaluated', 'revisited', 'archived']],
]);

/**
 * Per cent with two decimals, half up; an en dash without a denominator.
 * @param {Rate} rate
 */
export function percent({ n, d }) {
  if (!d) return '–';
  const hundredths = Math.floor((n * 20_000 + d) / (2 * d)); // whole numbers: 0.005 must not depend on binary fractions
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}%`;
}

/** @param {Record<string, number>} byState @returns {{group: string, n: number}[]} */
export const stateGroups = (byState) =>
  GROUPS.map(([group, states]) => ({ group, n: states.reduce((sum, state) => sum + (byState[state] ?? 0), 0) }));

/**
 * The top of the ranking and its end; both, because a list of the best hides where help is needed.
 * @template T
 * @param {T[]} rows best first
 * @param {number} head
 * @param {number} tail
 * @returns {{head: {rank: number, row: T}[], tail: {rank: number, row: T}[]}}
 */
export function bothEnds(rows, head, tail) {
  const ranked = rows.map((row, index) => ({ rank: index + 1, row }));
  if (ranked.length <= head + tail) return { head: ranked, tail: [] };
  return { head: ranked.slice(0, head), tail: ranked.slice(-tail) };
}

/**
 * Open incidents by village, most first: what the ranking shows while too few cases are accepted to compare rates.
 * @param {Board} board
 * @param {number} most
 * @returns {{code: string, n: number}[]}
 */
export function openByVillage(board, most) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { village } of openIncidents(board)) {
    if (village) counts.set(village, (counts.get(village) ?? 0) + 1);
  }
  return [...counts].map(([code, n]) => ({ code, n })).sort((a, b) => b.n - a.n || a.code.localeCompare(b.code)).slice(0, most);
}

/**
 * Kinds of people by how many are on the roster, the rest summed up in the panel's figure only.
 * @param {WallSummary['on_duty']['by_kind']} byKind
 * @param {number} most
 */
export function onDuty(byKind, most) {
  const rows = Object.entries(byKind).map(([kind, row]) => ({ kind, ...row }));
  rows.sort((a, b) => b.total - a.total || a.kind.localeCompare(b.kind));
  /** @param {'on' | 'online' | 'total'} key */
  const sum = (key) => rows.reduce((all, row) => all + row[key], 0);
  return { rows: rows.slice(0, most), on: sum('on'), online: sum('online'), total: sum('total') };
}

/**
 * 在线率 of the cameras in use, 完好率 of all.
 * @param {WallSummary['cameras']} cameras
 * @returns {{online: Rate, intact: Rate}}
 */
export const cameraRates = ({ online, total, camera_online, camera_intact }) => ({
  online: camera_online ?? { n: online, d: total },
  intact: camera_intact ?? { n: 0, d: 0 },
});

/**
 * Townships by how many grids lack a worker.
 * @param {WallSummary['staffing']['by_township']} townships
 * @param {number} most
 */
export function gaps(townships, most) {
  const rows = townships.map((item) => ({ ...item, missing: item.grids - item.staffed }));
  rows.sort((a, b) => b.missing - a.missing || a.code.localeCompare(b.code));
  const rest = rows.slice(most);
  return { rows: rows.slice(0, most), others: rest.length, missingElsewhere: rest.reduce((sum, row) => sum + row.missing, 0) };
}

/**
 * Which response times to draw: arrival of the grave levels, then signing, where there is something to tell.
 * @param {WallSummary['response']} response
 * @param {number} most
 * @returns {{stage: Stage, level: Level, time: ResponseTime & {median_s: number, limit_s: number}}[]}
 */
export function responseRows(response, most) {
  /** @type {[Stage, Level][]} */
  const wanted = [
    ['arrive', 'I'], ['arrive', 'II'], ['arrive', 'III'], ['sign', 'I'], ['sign', 'II'], ['sign', 'III'], ['sign', 'IV'],
  ];
  const rows = [];
  for (const [stage, level] of wanted) {
    const time = response[stage]?.[level];
    if (time && time.median_s !== null && time.limit_s !== null && time.n > 0) {
      rows.push({ stage, level, time: { ...time, median_s: time.median_s, limit_s: time.limit_s } });
    }
  }
  return rows.slice(0, most);
}

/**
 * @typedef {object} Progress how far the help has come
 * @property {'waiting' | 'asked' | 'signed' | 'en_route' | 'on_scene' | 'suspended' | 'handled'} step
 * @property {{assignment: Assignment, responder: Responder | undefined, eta_s: number | null}[]} people
 * @property {number | null} eta_s the nearest
 */

/**
 * @param {Board} board
 * @param {Incident} incident
 * @param {Map<string, EtaItem>} etas
 * @returns {Progress}
 */
export function progressOf(board, incident, etas) {
  const people = activeAssignments(board, incident).map((assignment) => ({
    assignment,
    responder: board.responders[assignment.responder_id],
    eta_s: assignment.state === 'en_route' ? (etas.get(assignment.id)?.eta_s ?? null) : null,
  }));
  const states = new Set(people.map((item) => item.assignment.state));
  const etaList = people.map((item) => item.eta_s).filter((eta) => eta !== null);
  const eta_s = etaList.length ? Math.min(...etaList) : null;
  /** @type {Progress['step']} */
  let step = 'waiting';
  if (incident.state === 'suspended') step = 'suspended';
  else if (incident.state === 'handled') step = 'handled';
  else if (states.has('on_scene')) step = 'on_scene';
  else if (states.has('en_route')) step = 'en_route';
  else if (states.has('signed')) step = 'signed';
  else if (people.length) step = 'asked';
  return { step, people, eta_s };
}

/**
 * Whether somebody still has to do something out there: work that only waits for its check, or is on hold, is not news.
 * @param {Incident} incident
 */
const isRunning = (incident) => incident.state !== 'handled' && incident.state !== 'suspended';

/** Exercises must not be taken for real: they come after what is, and are marked. @param {Board} board */
const byUrgency = (board) =>
  openIncidents(board).sort(
    (a, b) =>
      Number(a.exercise) - Number(b.exercise) || Number(isRunning(b)) - Number(isRunning(a)) || compareUrgency(a, b),
  );

/** Incidents of level Ⅰ or Ⅱ that are being worked on, gravest first. @param {Board} board */
export const graveIncidents = (board) =>
  byUrgency(board).filter((item) => isRunning(item) && (item.level === 'I' || item.level === 'II'));

/**
 * What matters now: how many are open, how many of the gravest level, and how the gravest one stands.
 * @param {Board} board
 * @param {Map<string, EtaItem>} etas
 */
export function story(board, etas) {
  const open = byUrgency(board).filter(isRunning);
  const [top] = open;
  if (!top) return { open: 0, top: null, sameLevel: 0, progress: null };
  return {
    open: open.length,
    top,
    sameLevel: open.filter((item) => item.level === top.level && item.exercise === top.exercise).length,
    progress: progressOf(board, top, etas),
  };
}

/**
 * The open incidents that most need eyes, with everything a tile shows.
 * @param {Board} board
 * @param {Map<string, EtaItem>} etas
 * @param {number} nowMs server time
 * @param {number} most
 */
export function urgentTiles(board, etas, nowMs, most) {
  return byUrgency(board)
    .slice(0, most)
    .map((incident) => ({
      incident,
      progress: progressOf(board, incident, etas),
      clock: runningClock(incident, nowMs),
      age_s: Math.max(0, (nowMs - Date.parse(incident.reported_at)) / 1000),
    }));
}

/** The gravest alarm nobody has acknowledged, and how many there are. @param {Board} board */
export function openAlarms(board) {
  const alarms = byUrgency(board).filter(isAlarm);
  return { first: alarms[0] ?? null, count: alarms.length };
}

/** Event types the ticker tells, with the state word they stand for. @type {Record<string, string>} */
const TOLD = {
  'incident.reported': 'reported', 'incident.dispatched': 'dispatched', 'assignment.signed': 'signed',
  'assignment.en_route': 'en_route', 'assignment.on_scene': 'on_scene', 'incident.handled': 'handled',
  'incident.closed': 'closed', 'incident.escalated': 'escalated', 'incident.cancelled': 'cancelled',
};

/**
 * @typedef {{incidentId: string, at: string, what: string}} Tick
 */

/**
 * The line an event makes on the ticker, or null when it is not for the wall.
 * @param {import('../../types/wire.d.ts').EventFrame} frame
 * @returns {Tick | null}
 */
export function tickOf(frame) {
  const what = TOLD[frame.type];
  if (!what) return null;
  const { incidents, assignments } = frame.data.changes;
  const fromIncident = Object.values(incidents ?? {}).find(Boolean);
  const fromAssignment = Object.values(assignments ?? {}).find(Boolean);
  const id = /** @type {any} */ (fromIncident)?.id ?? /** @type {any} */ (fromAssignment)?.incident_id;
  return id ? { incidentId: id, at: frame.at, what } : null;
}

/**
 * The newest happenings of a board that was just loaded, before any event has come.
 * @param {Board} board
 * @param {number} most
 * @returns {Tick[]} newest first
 */
export function ticksOfBoard(board, most) {
  return Object.values(board.incidents)
    .sort((a, b) => (a.updated_at < b.updated_at ? 1 : a.updated_at > b.updated_at ? -1 : a.id < b.id ? -1 : 1))
    .slice(0, most)
    .map((item) => ({ incidentId: item.id, at: item.updated_at, what: item.state }));
}

/**
 * Newest first, one line per incident, so that a busy case does not push everything else out.
 * @param {Tick[]} ticks
 * @param {Tick} tick
 * @param {number} most
 */
export const withTick = (ticks, tick, most) =>
  [tick, ...ticks.filter((item) => item.incidentId !== tick.incidentId)].slice(0, most);

/**
 * Round steps for an axis from zero: 1, 2 or 5 times a power of ten, at most four of them.
 * @param {number} most
 * @returns {number[]} from 0 to at least `most`
 */
export function axisSteps(most) {
  const rough = Math.max(1, most) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power * 10);
  const steps = [0];
  while (steps[steps.length - 1] < most || steps.length < 2) steps.push(steps[steps.length - 1] + step);
  return steps;
}
