// What the phone remembers for a start without network: who it belongs to and that person's own work. Gone at sign-out.

import { ApiError, session } from '../api.js';
import { emptyBoard } from '../board.js';

/** @import {Board, Session} from '../../types/wire.d.ts' */

const SESSION_KEPT = 'yiping.field.session';
const BOARD_KEPT = 'yiping.field.board';

/** Who I am, also without network: the phone remembers the last answer. @returns {Promise<Session>} */
export async function whoAmI() {
  try {
    const found = await session();
    localStorage.setItem(SESSION_KEPT, JSON.stringify(found));
    return found;
  } catch (error) {
    const kept = localStorage.getItem(SESSION_KEPT);
    if (error instanceof ApiError && error.unreachable && kept) return JSON.parse(kept);
    throw error;
  }
}

/** @param {string} userId @returns {Board} */
export function readKeptBoard(userId) {
  const kept = JSON.parse(localStorage.getItem(BOARD_KEPT) ?? 'null');
  return kept?.userId === userId ? kept.board : emptyBoard();
}

/** @param {string} userId @param {Board} board only the person's own part */
export const keepBoard = (userId, board) => localStorage.setItem(BOARD_KEPT, JSON.stringify({ userId, board }));

export function forget() {
  localStorage.removeItem(SESSION_KEPT);
  localStorage.removeItem(BOARD_KEPT);
}

/** Give the service worker what this page needed, a little later so that fonts and the map's parts are in. */
async function keepWhatLoaded() {
  const { active } = await navigator.serviceWorker.ready;
  for (const delay_ms of [1_000, 15_000]) {
    window.setTimeout(() => {
      const urls = performance.getEntriesByType('resource').map((entry) => entry.name);
      active?.postMessage({ type: 'keep', urls: urls.filter((url) => url.startsWith(`${location.origin}/static/`)) });
    }, delay_ms);
  }
}

/** Let the page itself start without network. */
export function keepPage() {
  if ('serviceWorker' in navigator) {
    navigator.serviceWorker.register('/service-worker.js', { scope: '/field' }).then(keepWhatLoaded, (error) => {
      console.warn('offline start not available:', error.message);
    });
  }
}
