// The grid: tiles that cameras are dragged into, dragged between, opened large and cleared.
import { t } from '../i18n.js';
import { html, useRef, useState } from '../ui/h.js';
import { clear, focus, show, showAll, showOnMap, swap } from './actions.js';
import { shown, sideOf } from './grid.js';
import { Screen } from './screen.js';
import { cameras, note, ui } from './state.js';
import { CAMERA_TYPE } from './tree-view.js';

/** @import {Camera} from '../../types/wire.d.ts' */

const CELL_TYPE = 'application/x-yiping-cell';

/** @param {DragEvent} event */
const carries = (event) =>
  Boolean(event.dataTransfer && [CAMERA_TYPE, CELL_TYPE].some((type) => event.dataTransfer?.types.includes(type)));

/** @param {string | undefined} text @returns {string[]} none when it was dragged from elsewhere */
function idsIn(text) {
  try {
    const value = JSON.parse(text || '[]');
    return Array.isArray(value) ? value.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {DragEvent} event @param {number} cell */
function drop(event, cell) {
  const from = event.dataTransfer?.getData(CELL_TYPE);
  if (from) return swap(Number(from), cell);
  const listed = cameras();
  const ids = idsIn(event.dataTransfer?.getData(CAMERA_TYPE));
  const found = ids.map((id) => listed[id]).filter((camera) => camera !== undefined);
  if (found.length === 1) return show(found[0].id, cell);
  return found.length ? showAll(found, cell) : undefined;
}

/** Full screen for the tiles together; a second time leaves it. @param {Element | null} element */
export async function fullScreen(element) {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await element?.requestFullscreen();
  } catch (error) {
    console.warn('fullscreen', error);
    note(t('video.grid.full_refused'));
  }
}

/** @param {{cell: number, side: number, camera: Camera | null, gone: boolean}} props */
function Cell({ cell, side, camera, gone }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [over, setOver] = useState(false);
  const focused = ui.grid.focus === cell;
  const state = [focused ? 'focus' : '', over ? 'over' : '', camera ? '' : 'empty'].join(' ');
  return html`<section class=${`cell ${state}`} ref=${box} data-testid="cell" data-cell=${cell} data-camera=${camera?.id ?? ''} draggable=${Boolean(camera)} style=${{ gridArea: `${Math.floor(cell / side) + 1} / ${(cell % side) + 1}` }}
    aria-label=${t('video.cell', { n: cell + 1, name: camera?.name ?? t('video.cell.empty') })} aria-current=${focused}
    onPointerDown=${() => !focused && focus(cell)}
    onDragStart=${(/** @type {DragEvent} */ event) => {
      // While a camera is steered by dragging its picture, the tile stays where it is.
      if (box.current?.querySelector('.steering')) return event.preventDefault();
      event.dataTransfer?.setData(CELL_TYPE, String(cell));
      event.dataTransfer?.setData('text/plain', camera?.name ?? '');
      if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
      return undefined;
    }}
    onDragOver=${(/** @type {DragEvent} */ event) => {
      if (!carries(event)) return;
      event.preventDefault();
      if (!over) setOver(true);
    }}
    onDragLeave=${(/** @type {DragEvent} */ event) => {
      if (!(event.relatedTarget instanceof Node && box.current?.contains(event.relatedTarget))) setOver(false);
    }}
    onDrop=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(false);
      drop(event, cell);
    }}>
    ${
      camera
        ? html`<${Screen} camera=${camera} focused=${focused} cell=${cell} />
        <div class="cell-tools">
          <button title=${`${t('video.key.map')} (G)`} aria-label=${t('video.key.map')} onClick=${() => showOnMap(camera.id)} data-testid="cell-map">◎</button>
          <button title=${`${t('video.key.clear')} (Delete)`} aria-label=${t('video.key.clear')} onClick=${() => clear(cell)} data-testid="cell-clear">✕</button>
        </div>`
        : html`<i class="no">${cell + 1}</i><p>${gone ? t('video.cell.gone') : t(focused ? 'video.cell.drop_here' : 'video.cell.drop')}</p>`
    }
  </section>`;
}

/**
 * The cells in the order of their keys, not of their places: a tile that changes places stays the same element, so its
 * picture goes on and no new connection is made. Where it stands is the style's business.
 * @param {import('./grid.js').Grid} grid
 */
function placed(grid) {
  const cells = shown(grid).map((id, cell) => ({ key: id ?? `empty-${cell}`, id, cell }));
  return cells.sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function Grid() {
  const { grid } = ui;
  const listed = cameras();
  const side = sideOf(grid.split);
  return html`<div class=${`grid n${grid.split}`} data-testid="grid" data-split=${grid.split}
    style=${{ gridTemplate: `repeat(${side}, minmax(0, 1fr)) / repeat(${side}, minmax(0, 1fr))` }}>
    ${placed(grid).map(({ key, id, cell }) => html`<${Cell} key=${key} cell=${cell} side=${side} camera=${id ? (listed[id] ?? null) : null} gone=${Boolean(id && !listed[id])} />`)}
    ${ui.note && html`<p class="note" role="status" data-testid="note">${ui.note}</p>`}
  </div>`;
}
