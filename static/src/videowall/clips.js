// Kept pictures (留存): what was kept, by incident, camera and day; playing, the manifest, taking a copy out.
import { ApiError, call } from '../api.js';
import { t } from '../i18n.js';
import { dayOf, dayStamp, timeOfDay } from '../time.js';
import { Dialog } from '../ui/dialog.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { reasonText, refusal } from '../ui/refusal.js';
import { cameras, may, set } from './state.js';
import { sizeText } from './words.js';

/** @import {Clip} from '../../types/video.d.ts' */

const AGAIN_MS = 10_000;
const PAGE = 100;
const MOST = 500;
const EXPORT_POLL_MS = 1500;
const EXPORT_LIMIT_MS = 15 * 60_000;

/** @type {{items: Clip[], loading: boolean, error: string, many: number, more: boolean, chosen: string, incident: string, camera: string, day: string}} */
const view = { items: [], loading: true, error: '', many: PAGE, more: false, chosen: '', incident: '', camera: '', day: '' };
/** Exports outlive the page's tab: one asked for stays to be fetched. @type {Map<string, {state: string, path: string, share: number, words: string}>} */
const exports_ = new Map();

async function read() {
  const query = new URLSearchParams({ limit: String(view.many) });
  if (view.camera) query.set('camera_id', view.camera);
  if (view.incident) query.set('incident_id', view.incident);
  try {
    const { items, next } = await call('GET', `/clips?${query}`);
    Object.assign(view, { items, error: '', more: next !== null });
  } catch (error) {
    Object.assign(view, { error: refusal(error) });
  }
  view.loading = false;
  set({});
}

/** @param {Clip} clip */
const nameOf = (clip) => cameras()[clip.camera_id]?.name ?? clip.camera_name;
/** @param {Clip} clip */
const stateText = (clip) => t(`video.clip.state.${clip.state}`);
/** Of its first picture, or when it was begun. @param {Clip} clip */
const startOf = (clip) => clip.started_at ?? clip.created_at;
/** @param {Clip} clip */
const seconds = (clip) => (clip.state === 'ready' ? clip.duration_s : null);

/** @param {{clip: Clip, part: number, onClose: () => void}} props */
function ExportDialog({ clip, part, onClose }) {
  const [purpose, setPurpose] = useState('');
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const go = async () => {
    if (purpose.trim().length < 4 || busy) return;
    setBusy(true);
    try {
      const path = `/clips/${encodeURIComponent(clip.id)}`;
      const { export_id } = await call('POST', `${path}/export`, { purpose: purpose.trim(), part });
      exports_.set(clip.id, { state: 'working', path: `${path}/exports/${encodeURIComponent(export_id)}`, share: 0, words: '' });
      void follow(clip.id);
      onClose();
    } catch (error) {
      setWords(refusal(error));
    }
    setBusy(false);
  };
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button>
    <button class="btn primary" disabled=${purpose.trim().length < 4 || busy} onClick=${() => void go()} data-testid="export-submit">${t('video.clip.export')}</button>`;
  return html`<${Dialog} title=${t('video.clip.export')} onClose=${onClose} foot=${foot} id="export-dialog"><form class="form" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    void go();
  }}><p class="wide">${t('video.clip.export.what', { name: nameOf(clip) })}</p>
    <label class="wide"><span>${t('video.clip.purpose')}</span><textarea rows="3" maxlength="100" autofocus value=${purpose} placeholder=${t('video.clip.purpose.example')} onInput=${(/** @type {any} */ e) => setPurpose(e.target.value)} data-testid="export-purpose"></textarea></label>
    <p class="hint wide">${t('video.clip.export.logged')}</p></form></${Dialog}>`;
}

/** Wait until the copy is made. @param {string} clipId */
async function follow(clipId) {
  const entry = exports_.get(clipId);
  const until = Date.now() + EXPORT_LIMIT_MS;
  while (entry && exports_.get(clipId) === entry && entry.state === 'working') {
    try {
      const { state, share, reason } = await call('GET', entry.path);
      Object.assign(entry, { state, share, words: reason ? reasonText(reason) : '' });
    } catch (error) {
      // The connection may come back, and the copy goes on being made; an answer that it is unknown is final.
      if (error instanceof ApiError && error.status === 404) Object.assign(entry, { state: 'failed', words: refusal(error) });
    }
    if (entry.state === 'working' && Date.now() > until) entry.state = 'failed';
    set({});
    if (entry.state === 'working') await new Promise((done) => setTimeout(done, EXPORT_POLL_MS));
  }
}

/** @param {{clip: Clip}} props */
function Copy({ clip }) {
  const entry = exports_.get(clip.id);
  if (!entry) return null;
  const name = `${nameOf(clip)}_${dayStamp(Date.parse(startOf(clip)))}.mp4`;
  return html`<div class=${`copy ${entry.state}`} role="status" data-testid="export-state">${
    entry.state === 'working'
      ? html`<progress value=${entry.share} aria-label=${t('video.clip.export.working')}></progress><span>${t('video.clip.export.working')}</span>`
      : entry.state === 'ready'
        ? html`<span>${t('video.clip.export.ready')}</span><a class="btn sm primary" href=${`/api/v1${entry.path}/video.mp4`} download=${name} data-testid="export-download">${t('video.download')}</a>`
        : html`<span>${t('video.clip.export.failed', { detail: entry.words })}</span>`
  }</div>`;
}

/** @param {{clip: Clip}} props */
function Detail({ clip }) {
  const [asking, setAsking] = useState(false);
  const path = `/clips/${encodeURIComponent(clip.id)}`;
  const [part, setPart] = useState(1);
  const file = clip.files.find((one) => one.part === part) ?? clip.files[0] ?? null;
  /** @type {[string, string][]} */
  const facts = [
    [t('video.clip.from'), `${dayOf(startOf(clip))} ${timeOfDay(startOf(clip), { seconds: true })}`],
    [t('video.clip.long'), durationText(seconds(clip))],
    [t('video.clip.size'), clip.size ? sizeText(clip.size) : '—'],
    [t('video.clip.by'), clip.created_by_name],
    [t('video.clip.incident'), clip.incident_id ?? t('video.clip.no_incident')],
    [t('video.clip.picture'), file ? `${file.width}×${file.height}` : '—'],
  ];
  return html`<article class="clip-detail" data-testid="clip-detail">
    <header><h2>${nameOf(clip)}</h2><p>${clip.note}</p></header>
    ${
      clip.state === 'ready'
        ? html`<video class="clip-video" controls preload="metadata" src=${`/api/v1${path}/video.mp4?part=${part}`} key=${`${clip.id}/${part}`} data-testid="clip-video"></video>`
        : html`<div class="clip-video none"><p>${stateText(clip)}</p><p>${clip.reason ? reasonText(clip.reason) : clip.state === 'failed' ? '' : t('video.clip.wait')}</p></div>`
    }
    ${clip.files.length > 1 && html`<div class="seg parts" role="group" aria-label=${t('video.clip.parts')}>${clip.files.map((one) => html`<button key=${one.part} class=${one.part === part ? 'on' : ''} aria-pressed=${one.part === part} onClick=${() => setPart(one.part)}>${t('video.clip.part', { n: one.part })} ${one.width}×${one.height}</button>`)}</div>`}
    <dl class="facts">${facts.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
    ${file && html`<p class="hash"><span>${t('video.clip.hash')}</span><code data-testid="clip-hash">${file.sha256}</code><a class="link" href=${`/api/v1${path}/manifest`} download=${`${clip.id}.json`}>${t('video.clip.manifest')}</a></p>`}
    <footer>${may('clip.export') && html`<button class="btn primary" disabled=${clip.state !== 'ready'} onClick=${() => setAsking(true)} data-testid="clip-export">${t('video.clip.export')}</button>`}<${Copy} clip=${clip} /></footer>
    ${asking && html`<${ExportDialog} clip=${clip} part=${part} onClose=${() => setAsking(false)} />`}</article>`;
}

export function Clips() {
  useEffect(() => {
    void read();
    const timer = window.setInterval(() => !document.hidden && void read(), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);
  const list = view.items.filter((clip) => !view.day || dayStamp(Date.parse(startOf(clip))) === view.day);
  const chosen = list.find((clip) => clip.id === view.chosen) ?? list[0] ?? null;
  /** @param {Partial<typeof view>} patch */
  const edit = (patch) => {
    Object.assign(view, patch);
    void read();
  };
  const known = [...new Set([...view.items.map((clip) => clip.camera_id), view.camera].filter(Boolean))];
  const incidents = [...new Set([...view.items.map((clip) => clip.incident_id ?? ''), view.incident].filter(Boolean))];
  return html`<div class="clips"><section class="list">
    <header class="filters"><select aria-label=${t('video.camera')} value=${view.camera} onChange=${(/** @type {any} */ e) => edit({ camera: e.target.value })}><option value="">${t('video.every_camera')}</option>${known.map((id) => html`<option value=${id}>${cameras()[id]?.name ?? id}</option>`)}</select>
      <select aria-label=${t('video.clip.incident')} value=${view.incident} onChange=${(/** @type {any} */ e) => edit({ incident: e.target.value })}><option value="">${t('video.every_incident')}</option>${incidents.map((id) => html`<option value=${id}>${id}</option>`)}</select>
      <input type="date" aria-label=${t('video.day')} value=${view.day} onInput=${(/** @type {any} */ e) => edit({ day: e.target.value })} /></header>
    ${view.error && html`<p class="refused" role="alert">${view.error} <button class="btn sm" onClick=${() => void read()}>${t('console.retry')}</button></p>`}
    <div class="table-scroll"><table class="rows"><thead><tr><th>${t('video.camera')}</th><th>${t('video.clip.from')}</th><th class="num">${t('video.clip.long')}</th><th>${t('video.state')}</th></tr></thead>
      <tbody>${list.map(
        (clip) => html`<tr key=${clip.id} class=${chosen?.id === clip.id ? 'on' : ''} tabindex="0" data-testid="clip" onClick=${() => {
          view.chosen = clip.id;
          set({});
        }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Enter') return;
          view.chosen = clip.id;
          set({});
        }}><td><b>${nameOf(clip)}</b><small>${clip.note || (clip.incident_id ?? '')}</small></td><td>${dayOf(startOf(clip))} ${timeOfDay(startOf(clip), { seconds: true })}</td><td class="num">${durationText(seconds(clip))}</td><td><span class=${`clip-state ${clip.state}`}>${stateText(clip)}</span></td></tr>`,
      )}</tbody></table>
      ${view.more && view.many < MOST && html`<button class="more btn ghost" onClick=${() => edit({ many: MOST })}>${t('video.more')}</button>`}
      ${!list.length && !view.error && html`<div class="blank" data-testid="clips-empty"><b>${t(view.loading ? 'video.loading' : 'video.clip.none')}</b>${!view.loading && html`<p>${t(view.items.length || view.camera || view.incident ? 'video.clip.none_here' : 'video.clip.none_help')}</p>`}</div>`}</div></section>
    ${chosen ? html`<${Detail} clip=${chosen} key=${chosen.id} />` : html`<div class="clip-detail nothing"></div>`}</div>`;
}
