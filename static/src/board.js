// The board is everything the pages show about incidents and people; this is its reducer and what panels read from it.
//
// An event carries the new whole value of each entity it touched, so applying one is a put or a delete and nothing
// more. tests/golden/*.json pins the same law for the server's reducer.

/** @import {Assignment, Board, Camera, EventFrame, Incident, Level, Message, Responder, Stage} from '../types/wire.d.ts' */

export const KINDS = /** @type {const} */ ([
  'incidents', 'assignments', 'responders', 'cameras', 'messages', 'tours', 'layouts', 'alarms', 'geography',
  'closures',
]);

/** @returns {Board} */
export function emptyBoard() {
  return {
    incidents: {}, assignments: {}, responders: {}, cameras: {}, messages: {}, tours: {}, layouts: {}, alarms: {},
    geography: {}, closures: {},
  };
}

/** Which revision of the district the board knows of; 0 before the first. @param {Board} board */
export function geographyOf(board) {
  return board.geography.district?.revision ?? 0;
}

/** The event cannot be applied: its changes are not of the agreed form. The feed answers with one resync. */
export class BoardError extends Error {}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The board of a snapshot frame; kinds the server left out (a topic not subscribed) are empty.
 * @param {unknown} board
 * @returns {Board}
 */
export function applySnapshot(board) {
  if (!isRecord(board)) throw new BoardError('snapshot without a board');
  const next = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (emptyBoard()));
  for (const [kind, entities] of Object.entries(board)) {
    if (!isRecord(entities)) throw new BoardError(`snapshot: ${kind} is not a map`);
    next[kind] = entities;
  }
  return /** @type {Board} */ (/** @type {unknown} */ (next));
}

/**
 * The board after one event. Pure: the given board is untouched, kinds the event does not name are shared.
 * @param {Board} board
 * @param {{data: {changes: Record<string, Record<string, unknown>>}}} frame
 * @returns {Board}
 */
export function applyEvent(board, frame) {
  const changes = frame?.data?.changes;
  if (!isRecord(changes)) throw new BoardError('event without changes');
  const next = /** @type {Record<string, Record<string, unknown>>} */ (/** @type {unknown} */ ({ ...board }));
  for (const [kind, entities] of Object.entries(changes)) {
    if (!isRecord(entities)) throw new BoardError(`event: ${kind} is not a map`);
    const kept = { ...(next[kind] ?? {}) };
    for (const [id, value] of Object.entries(entities)) {
      if (value === null) delete kept[id];
      else if (isRecord(value)) kept[id] = value;
      else throw new BoardError(`event: ${kind}/${id} is neither null nor an entity`);
    }
    next[kind] = kept;
  }
  return /** @type {Board} */ (/** @type {unknown} */ (next));
}

// ── Selectors ────────────────────────────────────────────────────────────────────────────────────────────────────

const OPEN_STATES = new Set(['reported', 'accepted', 'dispatched', 'handling', 'suspended', 'handled']);
const ENDED_ASSIGNMENTS = new Set(['released', 'declined', 'timed_out', 'reassigned', 'recalled']);
/** @type {Record<string, number>} */
const LEVEL_RANK = { I: 0, II: 1, III: 2, IV: 3, none: 4 };

/**
 * 0 for Ⅰ … 4 for no level: smaller is more urgent.
 * @param {Level | string} level
 */
export const levelRank = (level) => LEVEL_RANK[level] ?? 4;

/** @param {Incident} incident */
export const isOpen = (incident) => OPEN_STATES.has(incident.state);

/**
 * Incidents not yet closed, most urgent first: level, then nobody on it before somebody, then the nearest deadline,
 * then code (a fixed tie-break, so that lists never jitter).
 * @param {Board} board
 * @returns {Incident[]}
 */
export function openIncidents(board) {
  return Object.values(board.incidents).filter(isOpen).sort(compareUrgency);
}

/**
 * @param {Incident} a
 * @param {Incident} b
 */
export function compareUrgency(a, b) {
  return (
    levelRank(a.level) - levelRank(b.level) ||
    Number(isAttended(a)) - Number(isAttended(b)) ||
    dueMs(a) - dueMs(b) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  );
}

/**
 * Somebody is on it: dispatched or further.
 * @param {Incident} incident
 */
export const isAttended = (incident) =>
  incident.state === 'dispatched' || incident.state === 'handling' || incident.state === 'handled';

/** @param {Incident} incident */
function dueMs(incident) {
  const clock = runningStage(incident);
  const due = clock && incident.due?.[clock];
  return due ? Date.parse(due) : Number.MAX_SAFE_INTEGER;
}

/** Assignments of an incident that still bind somebody, in order of dispatch.
 * @param {Board} board
 * @param {Incident | string} incident
 * @returns {Assignment[]}
 */
export function activeAssignments(board, incident) {
  return assignmentsOf(board, incident).filter((item) => !ENDED_ASSIGNMENTS.has(item.state) && item.state !== 'finished');
}

/** All assignments of an incident, past ones too, in order of dispatch.
 * @param {Board} board
 * @param {Incident | string} incident
 * @returns {Assignment[]}
 */
export function assignmentsOf(board, incident) {
  const id = typeof incident === 'string' ? incident : incident.id;
  return indexOf(board.assignments, 'incident_id', assignmentsByIncident).get(id) ?? [];
}

/** @type {WeakMap<object, Map<string, Assignment[]>>} */
const assignmentsByIncident = new WeakMap();

/**
 * @param {Record<string, Assignment>} assignments
 * @param {'incident_id'} key
 * @param {WeakMap<object, Map<string, Assignment[]>>} cache
 */
function indexOf(assignments, key, cache) {
  let index = cache.get(assignments);
  if (!index) {
    index = new Map();
    for (const item of Object.values(assignments)) {
      const list = index.get(item[key]);
      if (list) list.push(item);
      else index.set(item[key], [item]);
    }
    for (const list of index.values()) list.sort(compareDispatch);
    cache.set(assignments, index);
  }
  return index;
}

/**
 * @param {Assignment} a
 * @param {Assignment} b
 */
function compareDispatch(a, b) {
  const first = a.dispatched_at ?? '';
  const second = b.dispatched_at ?? '';
  return first < second ? -1 : first > second ? 1 : a.id < b.id ? -1 : 1;
}

/** The field job a responder is on, or null.
 * @param {Board} board
 * @param {Responder} responder
 * @returns {Assignment | null}
 */
export function assignmentOf(board, responder) {
  return (responder.assignment_id && board.assignments[responder.assignment_id]) || null;
}

/** @type {WeakMap<object, Map<number, Responder>>} */
const responderIndex = new WeakMap();

/** The responder whose telemetry carries this unit number.
 * @param {Board} board
 * @param {number} unit
 * @returns {Responder | undefined}
 */
export function responderByUnit(board, unit) {
  let index = responderIndex.get(board.responders);
  if (!index) {
    index = new Map(Object.values(board.responders).map((item) => [item.unit, item]));
    responderIndex.set(board.responders, index);
  }
  return index.get(unit);
}

/** Open incidents nobody has acknowledged: the only things that may flash.
 * @param {Board} board
 * @returns {Incident[]}
 */
export function unacknowledged(board) {
  return openIncidents(board).filter((item) => item.acknowledged_at === null && item.state === 'reported');
}

/** The stage whose clock runs now, or null (suspended, handled, ended).
 * @param {Incident} incident
 * @returns {Stage | null}
 */
export function runningStage(incident) {
  switch (incident.state) {
    case 'reported':
      return 'accept';
    case 'accepted':
    case 'dispatched':
      return 'sign';
    case 'handling':
      return incident.arrived_at === null && incident.due?.arrive ? 'arrive' : 'handle';
    default:
      return null;
  }
}

/**
 * @typedef {object} StageClock
 * @property {Stage} stage
 * @property {number} due_ms epoch milliseconds
 * @property {number | null} limit_s
 * @property {number} left_s negative once overrun
 * @property {number} used share of the limit that has passed: 0 … 1 and beyond
 * @property {boolean} over
 */

/** The running clock of an incident.
 * @param {Incident} incident
 * @param {number} nowMs server time
 * @returns {StageClock | null} null when no clock runs or the stage has no limit
 */
export function runningClock(incident, nowMs) {
  const stage = runningStage(incident);
  const due = stage && incident.due?.[stage];
  if (!stage || !due) return null;
  const due_ms = Date.parse(due);
  const left_s = (due_ms - nowMs) / 1000;
  const limit_s = incident.limits_s?.[stage] ?? null;
  const used = limit_s ? 1 - left_s / limit_s : left_s <= 0 ? 1 : 0;
  return { stage, due_ms, limit_s, left_s, used: Math.max(0, used), over: left_s < 0 };
}

/**
 * A picture comes from it, whether or not something is wrong with the picture: what counts as online (在线).
 * @param {Camera} camera
 */
export const isOnline = (camera) => camera.status === 'live' || camera.status === 'degraded';

/** Messages to or from a responder, oldest first.
 * @param {Board} board
 * @param {string} responderId
 * @returns {Message[]}
 */
export function messagesOf(board, responderId) {
  return Object.values(board.messages)
    .filter((item) => item.from_responder === responderId || item.to.includes(responderId))
    .sort((a, b) => (a.sent_at < b.sent_at ? -1 : a.sent_at > b.sent_at ? 1 : a.id < b.id ? -1 : 1));
}
