// What the operator can do. Each sends one command; the picture changes when the feed says so, and a refusal is put in
// words where it was asked for.
import { ApiError, call } from '../api.js';
import { t } from '../i18n.js';
import { isAlarm, isWaiting } from '../ui/levels.js';
import { compareUrgency } from '../board.js';
import {
  firstFree,
  locate,
  placeOfSelection,
  readCameras,
  readOverview,
  readRanked,
  readTimeline,
  wordsOf,
} from './reading.js';
import { board, keyOf, mayClaim, mayDispatch, redraw, selectedIncident, set, ui } from './state.js';
import { isMine } from './words.js';

/** @import {Incident} from '../../types/wire.d.ts' */
/** @import {Selection} from './state.js' */

/** The command on its way, or the last one. @type {Promise<boolean>} */
let underway = Promise.resolve(false);
let oneWaits = false;

/**
 * Send a command; true when the server took it. Asked for while another is on its way it follows that one, unless it
 * is the same again or somebody looks elsewhere by then.
 * @param {string} path @param {object} [body] @param {{onConflict?: (error: ApiError) => boolean}} [options]
 */
export async function send(path, body = {}, options = {}) {
  const where = keyOf(ui.selection);
  if (ui.busy) {
    if (ui.busy === path || oneWaits) return false;
    oneWaits = true;
    await underway;
    oneWaits = false;
    if (ui.busy || keyOf(ui.selection) !== where) return false;
  }
  underway = deliver(where, path, body, options);
  return underway;
}

/** @param {string} where @param {string} path @param {object} body @param {{onConflict?: (error: ApiError) => boolean}} options */
async function deliver(where, path, body, options) {
  set({ busy: path, fault: null });
  try {
    await call('POST', path, body);
    return true;
  } catch (error) {
    const handled = error instanceof ApiError && error.status === 409 && options.onConflict?.(error);
    if (!handled) set({ fault: { where, text: refusal(error), retry: () => void send(path, body, options) } });
    return false;
  } finally {
    set({ busy: '' });
  }
}

/** @param {unknown} error */
export function refusal(error) {
  if (!(error instanceof ApiError)) return wordsOf(error);
  if (error.unreachable) return t('error.unreachable');
  if (error.status === 403) return t('error.forbidden');
  if (error.status === 404) return t('error.not_found');
  if (error.status === 409) return t('error.conflict', { detail: error.detail || error.error });
  if (error.status === 429) return t('error.too_many', { s: error.retryAfterS ?? 5 });
  if (error.status === 422) return t('error.invalid', { detail: error.detail || String(error.field ?? '') });
  return t('error.other', { detail: error.detail || error.error });
}

// ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What nobody comes back to. */
const FORMS = new Set(['form', 'closure-form']);

/** Show something in the drawer.
 * @param {Selection | null} selection
 * @param {{keepBack?: boolean, preview?: boolean}} [options] preview: nobody asked for it
 */
export function select(selection, options = {}) {
  const previewed = ui.preview;
  ui.preview = options.preview ?? false;
  if (keyOf(selection) === keyOf(ui.selection) && selection?.lon === ui.selection?.lon) return;
  const back =
    options.keepBack || previewed || !ui.selection || FORMS.has(ui.selection.kind) ? ui.back : [...ui.back.slice(-9), ui.selection];
  set({
    selection,
    back: selection ? back : [],
    panel: '',
    asking: null,
    fault: null,
    overview: null,
    located: null,
    timeline: null,
    contact: null,
    rankedLocked: false,
    allKinds: false,
    choice: 0,
    byHand: '',
    overrideReason: '',
    lost: new Map(),
    ranked: null,
    cursor: selection?.kind === 'incident' ? selection.id : ui.cursor,
  });
  const viewing =
    selection && ['incident', 'area', 'responder', 'camera'].includes(selection.kind)
      ? { kind: selection.kind, id: selection.id }
      : null;
  // Telemetry covers the view; the person looked at is followed wherever they are.
  const follow = selection?.kind === 'responder' ? (board().responders[selection.id]?.unit ?? null) : null;
  ui.feed.setView({ viewing, follow });
  void readRanked();
  void readCameras();
  if (!selection) return;
  if (selection.kind === 'incident') void readTimeline(selection.id);
  if (selection.kind === 'area') void readOverview(selection.id);
  const spot = selection.kind === 'point' || selection.kind === 'incident' ? placeOfSelection() : null;
  if (spot) {
    void locate(spot[0], spot[1]).then(
      (located) => ui.selection === selection && set({ located }),
      (error) => console.warn('locate', error),
    );
  }
  const at = placeOfSelection();
  if (at && selection.kind === 'incident') ui.map?.suggest(at, 14.4);
}

/** Escape: back to what was selected before, and at last to nothing. */
export function goBack() {
  if (ui.panel) return set({ panel: '', asking: null });
  const back = [...ui.back];
  let previous = back.pop() ?? null;
  while (previous?.kind === 'incident' && !board().incidents[previous.id]) previous = back.pop() ?? null;
  ui.back = back;
  if (ui.selection?.kind === 'form') ui.draft = null;
  if (ui.selection?.kind === 'closure-form') ui.closureDraft = null;
  if (!previous && ui.selection?.kind === 'incident') ui.dismissed = ui.selection.id;
  select(previous, { keepBack: true });
}

/** @param {string} id */
export const openIncident = (id) => select({ kind: 'incident', id });

/** Action 1 of two: a click or Enter on a waiting incident takes it for this desk. @param {string} id */
export async function takeIncident(id) {
  openIncident(id);
  const incident = board().incidents[id];
  if (incident && isWaiting(incident) && !incident.claimed_by && mayClaim()) await claim(incident);
}

/** A click on the map: the community under it while communities are what one sees, else the bare point.
 * @param {number} lon @param {number} lat @param {number} zoom
 */
export async function openPoint(lon, lat, zoom) {
  if (ui.selection?.kind === 'form' && ui.draft) {
    set({ draft: { ...ui.draft, lon, lat } });
    void fillAddress(lon, lat);
    void readCameras();
    return;
  }
  if (zoom < 10.5 || zoom >= 15.5)
    return select({ kind: 'point', id: `${lon.toFixed(5)},${lat.toFixed(5)}`, lon, lat });
  try {
    const located = await locate(lon, lat);
    const area = located.areas?.['3'];
    if (area) return select({ kind: 'area', id: area.code, lon, lat });
  } catch (error) {
    console.warn('locate', error);
  }
  select({ kind: 'point', id: `${lon.toFixed(5)},${lat.toFixed(5)}`, lon, lat });
}

/** @param {string} code */
export function openArea(code) {
  const at = ui.areas.get(code)?.label_point;
  select({ kind: 'area', id: code, whole: true, ...(at ? { lon: at[0], lat: at[1] } : {}) });
}

// ── Incidents ────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Incident} incident */
export function claim(incident) {
  ui.preview = false;
  return send(`/incidents/${incident.id}/claim`);
}

/** @param {Incident} incident */
export const acknowledge = (incident) => send(`/incidents/${incident.id}/acknowledge`);

/** The alarm to answer first. */
export const topAlarm = () => Object.values(board().incidents).filter(isAlarm).sort(compareUrgency)[0] ?? null;

/** Choose the nth candidate; another than the first will need a reason. @param {number} index */
export function choose(index) {
  const item = ui.ranked?.items[index];
  if (!item || ui.lost.has(item.responder_id)) return;
  set({ choice: index, byHand: item.responder_id, overrideReason: '', preview: false });
}

/** Rank everybody, or again only the kinds the incident's category asks for. */
export function toggleAllKinds() {
  if (!ui.ranked) return;
  set({ allKinds: !ui.allKinds, preview: false });
  void readRanked();
}

/** Another than the first free candidate is chosen. */
export const isOverride = () => Boolean(ui.ranked?.items.length) && ui.choice !== firstFree(ui.ranked?.items ?? []);

/** Action 2 of two: send the chosen candidate. @param {{both?: boolean}} [options] both: the first two together */
export async function dispatchChosen({ both = false } = {}) {
  const incident = selectedIncident();
  const items = ui.ranked?.items ?? [];
  if (!incident || !items.length || !mayDispatch()) return;
  const free = items.filter((item) => !ui.lost.has(item.responder_id));
  const picked = both ? free.slice(0, 2) : [items[ui.choice]].filter(Boolean);
  if (!picked.length) return;
  if (!both && isOverride() && !ui.overrideReason) {
    set({ fault: { where: keyOf(ui.selection), text: t('console.override.needed'), retry: null } });
    return;
  }
  const ids = picked.map((item) => item.responder_id);
  const sent = await send(
    `/incidents/${incident.id}/dispatch`,
    {
      responder_ids: ids,
      ...(!both && isOverride() ? { override_reason: t(`console.override.${ui.overrideReason}`) } : {}),
    },
    { onConflict: (error) => raceLost(error, picked) },
  );
  if (sent) {
    set({ rankedLocked: false });
    void readRanked();
  }
}

/** Somebody was faster: say who, and move on to the next candidate.
 * @param {ApiError} error @param {import('./state.js').Ranked[]} picked
 */
function raceLost(error, picked) {
  if (!error.winner) return false;
  const winner = /** @type {any} */ (error.winner);
  const loser = picked.find((item) => item.responder_id === winner.responder_id) ?? picked[0];
  const who = winner.by_name ?? winner.name ?? winner.user_name ?? winner.by ?? '';
  const what = winner.incident_code ?? winner.incident_title ?? board().incidents[winner.incident_id]?.title ?? '';
  const lost = new Map(ui.lost).set(loser.responder_id, who);
  set({ lost });
  const next = firstFree(ui.ranked?.items ?? []);
  const nextName = ui.ranked?.items[next]?.name ?? '';
  set({
    choice: next,
    byHand: '',
    overrideReason: '',
    fault: {
      where: keyOf(ui.selection),
      text: t('console.race.lost', { name: loser.name, who: who || t('console.race.another'), what, next: nextName }),
      retry: null,
    },
  });
  return true;
}

/** @param {string} disposition key of console.disposition.* */
export async function closeIncident(disposition) {
  const incident = selectedIncident();
  if (!incident) return;
  const text = t(`console.disposition.${disposition}`);
  const done =
    incident.state === 'handled'
      ? await send(`/incidents/${incident.id}/check_pass`, { disposition: text })
      : await send(`/incidents/${incident.id}/close`, { disposition: text });
  if (done) set({ panel: '' });
}

/** The one next step, which Enter does. */
export function primary() {
  const incident = selectedIncident();
  if (!incident) {
    const { selection } = ui;
    const top = ui.ranked?.items[ui.choice];
    if (selection?.kind === 'responder') void callPerson(selection.id);
    else if (selection) top && void callPerson(top.responder_id);
    else if (ui.cursor) void takeIncident(ui.cursor);
    return;
  }
  if (isWaiting(incident)) {
    if (!isMine(incident) && mayClaim()) void claim(incident);
    else void dispatchChosen();
  } else if (incident.state === 'handled' || incident.state === 'dispatched' || incident.state === 'handling')
    set({ panel: 'close' });
}

// ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Logs the call and shows the number; the voice itself comes from the desk's telephone. @param {string} responderId */
export async function callPerson(responderId) {
  const incident = selectedIncident();
  const name = board().responders[responderId]?.name ?? '';
  try {
    const { tel } = await call('POST', '/calls', {
      responder_id: responderId,
      ...(incident ? { incident_id: incident.id } : {}),
    });
    toast({
      id: `call:${responderId}`,
      title: t('console.call.title', { name }),
      text: tel ?? t('console.call.no_number'),
      tel,
    });
  } catch (error) {
    toast({ id: `call:${responderId}`, title: t('console.call.failed', { name }), text: refusal(error) });
  }
}

/** @typedef {{id: string, title: string, text: string, tel?: string, responderId?: string, open?: () => void}} Note */

/** @type {Note[]} */
export const notes = [];

/** A short message of this desk, gone after ten seconds. @param {Note} note */
export function toast(note) {
  const at = notes.findIndex((item) => item.id === note.id);
  if (at >= 0) notes.splice(at, 1);
  notes.push(note);
  redraw();
  window.setTimeout(() => dropNote(note), 10_000);
}

/** @param {Note} note */
export function dropNote(note) {
  const at = notes.indexOf(note);
  if (at >= 0) notes.splice(at, 1);
  redraw();
}

/** @param {string[] | {area: string}} to @param {string} body @param {string} [incidentId] */
export const message = (to, body, incidentId) =>
  send('/messages', { ...(Array.isArray(to) ? { to } : to), body, ...(incidentId ? { incident_id: incidentId } : {}) });

// ── New incidents ────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {{lon?: number, lat?: number, title?: string}} [start] */
export function newIncident(start = {}) {
  const at =
    start.lon !== undefined
      ? [start.lon, /** @type {number} */ (start.lat)]
      : ui.selection?.lon !== undefined
        ? [ui.selection.lon, /** @type {number} */ (ui.selection.lat)]
        : ui.map
          ? ui.map.gl.getCenter().toArray()
          : ui.district.center;
  ui.draft = {
    lon: at[0],
    lat: at[1],
    title: start.title ?? '',
    description: '',
    category: 'city_event',
    level: 'III',
    address: '',
    reporter_contact: '',
    source: 'console',
  };
  select({ kind: 'form', id: 'new' });
  void fillAddress(at[0], at[1]);
}

let filled = '';

/** @param {number} lon @param {number} lat */
async function fillAddress(lon, lat) {
  try {
    const located = await locate(lon, lat);
    if (ui.draft?.lon !== lon) return;
    // An address the operator typed stays; one we filled in follows the point.
    const address = ui.draft.address && ui.draft.address !== filled ? ui.draft.address : (located.address ?? '');
    filled = located.address ?? '';
    set({ located, draft: { ...ui.draft, address } });
  } catch (error) {
    console.warn('locate', error);
  }
}

export async function submitDraft() {
  const { draft } = ui;
  if (!draft || !draft.title.trim() || ui.busy) return;
  set({ busy: 'form', fault: null });
  try {
    const text = Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== ''));
    const made = await call('POST', '/incidents', { ...text, ...(draft.level === 'none' ? { level: undefined } : {}) });
    ui.draft = null;
    set({ busy: '' });
    select({ kind: 'incident', id: made.id }, { keepBack: true });
  } catch (error) {
    set({ busy: '', fault: { where: 'form:new', text: refusal(error), retry: () => void submitDraft() } });
  }
}
