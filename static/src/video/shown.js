// What a tile may say about its picture. One rule above all: nothing is called live whose age we do not know.

/** @typedef {import('./player.js').ServerState} ServerState */

/**
 * @typedef {'connecting' | 'live' | 'late' | 'lost' | 'refused' | 'no_capacity' | 'unsupported' | 'disabled'
 *   | 'no_source' | 'forbidden' | 'gone' | 'signed_out' | 'still' | 'ended'} ShownKind
 *
 * @typedef {object} Shown
 * @property {ShownKind} kind also names the words, `camera.state.*`
 * @property {'full' | 'half' | 'hollow' | 'dotted'} mark the shape beside the words
 * @property {string | null} reason code of `camera.reason.*`, where there is one to tell
 */

/** A picture older than this is late. */
export const LATE_AFTER_S = 5;
/** A picture older than this is no longer a view of the place. */
export const LOST_AFTER_S = 30;

/** @type {Record<ShownKind, Shown['mark']>} */
const MARKS = {
  live: 'full', late: 'half', still: 'half', connecting: 'dotted', lost: 'hollow', refused: 'hollow', no_capacity: 'hollow',
  unsupported: 'hollow', disabled: 'dotted', no_source: 'dotted', forbidden: 'dotted', gone: 'dotted', signed_out: 'dotted', ended: 'dotted',
};

/** Kinds whose picture is darkened and told in words. */
export const NO_VIEW = new Set(
  /** @type {ShownKind[]} */ (['lost', 'refused', 'no_capacity', 'unsupported', 'disabled', 'no_source', 'forbidden', 'gone', 'signed_out', 'ended']),
);

/** The camera works and only its stream cannot be shown: still pictures stand in for it. */
export const NO_STREAM = new Set(/** @type {ShownKind[]} */ (['no_capacity', 'unsupported']));

/**
 * @param {object} facts
 * @param {number | null} facts.age_s of the picture on screen since it came; null: none came
 * @param {ServerState | null} facts.server what the server last said of the camera
 * @param {'opening' | 'open' | 'waiting' | 'hidden' | 'stopped'} facts.link
 * @param {'signed_out' | 'forbidden' | 'gone' | 'ended' | null} [facts.stop] why the player gave up
 * @param {boolean} [facts.unplayable] this browser cannot show what the camera sends
 * @param {boolean} [facts.still] only the last still picture is wanted
 * @param {string} [facts.status] of the camera in the register
 * @param {string | null} [facts.fault] of the camera in the register
 * @param {string | null} [facts.source] protocol of its media in the register; null: a point without a picture
 * @returns {Shown}
 */
export function shownState({ age_s, server, link, stop = null, unplayable = false, still = false, status = 'unknown', fault = null, source }) {
  /** @param {ShownKind} kind @param {string | null} [reason] @returns {Shown} */
  const shown = (kind, reason = null) => ({ kind, mark: MARKS[kind], reason });
  if (stop) return shown(stop);
  if (status === 'disabled') return shown('disabled');
  if (source === null) return shown('no_source');
  if (still) return status === 'offline' ? shown('lost', fault === 'unauthorized' ? 'unauthorized' : null) : shown('still');
  if (unplayable) return shown('unsupported');
  const said = server?.state ?? null;
  const cut = link === 'waiting' ? 'link' : null;
  if (said === 'refused' || said === 'no_capacity') return shown(said, server?.reason ?? null);
  if (said === 'lost') return shown('lost', cut ?? server?.reason ?? null);
  if (age_s === null) return shown('connecting', cut);
  if (age_s > LOST_AFTER_S) return shown('lost', cut ?? server?.reason ?? null);
  if (age_s > LATE_AFTER_S || said === 'late') return shown('late', cut ?? server?.reason ?? null);
  return shown('live');
}

/** Statuses of the register that a tour or a strip need not try first. @param {string} status */
export const isDown = (status) => status === 'offline' || status === 'disabled';

/**
 * The mark of a camera on the map and in lists, by its status in the register.
 * @param {string} status
 * @returns {'live' | 'late' | 'offline' | 'unknown'}
 */
export function statusMark(status) {
  if (status === 'live' || status === 'online') return 'live';
  if (status === 'degraded' || status === 'stale') return 'late';
  return status === 'offline' ? 'offline' : 'unknown';
}
