// What the field page reads from the board: the responder's own job, with what waits in the outbox laid over it.
//
// A step taken without network shows at once, marked as waiting; the board itself changes only with the feed.

import { assignmentsOf, emptyBoard, messagesOf } from '../board.js';

/** @import {Assignment, Board, Incident, Responder} from '../../types/wire.d.ts' */
/** @import {Entry} from './outbox.js' */

export const STEPS = /** @type {const} */ (['sign', 'en_route', 'on_scene', 'finish']);
/** @type {Record<string, string>} */
const STATE_AFTER = {
  deliver: 'delivered', sign: 'signed', en_route: 'en_route', on_scene: 'on_scene', finish: 'finished', decline: 'declined',
};
const RANK = ['proposed', 'dispatched', 'delivered', 'signed', 'en_route', 'on_scene', 'finished', 'released'];
const KEPT_MESSAGES = 50;
const MINE = new Set(['dispatched', 'delivered', 'signed', 'en_route', 'on_scene']);

/**
 * @typedef {object} Job
 * @property {Assignment} assignment
 * @property {Incident} incident
 * @property {string} state the assignment's state, counting what waits in the outbox
 * @property {Set<string>} waiting commands not yet delivered
 * @property {{assignment: Assignment, responder: Responder}[]} others who else is on it
 */

/**
 * The responder's running job, or null.
 * @param {Board} board
 * @param {string} responderId
 * @param {readonly Entry[]} entries of the outbox
 * @returns {Job | null}
 */
export function jobOf(board, responderId, entries) {
  const mine = Object.values(board.assignments)
    .filter((item) => item.responder_id === responderId && MINE.has(item.state))
    .sort((a, b) => (b.dispatched_at ?? '').localeCompare(a.dispatched_at ?? '') || a.id.localeCompare(b.id));
  for (const assignment of mine) {
    const incident = board.incidents[assignment.incident_id];
    if (!incident) continue;
    const { state, waiting } = stateWith(assignment, entries);
    if (state === 'finished' || state === 'declined') continue;
    const others = assignmentsOf(board, incident)
      .filter((item) => item.id !== assignment.id && MINE.has(item.state) && board.responders[item.responder_id])
      .map((item) => ({ assignment: item, responder: board.responders[item.responder_id] }));
    return { assignment, incident, state, waiting, others };
  }
  return null;
}

/**
 * @param {Assignment} assignment
 * @param {readonly Entry[]} entries
 */
export function stateWith(assignment, entries) {
  /** @type {string} */
  let state = assignment.state;
  /** @type {Set<string>} */
  const waiting = new Set();
  for (const entry of entries) {
    if (entry.state !== 'waiting' || entry.about?.assignmentId !== assignment.id) continue;
    const command = entry.about.command ?? '';
    const after = STATE_AFTER[command];
    if (!after) continue;
    waiting.add(command);
    if (after === 'declined' || RANK.indexOf(after) > RANK.indexOf(state)) state = after;
  }
  return { state, waiting };
}

/** Whether the job still waits for yes or no. @param {Job} job */
export const needsAnswer = (job) => job.state === 'dispatched' || job.state === 'delivered';

/**
 * The four stages under the map: done with their time, running, or to come with their limit.
 * @param {Job} job
 * @returns {{step: typeof STEPS[number], done: boolean, now: boolean, at: string | null, waiting: boolean,
 *            limit_s: number | null}[]}
 */
export function stages(job) {
  const { assignment, incident } = job;
  const rank = RANK.indexOf(job.state);
  const rows = /** @type {const} */ ([
    ['sign', 'signed', assignment.signed_at, incident.limits_s?.sign],
    ['en_route', 'en_route', assignment.en_route_at, null],
    ['on_scene', 'on_scene', assignment.on_scene_at, incident.limits_s?.arrive],
    ['finish', 'finished', assignment.finished_at, incident.limits_s?.handle],
  ]);
  return rows.map(([step, state, at, limit_s]) => {
    const own = RANK.indexOf(state);
    const current = step === 'en_route' ? job.state === 'en_route' : step === 'finish' && job.state === 'on_scene';
    return {
      step, done: rank > own || (rank === own && !current), now: current, at,
      waiting: job.waiting.has(step), limit_s: limit_s ?? null,
    };
  });
}

/**
 * The part of the board that is the responder's own: what the phone may keep.
 * @param {Board} board
 * @param {string} responderId
 * @returns {Board}
 */
export function ownPart(board, responderId) {
  const own = emptyBoard();
  const me = board.responders[responderId];
  if (me) own.responders[me.id] = me;
  for (const item of Object.values(board.assignments)) {
    if (item.responder_id !== responderId || !MINE.has(item.state)) continue;
    own.assignments[item.id] = item;
    const incident = board.incidents[item.incident_id];
    if (incident) own.incidents[incident.id] = incident;
  }
  for (const message of messagesOf(board, responderId).slice(-KEPT_MESSAGES)) own.messages[message.id] = message;
  own.closures = board.closures ?? {}; // few, and a road stays closed without network
  return own;
}
