// The search box of the top bar. The server knows names, readings and rights; this only asks, shows and goes there.
import { call } from '../api.js';
import { has, t } from '../i18n.js';
import { distanceText } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { openArea, openIncident, select } from './actions.js';
import { board, ui } from './state.js';

/** @typedef {'incident' | 'area' | 'beat' | 'responder' | 'road' | 'address' | 'place' | 'camera' | 'point'} HitType */

/**
 * @typedef {object} Hit
 * @property {HitType} type
 * @property {string} id
 * @property {string} name
 * @property {string} detail
 * @property {number | null} lon
 * @property {number | null} lat
 * @property {number | null} distance_m from the middle of the map, or from what it is near
 * @property {'written' | 'heard' | 'slipped' | 'road' | 'house' | 'near' | 'point'} fit
 */

/** Drawn in 16 × 16, strokes only. @type {Record<HitType, string>} */
const ICONS = {
  incident: 'M8 2 14.5 13.5H1.5Z M8 6.5v3.5 M8 11.6v.4',
  area: 'M2 4.5 6 2.5l4 2 4-2v9l-4 2-4-2-4 2Z M6 2.5v9 M10 4.5v9',
  beat: 'M8 1.8 13.5 3.8v4.4c0 3-2.3 5.1-5.5 6.2-3.2-1.1-5.5-3.2-5.5-6.2V3.8Z M5.5 8l1.9 1.9 3.3-3.5',
  responder: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8Z M2.8 14a5.2 5.2 0 0 1 10.4 0',
  road: 'M5.5 2 2.5 14 M10.5 2l3 12 M8 3v2 M8 7v2 M8 11v2',
  address: 'M2 8 8 2.5 14 8 M3.8 7v6.5h8.4V7 M6.8 13.5v-3.4h2.4v3.4',
  place: 'M8 14.5S3 9.6 3 6.5a5 5 0 0 1 10 0c0 3.1-5 8-5 8Z M8 8a1.6 1.6 0 1 0 0-3.2A1.6 1.6 0 0 0 8 8Z',
  camera: 'M2 4.5h8.5v7H2Z M10.5 7l3.5-2v6l-3.5-2',
  point: 'M8 1.5v13 M1.5 8h13 M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
};

/** Not quite what was typed: the list says so. */
const GUESSED = new Set(['heard', 'slipped', 'road']);

/** @param {{type: HitType}} props */
const Icon = ({ type }) =>
  html`<svg class="kind" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d=${ICONS[type]} /></svg>`;

/** What is nearer to what the map shows comes first.
 * @param {string} q @param {number} [limit] @param {AbortSignal} [signal] @returns {Promise<Hit[]>}
 */
export async function search(q, limit = 8, signal) {
  const text = q.trim();
  if (!text) return [];
  const query = new URLSearchParams({ q: text, limit: String(limit) });
  const seen = ui.map?.bounds();
  if (seen && inGlobe(seen)) query.set('bbox', seen.map((degrees) => degrees.toFixed(5)).join(','));
  return (await call('GET', `/search?${query}`, undefined, { signal })).items;
}

/** A map zoomed far out shows more than the world. @param {number[]} box */
const inGlobe = ([west, south, east, north]) => west >= -180 && east <= 180 && south >= -90 && north <= 90;

/** It comes higher the next time. Nobody waits for it, and nothing is lost without it. @param {Hit} hit */
function picked(hit) {
  call('POST', '/search/picks', { type: hit.type, id: hit.id }).catch(() => undefined);
}

/** Which words of a detail are codes, by type. @type {Partial<Record<HitType, string>>} */
const CODES = { camera: 'console.network', incident: 'state', responder: 'kind' };

/** The second line of a hit, its codes in words. @param {Hit} hit */
export function detailOf(hit) {
  const codes = CODES[hit.type];
  if (!codes) return hit.detail;
  return hit.detail
    .split(' · ')
    .map((part) => (has(`${codes}.${part}`) ? t(`${codes}.${part}`) : part))
    .join(' · ');
}

/** Go there: an explicit wish, so the map moves. @param {Hit} hit */
export function goTo(hit) {
  if (hit.type !== 'point') picked(hit);
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
  const [found, setFound] = useState({ text: '', hits: /** @type {Hit[]} */ ([]) });
  const { hits } = found;
  // Enter came before the answer: what is picked is the first answer to what was typed, never one to an earlier word.
  const wanted = useRef(false);
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  /** @param {Hit} hit */
  const pick = (hit) => {
    setOpen(false);
    setText('');
    input.current?.blur();
    goTo(hit);
  };
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      search(text, 9, abort.signal).then(
        (answer) => {
          setFound({ text, hits: answer });
          setAt(0);
          if (wanted.current && answer[0]) pick(answer[0]);
          wanted.current = false;
        },
        () => undefined,
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      setText('');
      input.current?.blur();
    } else if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Enter' && !event.isComposing) {
      if (found.text !== text) wanted.current = text.trim() !== '';
      else if (hits[at]) pick(hits[at]);
    }
    else return;
    event.preventDefault();
  };
  const shown = open && text.trim() !== '';
  return html`<div class="find" role="search">
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="7" cy="7" r="4.5" /><path d="M10.4 10.4 14 14" /></svg>
    <input ref=${input} id="search" type="text" autocomplete="off" spellcheck=${false} placeholder=${t('console.search.hint')} value=${text}
      aria-label=${t('console.search.hint')} role="combobox" aria-expanded=${shown} aria-controls="search-hits" data-testid="search"
      onInput=${(/** @type {any} */ e) => {
        wanted.current = false;
        setText(e.target.value);
        setOpen(true);
      }} onKeyDown=${key}
      onFocus=${() => setOpen(true)} onBlur=${() => setTimeout(() => document.activeElement !== input.current && setOpen(false), 150)} />
    <kbd>Ctrl K</kbd>
    ${
      shown &&
      html`<ul class="pop hits" id="search-hits" role="listbox">
      ${hits[0] && GUESSED.has(hits[0].fit) && html`<li class="none" role="presentation" data-testid="search-fit">${t(`console.search.fit.${hits[0].fit}`)}</li>`}
      ${hits.map(
        (
          hit,
          index,
        ) => html`<li key=${hit.type + hit.id} role="option" aria-selected=${index === at} class=${index === at ? 'on' : ''}
        onMouseDown=${(/** @type {Event} */ e) => {
          e.preventDefault();
          pick(hit);
        }} data-testid="search-hit">
        <${Icon} type=${hit.type} /><em>${t(`console.type.${hit.type}`)}</em><b>${hit.name}</b><span>${detailOf(hit)}</span>
        ${hit.distance_m !== null && html`<i>${distanceText(hit.distance_m)}</i>`}</li>`,
      )}
      ${!hits.length && html`<li class="none">${t('console.search.none')}</li>`}
    </ul>`
    }
  </div>`;
}
