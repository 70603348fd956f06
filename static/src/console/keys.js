// One key for each thing done often. Nothing fires while somebody types.
import { isWaiting } from '../ui/levels.js';
import {
  acknowledge,
  callPerson,
  choose,
  closeIncident,
  dispatchChosen,
  goBack,
  isOverride,
  newIncident,
  openIncident,
  primary,
  select,
  submitDraft,
  toggleAllKinds,
  topAlarm,
} from './actions.js';
import { mayClose, startClosure, submitClosure } from './closure-draft.js';
import { drawKey } from './closure-draw.js';
import { endClosure } from './closure-drawer.js';
import { DISPOSITIONS, OVERRIDE_REASONS } from './commands-list.js';
import { mergeInto } from './incident-parts.js';
import { home } from './map-bridge.js';
import { queueOrder } from './queue.js';
import { board, selectedIncident, set, ui } from './state.js';
import { activeAssignments } from '../board.js';

/** Next or previous card. @param {number} step */
function walk(step) {
  const order = queueOrder();
  if (!order.length) return;
  const at = order.indexOf(ui.cursor);
  const next = order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + step))];
  openIncident(next);
  queueMicrotask(() =>
    document
      .querySelector(`[data-testid="queue-card"][data-id="${CSS.escape(next)}"]`)
      ?.scrollIntoView({ block: 'nearest' }),
  );
}

function callSomebody() {
  const { selection } = ui;
  const incident = selectedIncident();
  if (selection?.kind === 'responder') return void callPerson(selection.id);
  const job = incident && activeAssignments(board(), incident)[0];
  const id = job?.responder_id ?? ui.ranked?.items[ui.choice]?.responder_id;
  if (id) void callPerson(id);
  return undefined;
}

/** @param {string} digit */
function number(digit) {
  const index = Number(digit) - 1;
  if (ui.panel === 'close') {
    if (DISPOSITIONS[index]) void closeIncident(DISPOSITIONS[index]);
  } else choose(index);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  const mod = event.ctrlKey || event.metaKey;
  if (mod && event.key.toLowerCase() === 'k') {
    document.getElementById('search')?.focus();
    event.preventDefault();
    return;
  }
  if (mod && event.key === 'Enter' && ui.selection?.kind === 'form') {
    void submitDraft();
    event.preventDefault();
    return;
  }
  if (mod && event.key === 'Enter' && ui.selection?.kind === 'closure-form') {
    void submitClosure();
    event.preventDefault();
    return;
  }
  if (!typing && !mod && !event.altKey && drawKey(event)) return;
  if (event.key === 'Escape') {
    if (typing) target.blur();
    else if (ui.help || ui.userMenu) set({ help: false, userMenu: false });
    else goBack();
    event.preventDefault();
    return;
  }
  if (typing || mod || event.altKey) return;
  const incident = selectedIncident();
  const key = event.key;
  if (key === 'Enter') {
    // A focused button answers Enter itself.
    if (target.closest('button, a, [role="button"]')) return;
    if (event.shiftKey) void dispatchChosen({ both: true });
    else primary();
  } else if (key === '/') document.getElementById('command')?.focus();
  else if (key === '?') set({ help: !ui.help });
  else if (/^[1-9]$/.test(key)) number(key);
  else if (key === 'j' || key === 'ArrowDown') walk(1);
  else if (key === 'k' || key === 'ArrowUp') walk(-1);
  else if (key === 'a') {
    const alarm = topAlarm();
    if (alarm) void acknowledge(alarm);
  } else if (key === 'f') toggleAllKinds();
  else if (key === 'h') home();
  else if (key === 'n') newIncident();
  else if (key === 'c') callSomebody();
  else if (key === 'm' && incident && isWaiting(incident) && board().incidents[incident.suspects[0]])
    void mergeInto(incident, board().incidents[incident.suspects[0]]);
  else if (key === 'b') {
    if (mayClose()) startClosure();
    else select({ kind: 'closures', id: 'all' });
  } else if (key === 'x' && ui.selection?.kind === 'closure') {
    const closure = board().closures[ui.selection.id];
    if (closure && closure.state !== 'ended' && mayClose()) void endClosure(closure);
  } else if (key === 'x' && incident) set({ panel: ui.panel === 'close' ? '' : 'close' });
  else if (key === 'o' && incident) set({ panel: ui.panel === 'menu' ? '' : 'menu' });
  else if ('qwert'.includes(key) && isOverride())
    set({ overrideReason: OVERRIDE_REASONS['qwert'.indexOf(key)], fault: null });
  else if (key === '+' || key === '=') ui.map?.zoomBy(1);
  else if (key === '-') ui.map?.zoomBy(-1);
  else return;
  event.preventDefault();
}

export function startKeys() {
  window.addEventListener('keydown', onKey);
  // After a click Enter means the next step again, not the button that was clicked.
  window.addEventListener('click', (event) => {
    if (event.detail > 0) /** @type {HTMLElement} */ (event.target).closest?.('button')?.blur();
  });
}

/** For the help page: key and its word. */
export const KEY_LIST = [
  ['Enter', 'primary'],
  ['Shift Enter', 'both'],
  ['1 – 9', 'choose'],
  ['Q W E R T', 'reason'],
  ['J / K', 'next'],
  ['F', 'all_kinds'],
  ['A', 'acknowledge'],
  ['C', 'call'],
  ['M', 'merge'],
  ['X', 'close'],
  ['O', 'more'],
  ['N', 'new'],
  ['B', 'closure'],
  ['H', 'home'],
  ['/', 'command'],
  ['Ctrl K', 'search'],
  ['+ / −', 'zoom'],
  ['Esc', 'back'],
  ['?', 'all'],
];
