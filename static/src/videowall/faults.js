// The work list of faulty cameras: since when, what, the picture it should be beside the picture it is, and what to do.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { CameraMark } from '../ui/camera-mark.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { show, showOnMap } from './actions.js';
import { FAULTS, filterFaults, measureRows, troubleText } from './fault-list.js';
import { Picture } from './picture.js';
import { cameras, may, nowMs, set, ui } from './state.js';
import { faultText, networkText, placeText } from './words.js';

/** @import {FaultItem} from '../../types/video.d.ts' */

const AGAIN_MS = 20_000;
const SETTLE_MS = 1500;
const CHECK_TIMEOUT_MS = 60_000;

/** @type {{items: FaultItem[], readAt: number, error: string, loading: boolean, chosen: string, fault: string, area: string, asked: number}} */
const view = { items: [], readAt: 0, error: '', loading: true, chosen: '', fault: '', area: '', asked: 0 };

async function read() {
  try {
    const { items } = await call('GET', '/cameras/faults');
    Object.assign(view, { items, readAt: nowMs(), error: '', loading: false });
  } catch (error) {
    Object.assign(view, { error: refusal(error), loading: false });
  }
  set({});
}

/** @param {string | null | undefined} at */
const sinceText = (at) => {
  if (!at) return '';
  const age_s = (nowMs() - Date.parse(at)) / 1000;
  return t('console.age.ago', { age: durationText(age_s) });
};

/** What a check found, and what that makes of the camera: one good look alone does not clear it.
 * @param {{fault: string | null, suspected: string | null, status: string}} found
 */
function checkedText({ fault, suspected, status }) {
  if (fault === null && suspected === null) return t(status === 'live' ? 'video.fault.done.well' : 'video.fault.done.check');
  if (suspected === null) return t('video.fault.done.better');
  return t('video.fault.done.still', { fault: faultText(suspected) });
}

/** @param {{item: FaultItem, chosen: boolean}} props */
function Row({ item, chosen }) {
  const { camera } = item;
  return html`<tr class=${chosen ? 'on' : ''} tabindex="0" aria-selected=${chosen} data-testid="fault" data-id=${camera.id}
    onClick=${() => {
      view.chosen = camera.id;
      set({});
    }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Enter') return;
      view.chosen = camera.id;
      set({});
    }}>
    <td><${CameraMark} status=${camera.status} /></td><td><b>${camera.name}</b><small>${placeText(camera)}</small></td>
    <td><span class=${`fault-word ${item.fault ?? ''}`}>${troubleText(item)}</span></td>
    <td class="num"><b>${sinceText(item.since)}</b><small>${item.since ? `${dayOf(item.since)} ${timeOfDay(item.since)}` : ''}</small></td></tr>`;
}

/** @param {{item: FaultItem}} props */
function Detail({ item }) {
  const { camera } = item;
  const [busy, setBusy] = useState('');
  const [words, setWords] = useState('');
  const [sure, setSure] = useState(false);
  const [version, setVersion] = useState(0);
  /** @param {'check' | 'false_alarm'} what */
  const act = async (what) => {
    setBusy(what);
    setWords('');
    setSure(false);
    try {
      const found = await call('POST', `/cameras/${encodeURIComponent(camera.id)}/${what}`, undefined, { timeoutMs: CHECK_TIMEOUT_MS });
      setWords(what === 'check' ? checkedText(found) : t('video.fault.done.false_alarm'));
      setVersion(version + 1);
      window.setTimeout(() => void read(), SETTLE_MS);
    } catch (error) {
      setWords(refusal(error));
    }
    setBusy('');
  };
  const path = `/api/v1/cameras/${encodeURIComponent(camera.id)}/health`;
  const rows = measureRows(item.fault, item.measures);
  const live = cameras()[camera.id] ?? camera;
  const blind = item.fault === null || item.fault === 'signal_lost' || item.fault === 'unauthorized';
  return html`<article class="fault-detail" data-testid="fault-detail">
    <header><div><h2>${camera.name}</h2><p>${[placeText(camera), networkText(camera.network), camera.station, camera.gb_id].filter(Boolean).join(' · ')}</p></div>
      <div class="verdict"><span class=${`fault-word ${item.fault ?? ''}`}>${troubleText(item)}</span><small>${item.since && t('video.fault.since', { at: `${dayOf(item.since)} ${timeOfDay(item.since)}`, age: sinceText(item.since) })}</small></div></header>
    <div class="pair-of-pictures">
      <${Picture} title=${t('video.fault.reference')} url=${item.light === null ? null : `${path}/reference.jpg`} version=${version} missing=${t('video.fault.no_reference')} />
      <${Picture} title=${t('video.fault.now')} url=${item.light === null && !item.has_reference ? null : `${path}/picture.jpg`} version=${`${version}/${item.checked_at ?? ''}`} missing=${blind ? t('video.fault.blind') : t('video.fault.no_picture')} note=${item.light ? t(`video.light.${item.light}`) : ''} late /></div>
    <section class="why"><h3>${t('video.fault.why')}</h3><p>${t(`video.fault.means.${item.fault ?? 'unproven'}`)}</p>
      ${rows.length > 0 && html`<dl>${rows.map((row) => html`<div key=${row.key}><dt>${row.label}</dt><dd>${row.value}</dd></div>`)}</dl>`}</section>
    <footer>
      <button class="btn" disabled=${Boolean(busy)} onClick=${() => void act('check')} data-testid="fault-check">${t(busy === 'check' ? 'video.fault.checking' : 'video.fault.check')}</button>
      ${
        may('video.manage')
          ? sure
            ? html`<span class="sure">${t('video.fault.sure')}<button class="btn danger" onClick=${() => void act('false_alarm')} data-testid="fault-false-sure">${t('video.fault.false')}</button><button class="btn" onClick=${() => setSure(false)}>${t('console.cancel')}</button></span>`
            : html`<button class="btn" disabled=${Boolean(busy) || blind} title=${blind ? t('video.fault.no_false') : ''} onClick=${() => setSure(true)} data-testid="fault-false">${t('video.fault.false')}</button>`
          : null
      }
      <button class="btn" onClick=${() => {
        show(camera.id);
        set({ tab: 'grid' });
      }} data-testid="fault-live">${t('video.fault.live')}</button>
      <button class="btn ghost" onClick=${() => showOnMap(camera.id)}>${t('video.to_map')}</button>
      <span class="said" role="status">${words}</span>
      ${live.fault === null && live.fault !== camera.fault && html`<span class="said good">${t('video.fault.cleared')}</span>`}
    </footer></article>`;
}

export function Faults() {
  useEffect(() => {
    void read();
    const timer = window.setInterval(() => !document.hidden && void read(), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);
  const towns = [...ui.areas.values()].filter((area) => area.tier === 2);
  const list = filterFaults(view.items, view, (camera) => [camera.area, camera.grid].filter(Boolean).map(String));
  const chosen = list.find((item) => item.camera.id === view.chosen) ?? list[0] ?? null;
  const present = FAULTS.filter((fault) => view.items.some((item) => item.fault === fault));
  /** @param {Partial<typeof view>} patch */
  const edit = (patch) => {
    Object.assign(view, patch);
    set({});
  };
  const old_s = view.readAt ? Math.round((nowMs() - view.readAt) / 1000) : 0;
  return html`<div class="faults">
    <section class="list">
      <header class="filters"><select aria-label=${t('video.fault.by_fault')} value=${view.fault} onChange=${(/** @type {any} */ e) => edit({ fault: e.target.value })} data-testid="fault-filter">
          <option value="">${t('video.fault.every', { n: view.items.length })}</option>${present.map((fault) => html`<option value=${fault}>${faultText(fault)}（${view.items.filter((item) => item.fault === fault).length}）</option>`)}</select>
        <select aria-label=${t('video.fault.by_area')} value=${view.area} onChange=${(/** @type {any} */ e) => edit({ area: e.target.value })}><option value="">${t('video.every_area')}</option>${towns.map((town) => html`<option value=${town.code}>${town.name}</option>`)}</select>
        <span class=${old_s > 60 ? 'warn' : ''}>${view.readAt ? t('video.read_ago', { age: durationText(old_s) }) : ''}</span></header>
      ${view.error && html`<p class="refused" role="alert">${view.error} <button class="btn sm" onClick=${() => void read()}>${t('console.retry')}</button></p>`}
      <div class="table-scroll"><table class="rows"><thead><tr><th></th><th>${t('video.camera')}</th><th>${t('video.fault')}</th><th class="num">${t('video.fault.lasts')}</th></tr></thead>
        <tbody>${list.map((item) => html`<${Row} key=${item.camera.id} item=${item} chosen=${chosen?.camera.id === item.camera.id} />`)}</tbody></table>
        ${!list.length && !view.error && html`<div class="blank" data-testid="faults-empty"><b>${t(view.loading ? 'video.loading' : view.items.length ? 'video.fault.none_here' : 'video.fault.none')}</b>${!view.loading && html`<p>${t(view.items.length ? 'video.fault.none_here_help' : 'video.fault.none_help')}</p>`}</div>`}</div>
    </section>
    ${chosen ? html`<${Detail} item=${chosen} key=${chosen.camera.id} />` : html`<div class="fault-detail nothing"></div>`}</div>`;
}
