// Who watched what, when and why. Reading it is itself recorded, and the page says so.
import { call } from '../api.js';
import { has, t } from '../i18n.js';
import { dayOf, dayStamp, timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { DAY_MS, dayBy, dayStart } from './day-line.js';
import { cameras, nowMs } from './state.js';
import { purposeText } from './words.js';

/** @import {Viewing} from '../../types/video.d.ts' */

const LASTING = new Set(['live', 'playback']); // the others are over as soon as they have begun

/** How long it was looked at; a still picture is no length. @param {Viewing} item */
function longText(item) {
  if (!LASTING.has(item.kind)) return '';
  if (item.ended_at === null) return t('video.view.open');
  const text = durationText((Date.parse(item.ended_at) - Date.parse(item.started_at)) / 1000);
  return item.cut ? `${text} · ${t('video.view.cut')}` : text;
}

/** @param {Viewing} item */
const whatText = (item) => (has(`video.view.kind.${item.kind}`) ? t(`video.view.kind.${item.kind}`) : item.kind);

export function Viewings() {
  const today = dayStamp(nowMs());
  const [since, setSince] = useState(dayBy(today, -6));
  const [until, setUntil] = useState(today);
  const [camera, setCamera] = useState('');
  const [user, setUser] = useState('');
  const [page, setPage] = useState(/** @type {{items: Viewing[], next: string | null, error: string, loading: boolean}} */ ({ items: [], next: null, error: '', loading: true }));
  /** @param {string | null} cursor */
  const load = (cursor) => {
    const query = new URLSearchParams({ since: new Date(dayStart(since)).toISOString(), until: new Date(dayStart(until) + DAY_MS).toISOString() });
    if (camera) query.set('camera_id', camera);
    if (user) query.set('user_id', user);
    if (cursor) query.set('cursor', cursor);
    setPage((old) => ({ ...old, loading: true, error: '' }));
    call('GET', `/viewings?${query}`).then(
      ({ items, next }) => setPage((old) => ({ items: cursor ? [...old.items, ...items] : items, next: next ?? null, error: '', loading: false })),
      (error) => setPage((old) => ({ ...old, error: refusal(error), loading: false })),
    );
  };
  useEffect(() => load(null), [since, until, camera, user]);
  const people = new Map(page.items.map((item) => [item.user_id, item.user_name]));
  const watched = [...new Set([camera, ...page.items.map((item) => item.camera_id)].filter(Boolean))];
  return html`<div class="viewings"><header class="filters">
      <input type="date" value=${since} max=${until} aria-label=${t('video.view.since')} onChange=${(/** @type {any} */ e) => e.target.value && setSince(e.target.value)} /><i>–</i>
      <input type="date" value=${until} min=${since} max=${today} aria-label=${t('video.view.until')} onChange=${(/** @type {any} */ e) => e.target.value && setUntil(e.target.value)} />
      <select aria-label=${t('video.camera')} value=${camera} onChange=${(/** @type {any} */ e) => setCamera(e.target.value)}><option value="">${t('video.every_camera')}</option>${watched.map((id) => html`<option value=${id} selected=${id === camera}>${cameras()[id]?.name ?? id}</option>`)}</select>
      <select aria-label=${t('video.view.who')} value=${user} onChange=${(/** @type {any} */ e) => setUser(e.target.value)} data-testid="viewing-user"><option value="">${t('video.view.everybody')}</option>${[...people].map(([id, name]) => html`<option value=${id} selected=${id === user}>${name}</option>`)}</select>
      <span>${t('video.view.logged')}</span></header>
    ${page.error && html`<p class="refused" role="alert">${page.error} <button class="btn sm" onClick=${() => load(null)}>${t('console.retry')}</button></p>`}
    <div class="table-scroll"><table class="rows"><thead><tr><th>${t('video.view.at')}</th><th>${t('video.view.who')}</th><th>${t('video.camera')}</th><th>${t('video.view.what')}</th><th>${t('video.view.why')}</th><th>${t('video.clip.incident')}</th><th class="num">${t('video.view.long')}</th></tr></thead>
      <tbody>${page.items.map((item) => html`<tr key=${item.id} data-testid="viewing"><td>${dayOf(item.started_at)} ${timeOfDay(item.started_at, { seconds: true })}</td><td><b>${item.user_name}</b><small>${has(`role.${item.role}`) ? t(`role.${item.role}`) : item.role}</small></td><td>${cameras()[item.camera_id]?.name ?? item.camera_name ?? item.camera_id}</td><td>${whatText(item)}</td><td>${item.purpose && item.purpose !== item.kind ? purposeText(item.purpose) : ''}</td><td>${item.incident_id ?? ''}</td><td class="num">${longText(item)}</td></tr>`)}</tbody></table>
      ${!page.items.length && !page.error && html`<div class="blank" data-testid="viewings-empty"><b>${t(page.loading ? 'video.loading' : 'video.view.none')}</b>${!page.loading && html`<p>${t('video.view.none_help')}</p>`}</div>`}
      ${page.next && html`<button class="more btn ghost" disabled=${page.loading} onClick=${() => load(page.next)}>${t('video.more')}</button>`}</div></div>`;
}
