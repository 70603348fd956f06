// Areas on the map: choose one, move its border with its neighbours', split, merge, say what it is and who serves it.
import { language, t } from '../../i18n.js';
import { Dialog } from '../../ui/dialog.js';
import { html, useEffect, useRef, useState } from '../../ui/h.js';
import { readTheme } from '../../ui/theme.js';
import { say, ui } from '../state.js';
import { canMerge, EditMap, openMap } from './edit-map.js';
import { boundsOf, contains, deleteAt } from './mesh.js';
import { Panel } from './panel.js';
import { SaveDialog } from './save.js';
import { allSteps, choose, done, ed, edit, isDirty, look, pieces, readGrids, readOutlines, readVacancies, reasonWords, redo, steps, tryStep, undo } from './store.js';
import { Tree } from './tree.js';

/** @import {Piece, Point} from '../../../types/areas.d.ts' */

/** The smallest area at a place. @param {Point} at */
async function areaAt(at) {
  for (const piece of pieces().values()) if (piece.kind === 'area' && piece.tier === 4 && contains(piece.geometry, at)) return piece.code;
  const village = ed.outlines.get(3)?.features.find((one) => contains(one.geometry, at));
  if (village || !ed.outlines.get(3)?.features.length) {
    await readGrids(village ? village.id : '');
    const grid = ed.grids.get(village ? village.id : '')?.find((one) => contains(one.geometry, at));
    if (grid) return grid.code;
    if (village) return village.id;
  }
  for (const tier of [2, 1]) {
    const found = ed.outlines.get(tier)?.features.find((one) => contains(one.geometry, at));
    if (found) return found.id;
  }
  return '';
}

/** @param {Point} at */
async function place(at) {
  if (ed.mode === 'merge') {
    const chosen = pieces().get(ed.code);
    const other = [...pieces().values()].find((piece) => canMerge(piece, chosen) && contains(piece.geometry, at));
    if (other) edit({ dialog: 'merge', other: other.code });
    return;
  }
  const code = await areaAt(at);
  if (code) await choose(code);
}

function removeVertex() {
  if (!ed.vertex) return;
  const { pieces: next, reason } = deleteAt(pieces(), ed.vertex);
  if (!next) return edit({ fault: { words: reasonWords(reason), at: ed.vertex, areas: [] } });
  done(next, { op: 'delete', at: ed.vertex });
  edit({ vertex: null });
}

function endLine() {
  const line = ed.line.filter((at, n) => n === 0 || at[0] !== ed.line[n - 1][0] || at[1] !== ed.line[n - 1][1]);
  if (line.length < 2) return;
  edit({ line, dialog: 'split' });
}

/** @param {typeof ed.mode} mode */
const setMode = (mode) => edit({ mode: ed.mode === mode ? 'look' : mode, vertex: null, line: [], fault: null });

/** @param {KeyboardEvent} event */
function onKey(event) {
  const inField = event.target instanceof HTMLElement && event.target.closest('input, select, textarea, dialog');
  if (inField || ed.dialog || !ed.draft) return;
  const command = event.ctrlKey || event.metaKey;
  if ((event.key === 'Delete' || event.key === 'Backspace') && ed.vertex) removeVertex();
  else if (event.key === 'Enter' && ed.mode === 'split') endLine();
  else if (event.key === 'Escape') {
    if (ed.line.length) edit({ line: [] });
    else if (ed.vertex) edit({ vertex: null });
    else setMode('look');
  } else if (command && event.key.toLowerCase() === 'z' && !event.shiftKey) undo();
  else if (command && (event.key.toLowerCase() === 'y' || (event.key.toLowerCase() === 'z' && event.shiftKey))) redo();
  else return;
  event.preventDefault();
}

/** The map lives outside the page's drawing: it is told what to show. */
function AreaMap() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const map = useRef(/** @type {{live: import('../../map/map.js').LiveMap, edit: EditMap} | null} */ (null));
  const drawn = useRef(/** @type {Record<string, unknown>} */ ({}));
  useEffect(() => {
    let gone = false;
    const { center, bounds } = ui.district;
    void openMap(/** @type {HTMLElement} */ (box.current), { center, bounds, theme: readTheme() }).then((live) => {
      const told = {
        onPlace: (/** @type {Point} */ at) => void place(at),
        onDragged: (/** @type {ReadonlyMap<string, Piece>} */ next, /** @type {any[]} */ made, /** @type {Point} */ vertex) => {
          edit({ vertex });
          done(next, ...made);
        },
        onVertex: (/** @type {Point | null} */ vertex) => edit({ vertex }),
        onLine: (/** @type {Point} */ at) => edit({ line: [...ed.line, at] }),
        onLineEnd: endLine,
      };
      const editor = new EditMap(live, told);
      if (gone) return editor.close();
      map.current = { live, edit: editor };
      Object.assign(window, { yipingAreaMap: live.gl });
      return edit({});
    });
    void readOutlines();
    void readVacancies();
    return () => {
      gone = true;
      map.current?.edit.close();
    };
  }, []);
  useEffect(() => {
    if (!map.current) return;
    const { live, edit: editor } = map.current;
    live.setTheme(readTheme());
    const was = drawn.current;
    const draft = pieces();
    if (was.outlines !== ed.outlines || was.grids !== ed.grids || was.language !== language()) {
      for (const tier of [1, 2, 3]) live.setAreas(tier, ed.outlines.get(tier) ?? { features: [] });
      const grids = [...ed.grids.values()].flat();
      live.setAreas(4, { features: grids.map((row) => ({ type: 'Feature', id: row.code, properties: { code: row.code }, geometry: row.geometry })) });
      const larger = [2, 3].flatMap((tier) => (ed.outlines.get(tier)?.features ?? []).map(({ id, properties: p }) => ({ code: id, name: p.name, label: p.label, tier, label_point: /** @type {Point} */ ([p.label_lon, p.label_lat]) })));
      live.setAreaLabels([...larger, ...grids]);
    }
    if (was.code !== ed.code || (was.detail !== ed.detail && ed.detail)) {
      const geometry = draft.get(ed.code)?.geometry ?? ed.detail?.geometry;
      if (geometry && was.framed !== ed.code) {
        was.framed = ed.code;
        if (!isDirty()) live.fit(boundsOf(geometry));
      }
    }
    const shown = [ed.draft, draft, ed.code, ed.mode, ed.vertex, ed.line, ed.fault, ed.older, ed.detail];
    if (!was.shown || /** @type {unknown[]} */ (was.shown).some((one, n) => one !== shown[n])) {
      const outline = ed.detail?.code === ed.code ? ed.detail.geometry : null;
      editor.show({ pieces: draft, changed: ed.draft?.changed ?? [], code: ed.code, chosen: outline, mode: ed.mode, vertex: ed.vertex, line: ed.line, fault: ed.fault, older: ed.older });
    }
    Object.assign(was, { outlines: ed.outlines, grids: ed.grids, language: language(), code: ed.code, detail: ed.detail, shown });
  });
  return html`<div class="map" ref=${box} data-testid="area-map"></div>`;
}

/** @param {{mode: typeof ed.mode, path: string, off?: string}} props */
function Tool({ mode, path, off = '' }) {
  return html`<button class=${ed.mode === mode ? 'on' : ''} disabled=${Boolean(off)} title=${off || t(`areas.tool.${mode}.help`)} aria-pressed=${ed.mode === mode} onClick=${() => setMode(mode)} data-testid=${`tool-${mode}`}><svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>${t(`areas.tool.${mode}`)}</button>`;
}

function Tools() {
  const chosen = pieces().get(ed.code);
  if (!ed.draft || !chosen) return null;
  const leaf = ![...ui.areas.values()].some((area) => area.parent === ed.code);
  const partners = [...pieces().values()].some((piece) => canMerge(piece, chosen));
  return html`<div class="area-tools" role="toolbar"><${Tool} mode="border" path="M5 19 9 6l10-1-2 13ZM3.500 19a1.500 1.500 0 1 0 3 0 1.500 1.500 0 1 0-3 0M7.500 6a1.500 1.500 0 1 0 3 0 1.500 1.500 0 1 0-3 0M17.500 5a1.500 1.500 0 1 0 3 0 1.500 1.500 0 1 0-3 0" />
    <${Tool} mode="split" path="M4 5h16v14H4ZM10 3l4 18" off=${leaf ? '' : t('areas.reason.has_children')} />
    <${Tool} mode="merge" path="M4 5h7v14H4ZM13 5h7v14h-7ZM9 12h6" off=${partners ? '' : t('areas.no_partner')} />
    <span></span>${ed.mode === 'border' && html`<button disabled=${!ed.vertex} onClick=${removeVertex} title=${t('areas.remove.help')} data-testid="remove-vertex"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6 6 18" /></svg>${t('areas.remove')}</button>`}
    <button disabled=${!ed.draft.canUndo} onClick=${undo} title="Ctrl Z" data-testid="undo"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3" /></svg>${t('areas.undo')}</button>
    <button disabled=${!ed.draft.canRedo} onClick=${redo} title="Ctrl Y" data-testid="redo"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="m16 5 4 4-4 4M20 9H10a5 5 0 0 0 0 10h3" /></svg>${t('areas.redo')}</button></div>`;
}

function Foot() {
  const hint = ed.busy === 'trying' ? t('areas.trying') : ed.code && ed.mode !== 'look' ? t(`areas.hint.${ed.mode}`) : '';
  const count = allSteps().length;
  return html`<div class="area-foot">
    ${ed.fault && html`<p class="refused" role="alert" data-testid="area-fault">${ed.fault.words}<button class="btn sm" onClick=${() => edit({ fault: null })}>${t('areas.understood')}</button></p>`}
    ${hint && html`<p class="area-hint">${hint}</p>`}
    ${isDirty() && html`<div class="area-save" data-testid="area-save-bar"><b>${t('areas.unsaved', { n: count })}</b><button class="btn sm" onClick=${() => edit({ dialog: 'leave', other: ed.code })} data-testid="discard">${t('areas.discard')}</button><button class="btn sm primary" disabled=${ed.busy !== ''} onClick=${() => edit({ dialog: 'save' })} data-testid="save">${t('areas.check_and_save')}</button></div>`}</div>`;
}

/** The next free number after the one that the service offered. */
function freeCode() {
  let code = ed.nextCode;
  for (let guard = 0; (pieces().has(code) || ui.areas.has(code)) && guard < 999; guard += 1) {
    const digits = code.slice(-3);
    code = /^\d{3}$/.test(digits) ? code.slice(0, -3) + String(Number(digits) + 1).padStart(3, '0') : `${code}-2`;
  }
  return code;
}

function SplitDialog() {
  const old = pieces().get(ed.code);
  const [new_code, setCode] = useState(freeCode);
  const [new_name, setName] = useState(() => t('areas.new_name_of', { name: old?.name ?? '' }));
  const go = () => {
    if (new_code.trim() && new_name.trim()) void tryStep({ op: 'split', code: ed.code, line: ed.line, new_code: new_code.trim(), new_name: new_name.trim() });
  };
  const close = () => edit({ dialog: '', line: [] });
  const foot = html`<button class="btn" onClick=${close}>${t('areas.cancel')}</button><button class="btn primary" onClick=${go} data-testid="split-go">${t('areas.split_go')}</button>`;
  return html`<${Dialog} title=${t('areas.split_title', { name: old?.name ?? '' })} onClose=${close} foot=${foot}><div class="form"><label><span>${t('areas.new_code')}</span><input value=${new_code} onInput=${(/** @type {any} */ event) => setCode(event.target.value)} maxlength="40" data-testid="split-code" /></label>
    <label><span>${t('areas.new_name')}</span><input value=${new_name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} maxlength="60" autofocus data-testid="split-name" /></label><p class="hint wide">${t('areas.split_help')}</p></div><//>`;
}

function MergeDialog() {
  const [keep, gone] = [pieces().get(ed.code), pieces().get(ed.other)];
  const close = () => edit({ dialog: '', other: '' });
  const foot = html`<button class="btn" onClick=${close}>${t('areas.cancel')}</button><button class="btn primary" onClick=${() => void tryStep({ op: 'merge', keep: ed.code, gone: ed.other })} data-testid="merge-go">${t('areas.merge_go')}</button>`;
  return html`<${Dialog} title=${t('areas.merge_title', { keep: keep?.name ?? '', gone: gone?.name ?? '' })} onClose=${close} foot=${foot}><p>${t('areas.merge_help', { keep: keep?.name ?? '', gone: gone?.name ?? '', code: ed.other })}</p><//>`;
}

function LeaveDialog() {
  const close = () => edit({ dialog: '', other: '' });
  const go = () => {
    const code = ed.other;
    say(t('areas.discarded', { n: steps().length + Object.keys(ed.fields).length }));
    void look(code);
  };
  const foot = html`<button class="btn" onClick=${close}>${t('areas.go_on')}</button><button class="btn danger" onClick=${go} data-testid="leave-go">${t('areas.discard')}</button>`;
  return html`<${Dialog} title=${t('areas.leave_title')} onClose=${close} foot=${foot}><p>${t('areas.leave_help', { n: allSteps().length })}</p><//>`;
}

export function Areas() {
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    /** @param {BeforeUnloadEvent} event */
    const ask = (event) => isDirty() && event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => {
      document.removeEventListener('keydown', onKey);
      window.removeEventListener('beforeunload', ask);
    };
  }, []);
  return html`<div class="areas"><${Tree} /><section class="area-map"><${AreaMap} /><${Tools} /><${Foot} />${ui.said && html`<p class="area-said" role="status">${ui.said}</p>`}</section><${Panel} /></div>
    ${ed.dialog === 'save' ? html`<${SaveDialog} />` : ed.dialog === 'split' ? html`<${SplitDialog} />` : ed.dialog === 'merge' ? html`<${MergeDialog} />` : ed.dialog === 'leave' ? html`<${LeaveDialog} />` : null}`;
}
