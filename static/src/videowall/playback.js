// Recordings at the device (回放): choose a camera and a day, see when it recorded, play from any moment.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { dayStamp, timeOfDay } from '../time.js';
import { CameraMark } from '../ui/camera-mark.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useMemo, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { DAY_MS, dayBy, dayStart, partsOf, playFrom, recordedS, shareOfDay } from './day-line.js';
import { PlaybackScreen } from './screen.js';
import { cameras, nowMs, set, ui } from './state.js';
import { matching, nameOrder } from './tree.js';
import { placeText } from './words.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {Recording} from '../../types/video.d.ts' */

const MOST_LISTED = 200;
const inOrder = nameOrder();

/** @param {{parts: {start_ms: number, end_ms: number}[], day: string, at: number | null, onPick: (ms: number) => void}} props */
function DayLine({ parts, day, at, onPick }) {
  const [over, setOver] = useState(/** @type {number | null} */ (null));
  /** @param {MouseEvent} event */
  const moment = (event) => {
    const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    return dayStart(day) + Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * DAY_MS;
  };
  return html`<div class="day-line" role="slider" tabindex="0" aria-label=${t('video.playback.line')} aria-valuemin="0" aria-valuemax="1440" aria-valuenow=${at === null ? 0 : Math.round((at - dayStart(day)) / 60_000)} aria-valuetext=${at === null ? '' : timeOfDay(at, { seconds: true })} data-testid="day-line"
    onClick=${(/** @type {MouseEvent} */ event) => onPick(moment(event))} onMouseMove=${(/** @type {MouseEvent} */ event) => setOver(moment(event))} onMouseLeave=${() => setOver(null)}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      const step = event.key === 'ArrowRight' ? 60_000 : event.key === 'ArrowLeft' ? -60_000 : 0;
      if (step) onPick((at ?? dayStart(day)) + step);
    }}>
    ${parts.map((part) => html`<i key=${part.start_ms} style=${{ left: `${shareOfDay(part.start_ms, day) * 100}%`, width: `${Math.max(0.1, (shareOfDay(part.end_ms, day) - shareOfDay(part.start_ms, day)) * 100)}%` }}></i>`)}
    ${at !== null && html`<b style=${{ left: `${shareOfDay(at, day) * 100}%` }}></b>`}
    ${over !== null && html`<em style=${{ left: `${shareOfDay(over, day) * 100}%` }}>${timeOfDay(over)}</em>`}
    <ol aria-hidden="true">${Array.from({ length: 13 }, (_, index) => html`<li>${String(index * 2).padStart(2, '0')}:00</li>`)}</ol></div>`;
}

/** @param {{camera: Camera}} props */
function Day({ camera }) {
  const today = dayStamp(nowMs());
  const [day, setDay] = useState(today);
  const [answer, setAnswer] = useState(/** @type {{items: Recording[], error: string} | null} */ (null));
  const [span, setSpan] = useState(/** @type {{start_ms: number, end_ms: number, begun: number} | null} */ (null));
  const load = () => {
    setAnswer(null);
    setSpan(null);
    const start = new Date(dayStart(day)).toISOString();
    const end = new Date(Math.min(dayStart(day) + DAY_MS, nowMs())).toISOString();
    call('GET', `/cameras/${encodeURIComponent(camera.id)}/records?start=${encodeURIComponent(start)}&end=${encodeURIComponent(end)}`, undefined, { timeoutMs: 30_000 }).then(
      ({ items }) => setAnswer({ items, error: '' }),
      (error) => setAnswer({ items: [], error: refusal(error) }),
    );
  };
  useEffect(load, [day, camera.id]);
  const parts = useMemo(() => partsOf(answer?.items ?? [], day), [answer, day]);
  const [passed, setPassed] = useState(0);
  /** @param {number} ms */
  const pick = (ms) => {
    const from = playFrom(parts, ms);
    setPassed(0);
    setSpan(from ? { ...from, begun: Date.now() } : null);
  };
  const at = span ? Math.min(span.end_ms, span.start_ms + passed * 1000) : null;
  const words = !answer ? t('video.playback.asking') : answer.error || (parts.length ? t('video.playback.found', { n: answer.items.length, long: durationText(recordedS(parts)) }) : t('video.playback.nothing'));
  return html`<section class="playing" data-testid="playback-day">
    <header><h2>${camera.name}</h2><p>${placeText(camera)}</p>
      <div class="days"><button class="btn sm" aria-label=${t('video.day_before')} onClick=${() => setDay(dayBy(day, -1))}>‹</button><input type="date" max=${today} value=${day} aria-label=${t('video.day')} onChange=${(/** @type {any} */ e) => e.target.value && setDay(e.target.value)} data-testid="playback-date" /><button class="btn sm" aria-label=${t('video.day_after')} disabled=${day >= today} onClick=${() => setDay(dayBy(day, 1))}>›</button></div></header>
    <div class="stage">${
      span
        ? html`<${PlaybackScreen} key=${span.begun} camera=${camera} start=${new Date(span.start_ms).toISOString()} end=${new Date(span.end_ms).toISOString()} onSeconds=${setPassed} />`
        : html`<div class="blank"><b>${words}</b>${answer && !answer.error && html`<p>${t(parts.length ? 'video.playback.pick' : 'video.playback.nothing_help')}</p>`}${answer?.error && html`<button class="btn sm" onClick=${load}>${t('console.retry')}</button>`}</div>`
    }</div>
    <${DayLine} parts=${parts} day=${day} at=${at} onPick=${pick} />
    <p class="line-words">${at === null ? words : t('video.playback.at', { at: timeOfDay(at, { seconds: true }) })}<span>${span ? html`<button class="btn sm" onClick=${() => setSpan(null)}>${t('video.playback.stop')}</button>` : ''}</span></p></section>`;
}

export function Playback() {
  const [query, setQuery] = useState('');
  const all = cameras();
  const withRecords = inOrder(all).filter((camera) => camera.source === 'gb28181');
  const hits = query.trim() ? matching(withRecords, query, new Set()) : withRecords;
  const chosen = all[ui.playbackCamera] ?? null;
  return html`<aside class="side"><div class="side-find"><input type="search" placeholder=${t('video.tree.search_short')} aria-label=${t('video.tree.search_short')} value=${query} onInput=${(/** @type {any} */ e) => setQuery(e.target.value)} /></div>
      ${
        withRecords.length
          ? html`<ul class="pick-list">${hits.slice(0, MOST_LISTED).map((camera) => html`<li key=${camera.id}><button class=${camera.id === ui.playbackCamera ? 'on' : ''} onClick=${() => set({ playbackCamera: camera.id })} data-testid="playback-camera"><${CameraMark} status=${camera.status} /><b>${camera.name}</b><span>${placeText(camera)}</span></button></li>`)}</ul>`
          : html`<div class="blank" data-testid="playback-none"><b>${t('video.playback.none')}</b><p>${t('video.playback.none_help')}</p></div>`
      }<p class="side-foot">${t('video.playback.count', { n: hits.length })}</p></aside>
    ${chosen ? html`<${Day} camera=${chosen} key=${chosen.id} />` : html`<section class="playing">${withRecords.length > 0 && html`<div class="blank"><b>${t('video.playback.choose')}</b><p>${t('video.playback.choose_help')}</p></div>`}</section>`}`;
}
