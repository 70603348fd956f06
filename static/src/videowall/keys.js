// One key for each thing done often. Nothing fires while somebody types, or over a dialog.
import { clear, move, nextOfTour, pauseOrResume, showOnMap, split, stopTour } from './actions.js';
import { tileAt } from './screen.js';
import { set, ui } from './state.js';

/** @import {Split} from '../../types/wire.d.ts' */

/** What the foot of the page says. @type {[string, string][]} */
export const KEY_LIST = [
  ['1 4 9 6', 'split'],
  ['← ↑ ↓ →', 'move'],
  ['F', 'full'],
  ['G', 'map'],
  ['Delete', 'clear'],
  ['/', 'find'],
];

/** @type {Record<string, Split>} */
const SPLIT_KEYS = { 1: 1, 4: 4, 9: 9, 6: 16 };
/** @type {Record<string, 'left' | 'right' | 'up' | 'down'>} */
const WAYS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };

const focusedCamera = () => ui.grid.cells[ui.grid.focus];

/** @type {Record<string, () => void>} */
const ACTIONS = {
  f: () => void tileAt(ui.grid.focus)?.toggleFullscreen(),
  g: () => {
    const id = focusedCamera();
    if (id) showOnMap(id);
  },
  delete: () => clear(ui.grid.focus),
  backspace: () => clear(ui.grid.focus),
  p: pauseOrResume,
  n: nextOfTour,
  s: () => void (ui.run && stopTour()),
};

/** @param {KeyboardEvent} event @returns {boolean} */
const elsewhere = (event) => {
  const target = /** @type {Element | null} */ (event.target instanceof Element ? event.target : null);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || ui.dialog) return true;
  return Boolean(target?.closest('input, select, textarea, dialog, video, [role=tree]'));
};

export function startKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || ui.tab !== 'grid' || elsewhere(event)) return;
    const key = event.key.toLowerCase();
    if (event.key === '/') {
      set({ side: 'cameras' });
      queueMicrotask(() => document.getElementById('tree-search')?.focus());
    } else if (SPLIT_KEYS[event.key]) split(SPLIT_KEYS[event.key]);
    else if (WAYS[event.key]) move(WAYS[event.key]);
    else if (ACTIONS[key]) ACTIONS[key]();
    else return;
    event.preventDefault();
  });
}
