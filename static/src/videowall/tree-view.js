// The camera tree as it is drawn: only the rows in view exist, so a county's cameras scroll like sixty.
import { call } from '../api.js';
import { isOnline } from '../board.js';
import { t } from '../i18n.js';
import { CameraMark, healthOf } from '../ui/camera-mark.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../ui/h.js';
import { show, showAll } from './actions.js';
import { freeCell } from './grid.js';
import { cameras, redraw, set, ui } from './state.js';
import { GROUPINGS, buildTree, camerasBelow, flatten, matching, nameOrder, rowsInView } from './tree.js';
import { faultText, networkText, placeText } from './words.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {TreeNode, TreeRow} from './tree.js' */

const ROW_PX = 30;
export const CAMERA_TYPE = 'application/x-yiping-cameras';
const LETTERS = /^[a-z\s]+$/i;
const MOST_FOUND = 100;

const inOrder = nameOrder();

/** What pinyin and initials find is the server's to know. @param {string} query */
function useFound(query) {
  useEffect(() => {
    const text = query.trim();
    if (!LETTERS.test(text)) {
      if (ui.found.size) set({ found: new Set() });
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call('GET', `/search?q=${encodeURIComponent(text)}&type=camera&limit=${MOST_FOUND}`, undefined, { signal: abort.signal }).then(
        (answer) =>
          set({ found: new Set(answer.items.map((/** @type {any} */ hit) => hit.id)) }),
        () => undefined,
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [query]);
}

/** What a row names, for the list that is dragged. @param {TreeRow} row */
const camerasOfRow = (row) => (row.camera ? [row.camera] : camerasBelow(row.node));

/** @param {TreeRow} row @param {DragEvent} event */
function drag(row, event) {
  const ids = camerasOfRow(row).slice(0, 16).map((camera) => camera.id);
  event.dataTransfer?.setData(CAMERA_TYPE, JSON.stringify(ids));
  event.dataTransfer?.setData('text/plain', row.camera?.name ?? row.node.name);
  if (event.dataTransfer) event.dataTransfer.effectAllowed = 'copy';
}

/** @param {TreeNode} node */
function toggle(node) {
  if (!ui.open.delete(node.key)) ui.open.add(node.key);
  redraw();
}

/** @param {{row: TreeRow, at: number, index: number, current: boolean, shownIds: Set<string>, onPick: () => void}} props */
function Row({ row, at, index, current, shownIds, onPick }) {
  const { node, camera, depth, open } = row;
  const style = { top: `${at}px`, paddingLeft: `${10 + depth * 16}px` };
  const common = {
    id: `tree-${index}`, role: 'treeitem', 'aria-level': depth + 1, 'aria-selected': current, draggable: true, style,
    onDragStart: (/** @type {DragEvent} */ event) => drag(row, event),
  };
  if (camera) {
    const health = healthOf(camera.status);
    const words = [t(`camera.status.${health}`), faultText(camera.fault), placeText(camera), networkText(camera.network), camera.gb_id].filter(Boolean);
    return html`<li ...${common} class=${`row camera ${health} ${current ? 'cursor' : ''} ${shownIds.has(camera.id) ? 'shown' : ''}`} title=${`${camera.name}\n${words.join(' · ')}`}
      onClick=${onPick} onDblClick=${() => show(camera.id)} data-testid="tree-camera" data-id=${camera.id}>
      <${CameraMark} status=${camera.status} /><b>${camera.name}</b>
      ${camera.ptz && html`<i class="ptz" title=${t('video.ptz')}>${t('video.ptz.short')}</i>`}
      <span>${camera.fault ? faultText(camera.fault) : health === 'live' || health === 'unknown' ? '' : t(`camera.status.${health}`)}</span></li>`;
  }
  return html`<li ...${common} class=${`row node ${current ? 'cursor' : ''}`} aria-expanded=${open} data-testid="tree-node"
    onClick=${() => {
      onPick();
      toggle(node);
    }} title=${t('video.tree.node', { name: node.name, online: node.online, total: node.total })}>
    <i class=${`twist ${open ? 'open' : ''}`} aria-hidden="true">▸</i><b>${node.name}</b>
    <span><em class=${node.online < node.total ? 'some' : ''}>${node.online}</em>/${node.total}</span></li>`;
}

/** @param {{rows: TreeRow[]}} props */
function Rows({ rows }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 600 });
  const [cursor, setCursor] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    measure();
    return () => watch.disconnect();
  }, []);
  const [first, end] = rowsInView(rows.length, ROW_PX, view.top, view.height);
  const shownIds = new Set(ui.grid.cells.slice(0, ui.grid.split).filter((id) => id !== null));
  const at = Math.min(cursor, rows.length - 1);
  /** @param {number} next */
  const go = (next) => {
    const to = Math.max(0, Math.min(rows.length - 1, next));
    setCursor(to);
    const element = box.current;
    if (!element) return;
    if (to * ROW_PX < element.scrollTop) element.scrollTop = to * ROW_PX;
    else if ((to + 1) * ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = (to + 1) * ROW_PX - element.clientHeight;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const row = rows[at];
    if (!row) return;
    if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'PageDown') go(at + 12);
    else if (event.key === 'PageUp') go(at - 12);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(rows.length - 1);
    else if (event.key === 'ArrowRight' && !row.camera && !row.open) toggle(row.node);
    else if (event.key === 'ArrowLeft' && !row.camera && row.open) toggle(row.node);
    else if (event.key === 'Enter') {
      if (row.camera) show(row.camera.id);
      else if (event.shiftKey) showAll(camerasBelow(row.node), 0);
      else toggle(row.node);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="tree-scroll" ref=${box} tabindex="0" role="tree" aria-label=${t('video.tree')} data-testid="tree" aria-activedescendant=${`tree-${at}`}
    onScroll=${(/** @type {any} */ event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })} onKeyDown=${key}>
    <ul style=${{ height: `${rows.length * ROW_PX}px` }}>${rows
      .slice(first, end)
      .map((row, index) => html`<${Row} key=${row.key} row=${row} at=${(first + index) * ROW_PX} index=${first + index} current=${first + index === at} shownIds=${shownIds} onPick=${() => setCursor(first + index)} />`)}</ul>
  </div>`;
}

export function CameraTree() {
  const { query, grouping, open, found } = ui;
  useFound(query);
  const all = cameras();
  const searching = query.trim() !== '';
  const nodes = useMemo(() => {
    const listed = inOrder(all);
    return buildTree(searching ? matching(listed, query, found) : listed, grouping, ui.areas, {
      network: networkText,
      nowhere: t(`video.tree.nowhere.${grouping}`),
    });
  }, [all, query, grouping, found, ui.areas, document.documentElement.lang]);
  const rows = flatten(nodes, open, searching);
  const hits = searching ? new Set(rows.map((row) => row.camera?.id).filter(Boolean)).size : 0;
  const firstHit = rows.find((row) => row.camera)?.camera ?? null;
  return html`<div class="side-find">
      <input type="search" id="tree-search" placeholder=${t('video.tree.search')} aria-label=${t('video.tree.search')} value=${query} autocomplete="off" spellcheck=${false}
        onInput=${(/** @type {any} */ event) => set({ query: event.target.value })} data-testid="tree-search"
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          event.stopPropagation();
          if (event.key === 'Escape') set({ query: '' });
          else if (event.key === 'Enter' && !event.isComposing && firstHit) show(firstHit.id, freeCell(ui.grid));
        }} /></div>
    <div class="seg fill" role="group" aria-label=${t('video.tree.by')}>${GROUPINGS.map(
      (one) => html`<button key=${one} class=${grouping === one ? 'on' : ''} aria-pressed=${grouping === one} onClick=${() => set({ grouping: one })} data-testid=${`tree-by-${one}`}>${t(`video.tree.by.${one}`)}</button>`,
    )}</div>
    ${
      rows.length
        ? html`<${Rows} rows=${rows} key=${grouping} />`
        : html`<div class="blank" data-testid="tree-empty"><b>${searching ? t('video.tree.no_hit', { text: query.trim() }) : t('video.tree.none')}</b>
          <p>${searching ? t('video.tree.no_hit_help') : t('video.tree.none_help')}</p></div>`
    }
    <p class="side-foot">${searching ? t('video.tree.hits', { n: hits }) : t('video.tree.total', onlineOf(Object.values(all)))}<span>${t('video.tree.hint')}</span></p>`;
}

/** The page's own count is by camera: one in two groups stands in two nodes. @param {Camera[]} list */
const onlineOf = (list) => ({ online: list.filter(isOnline).length, total: list.length });
