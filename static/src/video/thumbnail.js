// The picture of the last sweep, for places where no live picture runs: idle tiles, the map's hover, the floor of a tile.

const FRESH_MS = 30_000;
const MOST_KEPT = 64;

/** @import {Camera} from '../../types/wire.d.ts' */

/** @typedef {{url: string, takenAt: number | null}} Still takenAt: epoch ms */

/** @type {Map<string, {at: number, still: Promise<Still | null>}>} */
const kept = new Map();

/** Cameras that nobody looked at yet have no picture to ask for. @param {Partial<Camera>} camera */
export const mayHaveStill = ({ source, status }) => source !== null && status !== 'unknown' && status !== 'disabled';

/** @param {string} cameraId @param {'thumbnail.jpg' | 'snapshot.jpg'} what @param {string} [query] @returns {Promise<Still | null>} */
async function fetchStill(cameraId, what, query = '') {
  try {
    const response = await fetch(`/api/v1/cameras/${encodeURIComponent(cameraId)}/${what}${query}`, { cache: 'no-store' });
    if (response.status !== 200) return null;
    const taken = Date.parse(response.headers.get('x-taken-at') ?? '');
    const url = URL.createObjectURL(await response.blob());
    return { url, takenAt: Number.isNaN(taken) ? null : taken };
  } catch {
    return null; // no picture is a state, and the tile says so
  }
}

/**
 * Asked at most every half minute per camera. The address stays good until many others were asked for.
 * @param {string} cameraId
 */
export function thumbnail(cameraId) {
  const now = performance.now();
  const old = kept.get(cameraId);
  if (old && now - old.at < FRESH_MS) return old.still;
  const still = fetchStill(cameraId, 'thumbnail.jpg');
  kept.delete(cameraId);
  kept.set(cameraId, { at: now, still });
  if (old) forget(old.still);
  const [first] = kept;
  if (kept.size > MOST_KEPT && first) {
    kept.delete(first[0]);
    forget(first[1].still);
  }
  return still;
}

/** @param {Promise<Still | null>} still */
function forget(still) {
  // Whoever still shows it has a moment to change over.
  window.setTimeout(() => void still.then((found) => found && URL.revokeObjectURL(found.url)), FRESH_MS * 2);
}

/** A picture taken now, where no stream can be shown. Each one is in the viewing log. @param {string} cameraId @param {string | null} incidentId */
export function snapshotStill(cameraId, incidentId) {
  const still = fetchStill(cameraId, 'snapshot.jpg', incidentId ? `?incident_id=${encodeURIComponent(incidentId)}` : '');
  forget(still);
  return still;
}
