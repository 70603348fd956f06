// Search by hanzi, pinyin or initials, in the top bar. The server knows the readings; this only asks and shows.
import { call } from '../api.js';
import { has, t } from '../i18n.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { openArea, openIncident, select } from './actions.js';
import { board, ui } from './state.js';

/**
 * @typedef {object} Hit
 * @property {'area' | 'responder' | 'incident' | 'camera' | 'place'} type
 * @property {string} id
 * @property {string} name
 * @property {string} detail
 * @property {number | null} lon
 * @property {number | null} lat
 */

/** @param {string} q @param {number} [limit] @param {AbortSignal} [signal] @returns {Promise<Hit[]>} */
export async function search(q, limit = 8, signal) {
  const text = q.trim();
  if (!text) return [];
  return (await call('GET', `/search?q=${encodeURIComponent(text)}&limit=${limit}`, undefined, { signal })).items;
}

/** The second line of a hit; a camera's is the code of its network. @param {Hit} hit */
export const detailOf = (hit) =>
  hit.type === 'camera' && has(`console.network.${hit.detail}`) ? t(`console.network.${hit.detail}`) : hit.detail;

/** Go there: an explicit wish, so the map moves. @param {Hit} hit */
export function goTo(hit) {
  if (hit.type === 'incident') openIncident(hit.id);
  else if (hit.type === 'area') openArea(hit.id);
  else if (hit.type === 'responder') select({ kind: 'responder', id: hit.id });
  else if (hit.type === 'camera') select({ kind: 'camera', id: hit.id });
  else if (hit.lon !== null && hit.lat !== null) select({ kind: 'point', id: hit.id, lon: hit.lon, lat: hit.lat });
  let at =
    hit.lon !== null && hit.lat !== null && hit.lon !== undefined
      ? /** @type {[number, number]} */ ([hit.lon, hit.lat])
      : null;
  if (!at && hit.type === 'responder') {
    const { movers } = ui.feed;
    const row = movers.rowOf(board().responders[hit.id]?.unit ?? -1);
    if (row >= 0) at = [movers.lon[row], movers.lat[row]];
  }
  if (at && hit.type !== 'area') ui.map?.show(at, 15);
}

export function SearchBox() {
  const [text, setText] = useState('');
  const [hits, setHits] = useState(/** @type {Hit[]} */ ([]));
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      search(text, 9, abort.signal).then(
        (found) => {
          setHits(found);
          setAt(0);
        },
        () => undefined,
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  /** @param {Hit} hit */
  const pick = (hit) => {
    setOpen(false);
    setText('');
    input.current?.blur();
    goTo(hit);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      setText('');
      input.current?.blur();
    } else if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Enter' && !event.isComposing && hits[at]) pick(hits[at]);
    else return;
    event.preventDefault();
  };
  const shown = open && text.trim() !== '';
  return html`<div class="find" role="search">
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="7" cy="7" r="4.5" /><path d="M10.4 10.4 14 14" /></svg>
    <input ref=${input} id="search" type="text" autocomplete="off" spellcheck=${false} placeholder=${t('console.search.hint')} value=${text}
      aria-label=${t('console.search.hint')} role="combobox" aria-expanded=${shown} aria-controls="search-hits" data-testid="search"
      onInput=${(/** @type {any} */ e) => {
        setText(e.target.value);
        setOpen(true);
      }} onKeyDown=${key}
      onFocus=${() => setOpen(true)} onBlur=${() => setTimeout(() => document.activeElement !== input.current && setOpen(false), 150)} />
    <kbd>Ctrl K</kbd>
    ${
      shown &&
      html`<ul class="pop hits" id="search-hits" role="listbox">
      ${hits.map(
        (
          hit,
          index,
        ) => html`<li key=${hit.type + hit.id} role="option" aria-selected=${index === at} class=${index === at ? 'on' : ''}
        onMouseDown=${(/** @type {Event} */ e) => {
          e.preventDefault();
          pick(hit);
        }} data-testid="search-hit">
        <em>${t(`console.type.${hit.type}`)}</em><b>${hit.name}</b><span>${detailOf(hit)}</span></li>`,
      )}
      ${!hits.length && html`<li class="none">${t('console.search.none')}</li>`}
    </ul>`
    }
  </div>`;
}
