// One camera: its live picture large, what is registered of it, how it does, and what one can do with it.
import { has, t } from '../i18n.js';
import { timeOfDay, dayOf } from '../time.js';
import { bearingText, durationText } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { checkNow, falseAlarm, orderPtz, presetsOf, refusalOf } from '../video/commands.js';
import { PtzDriver } from '../video/ptz.js';
import { ptzPad } from '../video/ptz-handles.js';
import { VideoTile } from '../video/tile.js';
import { faultWords, statusWords } from '../video/words.js';
import { goBack, toast } from './actions.js';
import { board, may, nowMs, ui } from './state.js';
import { incidentInMind } from './strip.js';
import { areaName } from './words.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {Tile} from '../video/tile.js' */

/** A district's own register may name sites in its own words; those are shown as they are. @param {string | null} site */
const siteName = (site) => (site && has(`console.site.${site}`) ? t(`console.site.${site}`) : (site ?? '—'));

/** A network nobody translated is shown as it is. @param {string} network */
const networkName = (network) => (has(`console.network.${network}`) ? t(`console.network.${network}`) : network);

/** Another person's wish may stand against ours: said where it was asked for. @param {Camera} camera @param {unknown} error */
const tellPtz = (camera, error) =>
  toast({ id: `ptz:${camera.id}`, title: camera.name, text: t('camera.ptz.failed', { detail: refusalOf(error) }) });

/** @param {{camera: Camera}} props */
function Steering({ camera }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [presets, setPresets] = useState(/** @type {{preset: number, name: string | null}[] | null} */ (null));
  useEffect(() => {
    const driver = new PtzDriver((order) => orderPtz(camera.id, order), (error) => tellPtz(camera, error));
    box.current?.replaceChildren(ptzPad(driver));
    return () => driver.release();
  }, [camera.id]);
  /** @param {number} preset */
  const go = (preset) => orderPtz(camera.id, { action: 'preset', preset }).catch((error) => tellPtz(camera, error));
  const read = () =>
    presetsOf(camera.id).then(setPresets, (error) => {
      setPresets([]);
      tellPtz(camera, error);
    });
  return html`<section class="steering" data-testid="camera-ptz"><div class="sub"><h2>${t('camera.ptz')}</h2><em>${t('camera.ptz.hint')}</em></div>
    <div class="steer-row"><div ref=${box}></div><div class="presets">${
      presets === null
        ? html`<button class="btn sm" data-testid="presets-read" onClick=${() => void read()}>${t('camera.presets')}</button>`
        : presets.length
          ? presets.map((item) => html`<button class="btn sm" key=${item.preset} data-testid="preset" onClick=${() => void go(item.preset)}>${item.name || t('camera.preset', { n: item.preset })}</button>`)
          : html`<span class="empty">${t('camera.presets.none')}</span>`
    }</div></div></section>`;
}

/** Faults that show in the picture itself. */
const SEEN = new Set(['black', 'no_signal', 'frozen', 'blurred', 'covered', 'colour_cast', 'noise', 'moved']);

/** A picture of the health check; where there is none its place stays away. @param {{src: string, title: string}} props */
function Checked({ src, title }) {
  const [gone, setGone] = useState(false);
  return !gone && html`<figure><img src=${src} alt=${title} onError=${() => setGone(true)} /><figcaption>${title}</figcaption></figure>`;
}

/** What the last check found, beside how the camera should look. @param {{camera: Camera}} props */
function Faulty({ camera }) {
  const [busy, setBusy] = useState(false);
  const fault = camera.fault ?? '';
  const since = camera.fault_since;
  /** @param {(id: string) => Promise<unknown>} ask @param {string} done */
  const order = async (ask, done) => {
    setBusy(true);
    try {
      await ask(camera.id);
      toast({ id: `fault:${camera.id}`, title: camera.name, text: t(done) });
    } catch (error) {
      toast({ id: `fault:${camera.id}`, title: camera.name, text: refusalOf(error) });
    }
    setBusy(false);
  };
  return html`<section class="faulty" data-testid="camera-fault"><p><b>${faultWords(fault)}</b>${since && html`<span>${t('camera.fault_since', { at: `${dayOf(since)} ${timeOfDay(since)}`, age: durationText((nowMs() - Date.parse(since)) / 1000) })}</span>`}</p>
    <div><button class="btn sm" disabled=${busy} data-testid="camera-check" onClick=${() => void order(checkNow, 'camera.check.asked')}>${t('camera.check')}</button>
      ${may('video.manage') && html`<button class="btn sm" disabled=${busy} data-testid="camera-false-alarm" title=${t('camera.false_alarm.note')} onClick=${() => void order(falseAlarm, 'camera.false_alarm.done')}>${t('camera.false_alarm')}</button>`}</div>
    ${
      SEEN.has(fault) &&
      html`<div class="checked">${['picture', 'reference'].map((name) => html`<${Checked} key=${`${name}${since}`} title=${t(`camera.checked.${name}`)}
        src=${`/api/v1/cameras/${encodeURIComponent(camera.id)}/health/${name}.jpg?since=${encodeURIComponent(since ?? '')}`} />`)}</div>`
    }</section>`;
}

/** @param {{camera: Camera}} props */
function Facts({ camera }) {
  const look =
    camera.azimuth === null
      ? '—'
      : `${bearingText(camera.azimuth)} ${Math.round(camera.azimuth)}°`;
  const more = [
    camera.fov ? t('console.fact.fov', { n: Math.round(camera.fov) }) : '',
    camera.range_m ? t('camera.fact.range', { n: Math.round(camera.range_m) }) : '',
    camera.height_m ? t('camera.fact.height', { n: camera.height_m }) : '',
  ].filter(Boolean);
  return html`<dl class="facts"><div><dt>${t('console.fact.network')}</dt><dd>${networkName(camera.network)}${camera.station && html`<small>${camera.station}</small>`}</dd></div>
    <div><dt>${t('console.fact.state')}</dt><dd>${statusWords(camera.status)}${camera.source ? html`<small>${t('camera.fact.source', { name: camera.source.toUpperCase() })}</small>` : html`<small>${t('camera.no_view.no_source')}</small>`}</dd></div>
    <div><dt>${t('console.fact.site')}</dt><dd>${siteName(camera.site_type)}${(camera.tour_groups?.length ?? 0) > 0 && html`<small>${t('camera.fact.tours', { list: camera.tour_groups.join(t('join.list')) })}</small>`}</dd></div>
    <div><dt>${t('console.fact.view')}</dt><dd>${look}${more.length > 0 && html`<small>${more.join(' · ')}</small>`}</dd></div>
    <div class="wide"><dt>${t('camera.fact.id')}</dt><dd class="code">${camera.gb_id ?? camera.id}</dd></div></dl>`;
}

/** @param {{id: string}} props */
export function CameraDrawer({ id }) {
  const tile = useRef(/** @type {Tile | null} */ (null));
  const camera = board().cameras[id];
  if (!camera) return html`<div class="drawer-empty"><p>${t('console.camera.gone')}</p></div>`;
  const control = may('camera.control');
  const incidentId = incidentInMind();
  /** @param {'snapshot' | 'keep' | 'fullscreen'} what */
  const act = (what) => () => tile.current?.act(what);
  return html`<header class="drawer-head"><span class="tag accent">${t('console.type.camera')}</span><span class="code">${camera.gb_id ?? ''}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body camera-page"><div class="title"><h1 data-testid="drawer-title">${camera.name}</h1><p>${areaName(camera.grid)}</p></div>
      <div class="camera-live">${
        may('camera.view') &&
        html`<${VideoTile} camera=${camera} big purpose=${incidentId ? 'incident' : 'watch'} incidentId=${incidentId} allow=${{ ptz: control, keep: may('clip.create') }} notify=${toast} tileRef=${(/** @type {Tile | null} */ made) => (tile.current = made)} />`
      }</div>
      ${camera.fault && html`<${Faulty} camera=${camera} />`}
      <${Facts} camera=${camera} />
      ${camera.ptz && control && camera.source !== null && html`<${Steering} camera=${camera} />`}
    </div>
    <footer class="foot"><div class="buttons n4"><button class="btn" data-testid="camera-snapshot" onClick=${act('snapshot')}>${t('camera.act.snapshot')}</button>
      <button class="btn" data-testid="camera-keep" disabled=${!may('clip.create') || camera.source === null} onClick=${act('keep')}>${t('camera.act.keep')}</button>
      <button class="btn" data-testid="camera-fullscreen" onClick=${act('fullscreen')}>${t('camera.act.fullscreen')}</button>
      <a class="btn" data-testid="camera-open" href=${`/video?camera=${encodeURIComponent(camera.id)}`} target="_blank" rel="noopener">${t('camera.act.open')}</a>
      <button class="btn ghost" onClick=${() => ui.map?.show([camera.lon, camera.lat], 16.5)}>${t('console.show_on_map')}</button></div></footer>`;
}
