// Levels and kinds of people: one colour, one shape and one numeral each, on the map and in every list.
//
// Solid = nobody is on it (or: free), hollow = somebody is (or: on a job), dashed = the position is stale. The same
// paths draw the SVG of the panels and the canvas images of the map, so the two can never disagree.

/** @typedef {'police' | 'worker' | 'team' | 'other'} KindGroup */

/** Box of every path: -11 … 11 in both directions, y down. */
export const BOX = 22;

/** @type {Record<string, {rank: number, numeral: string, path: string}>} */
export const LEVELS = {
  I: { rank: 1, numeral: 'Ⅰ', path: 'M0 -9.2 9.2 0 0 9.2 -9.2 0Z' },
  II: { rank: 2, numeral: 'Ⅱ', path: 'M0 -8.6 9.4 7.6H-9.4Z' },
  III: { rank: 3, numeral: 'Ⅲ', path: 'M-7.6 -7.6H7.6V7.6H-7.6Z' },
  IV: { rank: 4, numeral: 'Ⅳ', path: 'M-8.2 0A8.2 8.2 0 1 0 8.2 0A8.2 8.2 0 1 0 -8.2 0Z' },
  none: { rank: 5, numeral: '–', path: 'M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0Z' },
};

/** @param {string} level */
export const levelOf = (level) => LEVELS[level] ?? LEVELS.none;

/** @type {KindGroup[]} */
export const GROUPS = ['police', 'worker', 'team', 'other'];

/** @type {Record<string, KindGroup>} */
const GROUP_OF = {
  police: 'police',
  grid_worker: 'worker',
  grid_chief: 'worker',
  street_chief: 'worker',
  emergency_member: 'team',
};

/** @param {string} kind @returns {KindGroup} */
export const groupOf = (kind) => GROUP_OF[kind] ?? 'other';

/** @type {Record<KindGroup, string>} */
export const KIND_PATHS = {
  police: 'M0 -9.5 7.4 8.6 0 4.4 -7.4 8.6Z',
  worker: 'M0 -9.6C2.6 -5.4 7 -2 7 2.6A7 7 0 0 1 -7 2.6C-7 -2 -2.6 -5.4 0 -9.6Z',
  team: 'M0 -8.8 8.2 -1.4V8.4H-8.2V-1.4Z',
  other: 'M-6.4 0A6.4 6.4 0 1 0 6.4 0A6.4 6.4 0 1 0 -6.4 0Z',
};

const WAITING = new Set(['reported', 'accepted']);

/** Nobody is on it yet: drawn solid, listed first.
 * @param {{state: string}} incident
 */
export const isWaiting = (incident) => WAITING.has(incident.state);

/** An alarm: nobody has answered it and it is grave or came from a device. Only these flash and sound.
 * @param {{state: string, acknowledged_at: string | null, claimed_by: string | null, level: string, source: string}} item
 */
export const isAlarm = (item) =>
  isWaiting(item) &&
  item.acknowledged_at === null &&
  item.claimed_by === null &&
  (item.level === 'I' || item.level === 'II' || item.source === 'alarm');
