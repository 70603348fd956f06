// The camera register: search, filters, pages of a hundred.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { CameraMark, healthOf } from '../ui/camera-mark.js';
import { ExportButton, mayTakeOut } from '../ui/export-menu.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { CameraForm } from './camera-form.js';
import { areaText, openTab, set, ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */

const PAGE = 100;
const STATUSES = ['live', 'degraded', 'stale', 'offline', 'unknown', 'disabled'];

/** @typedef {{q: string, status: string, area: string, group: string}} Filter */

/** @param {{camera: Camera, chosen: boolean}} props */
function Row({ camera, chosen }) {
  const health = healthOf(camera.status);
  const open = () => set({ editing: camera.id });
  return html`<tr class=${chosen ? 'on' : ''} tabindex="0" onClick=${open} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && open()} data-testid="camera-row" data-id=${camera.id}>
    <td><span class="health ${health}"><${CameraMark} status=${camera.status} />${t(`camera.status.${health}`)}</span></td>
    <td><b>${camera.name}</b><small>${camera.gb_id ?? t('admin.no_gb')}</small></td>
    <td>${areaText(camera.grid) || areaText(camera.area) || camera.area || '—'}<small>${camera.station ?? ''}</small></td>
    <td>${t(`console.network.${camera.network}`)}</td>
    <td>${camera.source ? html`<span class="chip">${t(`admin.protocol.${camera.source}`)}</span>` : html`<span class="none">${t('admin.no_source')}</span>`}${camera.ptz && html`<span class="chip">${t('video.ptz.short')}</span>`}</td>
    <td class="groups">${camera.tour_groups.map((group) => html`<span class="chip" key=${group}>${group}</span>`)}</td></tr>`;
}

/** To where lists of cameras are brought in. */
function bringIn() {
  set({ kind: 'cameras' });
  openTab('imports');
}

export function Registry() {
  const [filter, setFilter] = useState(/** @type {Filter} */ ({ q: '', status: '', area: '', group: '' }));
  const [trail, setTrail] = useState(/** @type {(string | null)[]} */ ([null]));
  const [page, setPage] = useState(/** @type {{items: Camera[], next: string | null, error: string, loading: boolean}} */ ({ items: [], next: null, error: '', loading: true }));
  const [round, setRound] = useState(0);
  const scroll = useRef(/** @type {HTMLElement | null} */ (null));
  const cursor = trail.at(-1) ?? null;
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(
      () => {
        const query = new URLSearchParams({ limit: String(PAGE) });
        for (const [name, value] of Object.entries(filter)) if (value.trim()) query.set(name, value.trim());
        if (cursor) query.set('cursor', cursor);
        setPage((old) => ({ ...old, loading: true }));
        call('GET', `/cameras?${query}`, undefined, { signal: abort.signal }).then(
          ({ items, next }) => setPage({ items, next, error: '', loading: false }),
          (error) => !abort.signal.aborted && setPage({ items: [], next: null, error: refusal(error), loading: false }),
        );
      },
      filter.q ? 200 : 0,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [filter, cursor, round]);
  /** @param {Partial<Filter>} patch */
  const edit = (patch) => {
    setFilter({ ...filter, ...patch });
    setTrail([null]);
  };
  /** @param {(string | null)[]} next */
  const go = (next) => {
    setTrail(next);
    if (scroll.current) scroll.current.scrollTop = 0;
  };
  const towns = [...ui.areas.values()].filter((area) => area.tier === 2 || area.tier === 3).sort((a, b) => (a.code < b.code ? -1 : 1));
  const groups = [...new Set([...page.items.flatMap((camera) => camera.tour_groups), filter.group].filter(Boolean))].sort();
  const filtered = Object.values(filter).some(Boolean);
  const chosen = page.items.find((camera) => camera.id === ui.editing) ?? null;
  const first = (trail.length - 1) * PAGE;
  return html`<div class=${`registry ${ui.editing ? 'with-form' : ''}`}><section class="list">
      <header class="filters"><input type="search" class="q" placeholder=${t('admin.search')} aria-label=${t('admin.search')} value=${filter.q} onInput=${(/** @type {any} */ e) => edit({ q: e.target.value })} data-testid="registry-search" />
        <select aria-label=${t('video.state')} value=${filter.status} onChange=${(/** @type {any} */ e) => edit({ status: e.target.value })} data-testid="registry-status"><option value="">${t('admin.every_status')}</option>${STATUSES.map((status) => html`<option value=${status}>${t(`camera.status.${status}`)}</option>`)}</select>
        ${towns.length > 0 && html`<select aria-label=${t('video.tree.by.area')} value=${filter.area} onChange=${(/** @type {any} */ e) => edit({ area: e.target.value })}><option value="">${t('video.every_area')}</option>${towns.map((area) => html`<option value=${area.code}>${area.tier === 3 ? '　' : ''}${area.name}</option>`)}</select>`}
        ${groups.length > 0 && html`<select aria-label=${t('admin.tour_groups')} value=${filter.group} onChange=${(/** @type {any} */ e) => edit({ group: e.target.value })}><option value="">${t('admin.every_group')}</option>${groups.map((group) => html`<option value=${group}>${group}</option>`)}</select>`}
        <span></span>${mayTakeOut(ui.me) && html`<${ExportButton} first="cameras" area=${filter.area || null} />`}<button class="btn sm" onClick=${() => bringIn()} data-testid="open-import">${t('admin.import')}</button>
        <button class="btn sm primary" onClick=${() => set({ editing: 'new', template: null })} data-testid="new-camera">${t('admin.new')}</button></header>
      ${page.error && html`<p class="refused" role="alert">${page.error} <button class="btn sm" onClick=${() => setRound(round + 1)}>${t('console.retry')}</button></p>`}
      <div class="table-scroll" ref=${scroll}><table class="rows"><thead><tr><th>${t('video.state')}</th><th>${t('admin.name_and_id')}</th><th>${t('admin.place')}</th><th>${t('admin.network')}</th><th>${t('admin.source')}</th><th>${t('admin.tour_groups')}</th></tr></thead>
        <tbody class=${page.loading ? 'loading' : ''}>${page.items.map((camera) => html`<${Row} key=${camera.id} camera=${camera} chosen=${camera.id === ui.editing} />`)}</tbody></table>
        ${
          !page.items.length &&
          !page.error &&
          html`<div class="blank" data-testid="registry-empty"><b>${t(page.loading ? 'video.loading' : filtered ? 'admin.none_here' : 'admin.none')}</b>${!page.loading && html`<p>${t(filtered ? 'admin.none_here_help' : 'admin.none_help')}</p>`}
          ${!page.loading && (filtered ? html`<button class="btn sm" onClick=${() => edit({ q: '', status: '', area: '', group: '' })}>${t('admin.drop_filters')}</button>` : html`<button class="btn sm out" onClick=${() => bringIn()}>${t('admin.import')}</button>`)}</div>`
        }</div>
      <footer class="pager"><span>${page.items.length ? t('admin.rows', { from: first + 1, to: first + page.items.length }) : ''}</span>
        <button class="btn sm" disabled=${trail.length === 1 || page.loading} onClick=${() => go(trail.slice(0, -1))} data-testid="page-before">${t('admin.page_before')}</button>
        <button class="btn sm" disabled=${!page.next || page.loading} onClick=${() => go([...trail, page.next])} data-testid="page-next">${t('admin.page_next')}</button></footer></section>
    ${ui.editing && html`<${CameraForm} key=${ui.editing} id=${ui.editing} listed=${chosen} onDone=${() => setRound(round + 1)} />`}</div>`;
}
