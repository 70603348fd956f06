// The division as a tree: names, posts that nobody fills, search. Only what is open is drawn.
import { t } from '../../i18n.js';
import { html, useEffect, useMemo, useRef, useState } from '../../ui/h.js';
import { ui } from '../state.js';
import { choose, ed, missingByArea, pieces } from './store.js';

/** @import {AreaRow} from '../../../types/video.d.ts' */

const FOUND = 60;

/** Children of each area by code, '' for those at the top. @param {ReadonlyMap<string, AreaRow>} areas */
function childrenOf(areas) {
  /** @type {Map<string, AreaRow[]>} */
  const found = new Map();
  for (const area of areas.values()) {
    const parent = area.parent && areas.has(area.parent) ? area.parent : '';
    found.set(parent, [...(found.get(parent) ?? []), area]);
  }
  for (const list of found.values()) list.sort((a, b) => (a.code < b.code ? -1 : 1));
  return found;
}

/** @param {{area: AreaRow, depth: number, open: boolean | null, missing: number, onOpen?: () => void, path?: string}} props */
function Row({ area, depth, open, missing, onOpen, path }) {
  const chosen = ed.code === area.code;
  const touched = pieces().size > 0 && ed.draft?.changed.includes(area.code);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (chosen) box.current?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return html`<li class=${chosen ? 'on' : ''} style=${`--depth:${depth}`} ref=${box}>
    ${open === null ? html`<i class="twig"></i>` : html`<button class=${`twig ${open ? 'open' : ''}`} onClick=${onOpen} aria-label=${t(open ? 'areas.fold' : 'areas.unfold')} aria-expanded=${open}></button>`}
    <button class="pick" onClick=${() => void choose(area.code)} aria-current=${chosen} data-testid="area-row" data-code=${area.code}><b>${area.name}</b>${path && html`<small>${path}</small>`}</button>
    ${touched && html`<i class="dot" title=${t('areas.touched')}></i>`}
    ${missing > 0 && html`<em title=${t('areas.missing', { n: missing })}>${missing}</em>`}</li>`;
}

export function Tree() {
  const [words, setWords] = useState('');
  const [open, setOpen] = useState(/** @type {Set<string>} */ (new Set()));
  // What was made in this edit is shown as if it were there already.
  const made = [...pieces().values()].filter((piece) => piece.kind === 'area' && !ui.areas.has(piece.code));
  const areas = useMemo(() => new Map([...ui.areas, ...made.map((piece) => /** @type {[string, AreaRow]} */ ([piece.code, piece]))]), [ui.areas, made.map((piece) => piece.code).join()]);
  const children = useMemo(() => childrenOf(areas), [areas]);
  const missing = useMemo(missingByArea, [ed.vacancies, ui.areas]);
  const total = [...ed.vacancies.values()].flat().reduce((sum, one) => sum + (one.post === 'grid_worker' ? one.missing : 0), 0);
  useEffect(() => {
    // What is chosen on the map is shown here too.
    const path = new Set(open);
    let at = ui.areas.get(ed.code);
    for (let guard = 0; at?.parent && guard < 9; guard += 1) {
      path.add(at.parent);
      at = ui.areas.get(at.parent);
    }
    for (const area of children.get('') ?? []) path.add(area.code);
    if (path.size !== open.size) setOpen(path);
  }, [ed.code, children]);
  const wanted = words.trim().toLowerCase();
  /** @type {unknown[]} */
  const rows = [];
  if (wanted) {
    for (const area of areas.values()) {
      if (!area.name.toLowerCase().includes(wanted) && !area.code.startsWith(wanted)) continue;
      const path = area.parent ? ui.areas.get(area.parent)?.name : '';
      rows.push(html`<${Row} key=${area.code} area=${area} depth=${0} open=${null} missing=${missing.get(area.code) ?? 0} path=${path} />`);
      if (rows.length >= FOUND) break;
    }
  } else {
    /** @param {string} parent @param {number} depth */
    const walk = (parent, depth) => {
      for (const area of children.get(parent) ?? []) {
        const below = children.has(area.code);
        const unfolded = open.has(area.code);
        const toggle = () => {
          const next = new Set(open);
          if (!next.delete(area.code)) next.add(area.code);
          setOpen(next);
        };
        rows.push(html`<${Row} key=${area.code} area=${area} depth=${depth} open=${below ? unfolded : null} missing=${missing.get(area.code) ?? 0} onOpen=${toggle} />`);
        if (below && unfolded && depth < 9) walk(area.code, depth + 1);
      }
    };
    walk('', 0);
  }
  return html`<aside class="area-tree"><header><input type="search" placeholder=${t('areas.search')} aria-label=${t('areas.search')} value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} data-testid="areas-search" />
    <p>${t('areas.count', { n: ui.areas.size })}${total > 0 && html`<span class="warn">${t('areas.missing', { n: total })}</span>`}</p></header>
    <ul>${rows}</ul>${!rows.length && html`<div class="blank"><b>${t(ui.areas.size ? 'areas.none_found' : 'areas.none')}</b>${!ui.areas.size && html`<p>${t('areas.none_help')}</p>`}</div>`}</aside>`;
}
