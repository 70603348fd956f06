// What the drawer shows while nobody has chosen anything: the most urgent incident nobody has taken.
//
// A preview gives way to a graver one, so that the very next Enter claims what matters most. What a person chose, or
// has claimed, is never replaced while it is open.
import { compareUrgency, isOpen, levelRank } from '../board.js';
import { isWaiting } from '../ui/levels.js';

/** @import {Incident} from '../../types/wire.d.ts' */

/**
 * The incident to preview next, or null to leave the drawer as it is.
 * @param {Incident[]} incidents
 * @param {object} now
 * @param {Incident | null} now.shown what the drawer previews
 * @param {string} now.dismissed preview that was put away by hand
 * @param {string} now.me user id
 * @returns {Incident | null}
 */
export function nextPreview(incidents, { shown, dismissed, me }) {
  if (shown?.claimed_by === me && isOpen(shown)) return null;
  const free = incidents.filter((item) => isWaiting(item) && (!item.claimed_by || item.claimed_by === me));
  const top = free.sort(compareUrgency)[0];
  if (!top || top.id === dismissed || top.id === shown?.id) return null;
  const standing = shown && isWaiting(shown) && !shown.claimed_by;
  return standing && levelRank(shown.level) <= levelRank(top.level) ? null : top;
}
