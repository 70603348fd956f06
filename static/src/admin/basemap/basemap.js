// The map underneath: which is in force, another one tried and put in force, the one before put back.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useState } from '../../ui/h.js';
import { sizeText } from '../files.js';
import { momentText } from '../geography/words.js';
import { say, ui } from '../state.js';
import { BaseMap } from './base-map.js';
import { useBasemaps } from './store.js';
import { TrialForm } from './trial-form.js';
import { basemapRefusal, earlierOf, factsText, lookText, turnOf, whyText, zoomsText } from './words.js';

/** @import {BaseSource} from '../../../types/wire.d.ts' */
/** @import {Trial, Turn} from '../../../types/basemap.d.ts' */
/** @import {Known} from './store.js' */

/** @typedef {'own' | 'custom' | 'imagery' | 'trial'} Shown */

const SLOTS = /** @type {const} */ (['custom', 'imagery']);

/** @param {{children: unknown, title: string, id: Shown, shown: Shown, onShow: (id: Shown) => void, marks?: unknown, acts?: unknown}} props */
const Card = ({ children, title, id, shown, onShow, marks, acts }) =>
  html`<li class=${`base-card ${id === shown ? 'on' : ''}`} data-testid=${`card-${id}`}><button type="button" aria-pressed=${id === shown} onClick=${() => onShow(id)}><span class="head"><b>${title}</b>${marks}</span>${children}</button>${acts && html`<div class="acts">${acts}</div>`}</li>`;

/** @param {{source: BaseSource, turn: Turn | null, shown: Shown, onShow: (id: Shown) => void, onStop: () => void}} props */
function InForce({ source, turn, shown, onShow, onStop }) {
  const { health } = source;
  const marks = html`<span class="chip">${t(`console.base.${source.slot}`)}</span>${source.preferred && html`<span class="chip on">${t('basemap.preferred')}</span>`}<span class=${`state ${health?.state ?? 'ok'}`}><i aria-hidden="true"></i>${t(`basemap.state.${health?.state ?? 'ok'}`)}</span>`;
  return html`<${Card} title=${source.name} id=${source.slot} shown=${shown} onShow=${onShow} marks=${marks} acts=${html`<button type="button" class="btn sm" onClick=${onStop} data-testid=${`stop-${source.slot}`}>${t('basemap.stop')}</button>`}>
    <span>${factsText(source)}${source.size ? ` · ${sizeText(source.size)}` : ''}</span>
    <span>${[source.size ? t('basemap.from.archive') : source.origin, source.attribution].filter(Boolean).join(' · ')}</span>
    ${turn && html`<span class="meta">${t('basemap.since', { at: momentText(turn.at), by: turn.by_name })}</span>`}
    ${health && health.state !== 'ok' && html`<span class="bad">${whyText(health.why ?? '', health.status, source.origin)}</span>`}</${Card}>`;
}

/** @param {{known: Known, shown: Shown, onShow: (id: Shown) => void, onDone: () => void}} props */
function Present({ known, shown, onShow, onDone }) {
  const [words, setWords] = useState('');
  const { sources, ours, turns } = known;
  const first = sources.find((source) => source.preferred);
  /** @param {string} method @param {string} path @param {string} said */
  const act = async (method, path, said) => {
    setWords('');
    try {
      await call(method, path, undefined, { timeoutMs: 60_000 });
      say(said);
      onShow('own');
    } catch (error) {
      setWords(basemapRefusal(error));
    }
    onDone();
  };
  const earlier = earlierOf(turns, sources).slice(0, 4);
  return html`<section class="present"><h2>${t('basemap.present')}${ui.said && html`<span class="said" role="status">${ui.said}</span>`}</h2>
    ${words && html`<p class="refused" role="alert">${words}</p>`}
    <ul><${Card} title=${t('console.base.own')} id="own" shown=${shown} onShow=${onShow} marks=${!first && html`<span class="chip on">${t('basemap.preferred')}</span>`}>
        <span>${ours ? [t('basemap.own_kind'), 'WGS-84', zoomsText(ours), sizeText(ours.size)].join(' · ') : t('basemap.no_own')}</span>
        ${ours && html`<span class="meta">${t('basemap.own_made', { at: momentText(ours.at) })}</span>`}</${Card}>
      ${SLOTS.map((slot) => {
        const source = sources.find((one) => one.slot === slot);
        if (source) return html`<${InForce} key=${slot} source=${source} turn=${turnOf(turns, source)} shown=${shown} onShow=${onShow} onStop=${() => void act('DELETE', `/basemap/sources/${slot}`, t('basemap.stopped', { name: source.name }))} />`;
        return html`<li key=${slot} class="base-card none"><b>${t(`console.base.${slot}`)}</b><span>${t(`basemap.none.${slot}`)}</span></li>`;
      })}</ul>
    ${earlier.length > 0 && html`<h3>${t('basemap.earlier')}</h3><ul class="earlier">${earlier.map((turn) => {
      const source = /** @type {BaseSource} */ (turn.before);
      return html`<li key=${turn.revision} data-testid="earlier"><b>${source.name}</b><span>${t(`console.base.${source.slot}`)} · ${factsText(source)}</span><small>${t('basemap.until', { at: momentText(turn.at) })}</small><button type="button" class="btn sm" onClick=${() => void act('POST', `/basemap/history/${turn.revision}/${source.slot}/restore`, t('basemap.restored', { name: source.name }))} data-testid="put-back">↶ ${t('basemap.put_back')}</button></li>`;
    })}</ul>`}</section>`;
}

/** What came of a few tiles in the middle of the district. @param {{trial: Trial}} props */
function Looks({ trial }) {
  const { looks, source } = trial;
  if (!looks.length) return null;
  return html`<div class="looks" role="group" aria-label=${t('basemap.looks')} data-testid="looks"><p><b>${t('basemap.looks')}</b><small>${t('basemap.looks_help')}</small></p>${looks.map((look) => {
    const seen = look.outcome === 'tile' && source?.content === 'raster' && look.z >= source.min_zoom && look.z <= source.max_zoom;
    return html`<figure key=${look.z} class=${look.outcome === 'tile' ? 'good' : look.outcome === 'none' ? 'none' : 'bad'} data-outcome=${look.outcome}>${seen ? html`<img alt="" src=${`${source.tiles}/${look.z}/${look.x}/${look.y}?v=${source.version}`} />` : html`<i aria-hidden="true">${look.outcome === 'tile' ? '✓' : look.outcome === 'none' ? '–' : '✕'}</i>`}<figcaption><b>${t('basemap.zoom', { z: look.z })}</b>${lookText(look)}<small>${look.bytes ? `${sizeText(look.bytes)}${look.ms ? ` · ${look.ms} ms` : ''}` : ''}</small></figcaption></figure>`;
  })}</div>`;
}

export function Basemap() {
  const { known, trial, setTrial, fault, again } = useBasemaps();
  const [chosen, setChosen] = useState(/** @type {Shown | null} */ (null));
  const [roads, setRoads] = useState(false);
  const sources = known?.sources ?? [];
  const preferred = sources.find((one) => one.preferred)?.slot ?? 'own';
  const wanted = chosen ?? (trial ? 'trial' : preferred);
  const source = wanted === 'trial' ? (trial?.source ?? null) : (sources.find((one) => one.slot === wanted) ?? null);
  const shown = wanted === 'trial' && trial ? 'trial' : source ? wanted : 'own';
  const raster = source?.content === 'raster';
  // Pictures from above are drawn under our roads and names; so is any other picture, to see whether it lies right.
  const mode = !source ? 'own' : raster && (roads || source.slot === 'imagery') ? 'imagery' : 'custom';
  const trouble = () => {
    if (shown === 'trial' && trial) void call('GET', `/basemap/trials/${trial.id}`).then(setTrial, () => setTrial(null));
    else void again();
  };
  const sick = source && source.health && source.health.state !== 'ok' ? source.health : null;
  /** @type {{id: Shown, label: string}[]} */
  const views = [{ id: 'own', label: t('console.base.own') }, ...sources.map((one) => ({ id: one.slot, label: t(`console.base.${one.slot}`) })), ...(trial ? [{ id: /** @type {Shown} */ ('trial'), label: t('basemap.on_trial') }] : [])];
  if (!known) return html`<div class="blank"><b>${fault || t('video.loading')}</b>${fault && html`<button class="btn sm" onClick=${() => void again()}>${t('console.retry')}</button>`}</div>`;
  return html`<div class="basemaps"><div class="side">
      ${fault && html`<p class="refused" role="alert">${fault} <button class="btn sm" onClick=${() => void again()}>${t('console.retry')}</button></p>`}
      <${Present} known=${known} shown=${shown} onShow=${setChosen} onDone=${() => void again()} />
      <${TrialForm} trial=${trial} most=${known.most} onTrial=${(/** @type {Trial | null} */ next) => {
        setTrial(next);
        setChosen(null);
      }} onApplied=${(/** @type {string} */ name) => {
        const slot = trial?.wish.slot ?? 'custom';
        setTrial(null);
        setChosen(slot);
        say(t('basemap.applied', { name }));
        void again();
      }} /></div>
    <div class="preview">
      <${BaseMap} base=${{ mode, source, revision: undefined }} onTrouble=${trouble} />
      <div class="preview-top"><div class="seg boxed views" role="radiogroup" aria-label=${t('basemap.view')}>${views.map(({ id, label }) => html`<button role="radio" key=${id} aria-checked=${id === shown} class=${id === shown ? 'on' : ''} onClick=${() => setChosen(id)} data-testid=${`view-${id}`}>${label}</button>`)}</div>
        ${raster && source.slot === 'custom' && html`<label class="tick thin"><input type="checkbox" checked=${roads} onChange=${(/** @type {any} */ event) => setRoads(event.target.checked)} data-testid="with-roads" />${t('basemap.with_roads')}</label>`}</div>
      ${shown === 'trial' && html`<p class=${`verdict ${trial?.source ? '' : 'bad'}`} data-testid="verdict">${t(trial?.source ? 'basemap.verdict.trial' : 'basemap.verdict.cannot')}${sick && html`<span>${whyText(sick.why ?? '', sick.status)}</span>`}</p>`}
      ${shown !== 'trial' && sick && html`<p class="verdict bad">${whyText(sick.why ?? '', sick.status, source?.origin)}</p>`}
      <div class="credits">${[source?.attribution, !source || mode === 'imagery' ? '© OpenStreetMap' : ''].filter(Boolean).join(' · ')}</div>
      ${trial && shown === 'trial' && html`<${Looks} trial=${trial} />`}</div></div>`;
}
