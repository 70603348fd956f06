// What the editor of areas is doing, and everything it asks the service for.
import { ApiError, call, callAll } from '../../api.js';
import { t } from '../../i18n.js';
import { refusal } from '../../ui/refusal.js';
import { say, set, ui } from '../state.js';
import { Draft, keyOf, withOutcome } from './mesh.js';

/** @import {AreaDetail, AreaHistory, Editable, GridStaff, Outcome, Piece, Point, Step, TreeRow, Vacancy} from '../../../types/areas.d.ts' */

/** @typedef {'look' | 'border' | 'split' | 'merge'} Mode */
/** @typedef {{words: string, at: Point | null, areas: string[]}} Fault */

const PARTS = 5_000;

export const ed = {
  /** @type {string} chosen area */ code: '',
  /** @type {AreaDetail | null} as it is in force */ detail: null,
  /** @type {Draft | null} */ draft: null,
  /** @type {number} the revision that the draft was drawn on */ revision: 0,
  /** @type {string} the day in the district */ today: '',
  /** @type {string} */ nextCode: '',
  /** @type {Mode} */ mode: 'look',
  /** @type {Point | null} chosen vertex */ vertex: null,
  /** @type {Point[]} the line to cut along */ line: [],
  /** @type {Record<string, Record<string, unknown>>} attributes to be changed, by code */ fields: {},
  /** @type {Fault | null} */ fault: null,
  /** @type {'' | 'reading' | 'trying' | 'saving'} */ busy: '',
  /** @type {'facts' | 'posts' | 'history'} */ side: 'facts',
  /** @type {'save' | 'split' | 'merge' | 'leave' | ''} */ dialog: '',
  /** @type {string} the area to be merged into the chosen one, or to go to */ other: '',
  /** @type {Map<string, Vacancy[]>} by grid */ vacancies: new Map(),
  /** @type {Map<number, {features: any[]}>} outlines of the tiers 1 to 3 */ outlines: new Map(),
  /** @type {Map<string, any[]>} outlines of the grids by village */ grids: new Map(),
  /** @type {Map<string, TreeRow>} */ labels: new Map(),
  /** @type {GridStaff | null} */ staff: null,
  /** @type {AreaHistory | null} */ history: null,
  /** @type {any} an older outline to be shown */ older: null,
};

/** @param {Partial<typeof ed>} patch */
export function edit(patch) {
  Object.assign(ed, patch);
  set({});
}

export const pieces = () => ed.draft?.pieces ?? new Map();
export const steps = () => ed.draft?.steps ?? [];
/** Is there something that is not saved? */
export const isDirty = () => steps().length > 0 || Object.keys(ed.fields).length > 0;

/** All steps, outlines before attributes. @returns {Step[]} */
export const allSteps = () => [
  ...steps(),
  ...Object.entries(ed.fields).map(([code, fields]) => /** @type {Step} */ ({ op: 'set', code, fields })),
];

/** The reason of a refusal in words. @param {string} reason @param {string} detail */
export const reasonWords = (reason, detail = '') => {
  const words = t(`areas.reason.${reason}`);
  return words === `areas.reason.${reason}` ? detail || reason : words;
};

/** @param {unknown} error @returns {Fault} */
export function faultOf(error) {
  if (error instanceof ApiError && error.error === 'edit_refused') {
    const { reason, at, areas } = /** @type {any} */ (error.body);
    const names = (areas ?? []).map((/** @type {string} */ code) => ui.areas.get(code)?.name ?? pieces().get(code)?.name ?? code);
    const where = names.length ? t('areas.at', { names: names.slice(0, 3).join('、') }) : '';
    return { words: `${reasonWords(reason, error.detail)}${where}`, at: at ?? null, areas: areas ?? [] };
  }
  if (error instanceof ApiError && error.error === 'stale_version') return { words: t('areas.stale'), at: null, areas: [] };
  return { words: refusal(error), at: null, areas: [] };
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Outlines of what is larger than a grid; grids come with their village. */
export async function readOutlines() {
  const found = await Promise.all([1, 2, 3].map(async (tier) => {
    const answer = await fetch(`/api/v1/areas.geojson?tier=${tier}`);
    return /** @type {[number, {features: any[]}]} */ ([tier, answer.ok ? await answer.json() : { features: [] }]);
  }));
  edit({ outlines: new Map(found) });
  const villages = found[2][1].features;
  if (!villages.length) await readGrids('');
}

/** @param {string} village code, '' for grids without one */
export async function readGrids(village) {
  if (ed.grids.has(village)) return;
  const items = await callAll(`/areas?tier=4&geometry=true${village ? `&parent=${encodeURIComponent(village)}` : ''}`);
  edit({
    grids: new Map(ed.grids).set(village, items),
    labels: new Map([...ed.labels, ...items.map((row) => /** @type {[string, TreeRow]} */ ([row.code, row]))]),
  });
}

export async function readVacancies() {
  /** @type {Map<string, Vacancy[]>} */
  const found = new Map();
  for (const vacancy of await callAll(`/staffing?limit=${PARTS}`)) found.set(vacancy.grid, [...(found.get(vacancy.grid) ?? []), vacancy]);
  edit({ vacancies: found });
}

/** Code → workers' posts that nobody fills, grids and all above them. */
export function missingByArea() {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const [grid, list] of ed.vacancies) {
    const missing = list.reduce((sum, one) => sum + (one.post === 'grid_worker' ? one.missing : 0), 0);
    /** @type {string | null | undefined} */
    let code = missing ? grid : null;
    for (let guard = 0; code && guard < 9; guard += 1) {
      found.set(code, (found.get(code) ?? 0) + missing);
      code = ui.areas.get(code)?.parent;
    }
  }
  return found;
}

/** @param {Editable} editable @returns {Map<string, Piece>} */
function piecesOf({ area, neighbours }) {
  /** @type {Piece[]} */
  const all = [{ ...area, kind: 'area', editable: true, mergeable: false }, ...neighbours];
  return new Map(all.map((piece) => [keyOf(piece), piece]));
}

/** Choose an area; one beside the chosen one may be chosen while there are changes. @param {string} code */
export async function choose(code) {
  if (code === ed.code || ed.busy === 'saving') return;
  if (isDirty() && !pieces().has(code)) return edit({ dialog: 'leave', other: code });
  await look(code, isDirty());
}

/** @param {string} code @param {boolean} keep the draft goes on */
export async function look(code, keep = false) {
  edit({ code, busy: 'reading', fault: null, vertex: null, line: [], staff: null, history: null, older: null, dialog: '', other: '', ...(keep ? {} : { draft: null, detail: null, fields: {}, mode: 'look' }) });
  const row = ui.areas.get(code);
  try {
    if (row?.tier === 4) await readGrids(ed.outlines.get(3)?.features.length ? row.parent ?? '' : '');
    if (row?.tier === 3) await readGrids(code);
    if (keep && !row) return edit({ busy: '', detail: null }); // it was made in this draft
    const editable = /** @type {Editable} */ (await call('GET', `/geography/areas/${encodeURIComponent(code)}/editable`));
    if (ed.code !== code) return;
    if (keep && ed.draft && editable.revision !== ed.revision) throw new ApiError(409, { error: 'stale_version' });
    if (keep && ed.draft) ed.draft.widen(piecesOf(editable));
    edit({ detail: editable.area, draft: keep && ed.draft ? ed.draft : new Draft(piecesOf(editable)), revision: editable.revision, today: editable.today, nextCode: editable.next_code, busy: '' });
    void readSide(ed.side);
  } catch (error) {
    edit({ busy: '', fault: faultOf(error) });
  }
}

/** @param {typeof ed.side} side */
export async function readSide(side) {
  const code = ed.code;
  edit({ side, older: null });
  try {
    if (side === 'posts' && ui.areas.get(code)?.tier === 4) {
      const staff = await call('GET', `/staffing/${encodeURIComponent(code)}`);
      if (ed.code === code) edit({ staff });
    }
    if (side === 'history' && ui.areas.has(code)) {
      const history = await call('GET', `/geography/areas/${encodeURIComponent(code)}/history`);
      if (ed.code === code) edit({ history });
    }
  } catch (error) {
    edit({ fault: faultOf(error) });
  }
}

// ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {ReadonlyMap<string, Piece>} next @param {...Step} made */
export function done(next, ...made) {
  ed.draft?.push(next, ...made);
  edit({ fault: null });
}

export function undo() {
  ed.draft?.undo();
  edit({ vertex: null, line: [], fault: null, ...(pieces().has(ed.code) ? {} : { code: firstArea() }) });
}

export function redo() {
  ed.draft?.redo();
  edit({ vertex: null, line: [], fault: null, ...(pieces().has(ed.code) ? {} : { code: firstArea() }) });
}

const firstArea = () => [...pieces().values()].find((piece) => piece.kind === 'area' && piece.tier === 4)?.code ?? '';

/** @param {string} code @param {string} field @param {unknown} value undefined: as it is in force */
export function setField(code, field, value) {
  const mine = { ...ed.fields[code], [field]: value };
  if (value === undefined) delete mine[field];
  const fields = { ...ed.fields, [code]: mine };
  if (!Object.keys(mine).length) delete fields[code];
  edit({ fields, fault: null });
}

/**
 * Ask the service what steps come to.
 * @param {Step[]} list @param {{valid_from?: string | null, note?: string, dry_run?: boolean, revision?: number}} [options]
 * @returns {Promise<Outcome>}
 */
export const ask = (list, { valid_from = null, note = '', dry_run = true, revision = ed.revision } = {}) =>
  call('POST', '/geography/edits', { base_revision: revision, steps: list, valid_from, note, dry_run }, { timeoutMs: 60_000 });

/** Add a step that only the service can work out (split, merge). @param {Step} step @returns {Promise<boolean>} */
export async function tryStep(step) {
  edit({ busy: 'trying', fault: null });
  try {
    const outcome = await ask([...steps(), step]);
    done(withOutcome(pieces(), outcome), step);
    edit({ busy: '', mode: 'border', line: [], vertex: null, dialog: '', other: '' });
    return true;
  } catch (error) {
    edit({ busy: '', fault: faultOf(error), dialog: '' });
    return false;
  }
}

/** Put everything in force. @param {string | null} valid_from @param {string} note @returns {Promise<boolean>} */
export async function save(valid_from, note) {
  edit({ busy: 'saving', fault: null });
  try {
    const outcome = await ask(allSteps(), { valid_from, note, dry_run: false });
    const areas = new Map(ui.areas);
    const villages = new Set();
    for (const { code, before, after } of outcome.changes) {
      for (const one of [before, after]) if (one?.tier === 4) villages.add(ed.outlines.get(3)?.features.length ? one.parent ?? '' : '');
      if (after) areas.set(code, { code, name: after.name, tier: after.tier, parent: after.parent });
      // What goes only on a later day is still there.
      else if (!valid_from || valid_from <= ed.today) areas.delete(code);
    }
    const grids = new Map(ed.grids);
    for (const village of villages) grids.delete(village);
    set({ areas });
    const code = areas.has(ed.code) ? ed.code : outcome.gone[ed.code]?.[0] ?? '';
    edit({ busy: '', dialog: '', grids, fields: {}, draft: null, mode: 'look' });
    say(outcome.revision === null ? t('areas.nothing_changed') : t('areas.saved', { n: outcome.revision }));
    await Promise.all([readOutlines(), readVacancies(), ...[...villages].map((village) => readGrids(/** @type {string} */ (village)))]);
    if (code) await look(code);
    else edit({ code: '' });
    return true;
  } catch (error) {
    edit({ busy: '', fault: faultOf(error) });
    return false;
  }
}

/** What was drawn, upon the areas as they are by now. */
export async function rebase() {
  const [list, code] = [steps(), ed.code];
  edit({ busy: 'reading', fault: null });
  try {
    const editable = /** @type {Editable} */ (await call('GET', `/geography/areas/${encodeURIComponent(code)}/editable`));
    const draft = new Draft(piecesOf(editable));
    edit({ draft, detail: editable.area, revision: editable.revision, today: editable.today, nextCode: editable.next_code });
    if (list.length) draft.push(withOutcome(draft.pieces, await ask(list)), ...list);
    edit({ busy: '' });
  } catch (error) {
    edit({ busy: '', fault: faultOf(error) });
  }
}

/** Put people into the posts of the chosen grid; in force at once. @param {{workers?: string[], chiefs?: string[]}} wanted */
export async function staffGrid(wanted) {
  try {
    edit({ staff: await call('PUT', `/staffing/${encodeURIComponent(ed.code)}`, wanted), fault: null });
    await readVacancies();
  } catch (error) {
    edit({ fault: faultOf(error) });
  }
}

