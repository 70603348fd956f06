// Another basemap: a file or an address, what it is, and what came of trying it.
import { ApiError, call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useEffect, useRef, useState } from '../../ui/h.js';
import { Drop, Sending, send, sizeText } from '../files.js';
import { basemapRefusal, betterZooms, hostOf, same, whyText, zoomsText } from './words.js';

/** @import {Trial, Wish} from '../../../types/basemap.d.ts' */
/** @import {Underway} from '../files.js' */

const SLOW_MS = 120_000;
const SETTLE_MS = 500;
/** @type {Wish} */
const BLANK = { slot: 'custom', name: '', attribution: '', crs: 'WGS-84', min_zoom: null, max_zoom: null, preferred: false };

/** @template T @param {{name: string, value: T, options: {value: T, label: string, off?: boolean}[], onChoose: (value: T) => void, off?: boolean}} props */
const Choice = ({ name, value, options, onChoose, off = false }) =>
  html`<div class="seg boxed" role="radiogroup" aria-label=${name}>${options.map(
    (one) => html`<button type="button" role="radio" key=${one.value} aria-checked=${one.value === value} class=${one.value === value ? 'on' : ''} disabled=${off} onClick=${() => onChoose(one.value)} data-testid=${`choice-${one.value}`}>${one.label}</button>`,
  )}</div>`;

/** The file's first bytes say what it is. @param {File} file @param {number} most */
async function fileFault(file, most) {
  if (file.size > most) return t('basemap.why.too_big', { most: sizeText(most) });
  const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  return String.fromCharCode(...head.slice(0, 7)) === 'PMTiles' && head[7] === 3 ? '' : t('basemap.why.no_pmtiles');
}

/** @param {{trial: Trial | null, most: number, onTrial: (trial: Trial | null) => void, onApplied: (name: string) => void}} props */
export function TrialForm({ trial, most, onTrial, onApplied }) {
  const [wish, setWish] = useState(trial?.wish ?? BLANK);
  const [by, setBy] = useState(/** @type {'file' | 'address'} */ (trial && !trial.filename ? 'address' : 'file'));
  const [url, setUrl] = useState('');
  const [sending, setSending] = useState(/** @type {Underway | null} */ (null));
  const [busy, setBusy] = useState('');
  const [words, setWords] = useState('');
  const abort = useRef(/** @type {AbortController | null} */ (null));
  const turn = useRef(0);
  useEffect(() => () => abort.current?.abort(), []);
  useEffect(() => {
    if (!trial) return;
    setWish(trial.wish);
    setBy(trial.filename ? 'file' : 'address');
  }, [trial?.id]);

  /** What is done takes its turn; an older answer does not overwrite a newer one. @param {string} what @param {() => Promise<void>} work */
  const doing = async (what, work) => {
    const mine = ++turn.current;
    setBusy(what);
    setWords('');
    try {
      await work();
    } catch (error) {
      if (error instanceof ApiError && error.status === 404 && trial) onTrial(null);
      if (mine === turn.current && !(error instanceof DOMException)) setWords(basemapRefusal(error, hostOf(url)));
    }
    if (mine === turn.current) setBusy('');
  };
  /** @param {Wish} next */
  const retry = (next) => doing('again', async () => {
    if (!trial) return;
    const mine = turn.current;
    const found = await call('PUT', `/basemap/trials/${trial.id}`, next, { timeoutMs: SLOW_MS });
    if (mine === turn.current) onTrial(found);
  });
  // What is changed in the form is tried by itself, once the hand rests.
  useEffect(() => {
    if (!trial || same(wish, trial.wish)) return undefined;
    const timer = window.setTimeout(() => void retry(wish), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [wish]);
  /** @param {Partial<Wish>} patch */
  const edit = (patch) => setWish((old) => ({ ...old, ...patch }));

  /** @param {File[]} files */
  const upload = (files) => doing('sending', async () => {
    const [file] = files;
    if (!file) return;
    if (files.length > 1) return setWords(t('basemap.why.one_file'));
    const fault = await fileFault(file, most);
    if (fault) return setWords(fault);
    abort.current = new AbortController();
    setSending({ name: file.name, size: file.size, share: 0 });
    try {
      const found = await send(`/basemap/archives?filename=${encodeURIComponent(file.name)}`, file, {
        signal: abort.current.signal,
        onProgress: (share) => setSending((old) => old && { ...old, share }),
      });
      // What was chosen before the file holds for it; its name is its own.
      const next = { ...wish, name: found.wish.name };
      setWish(next);
      onTrial(same(next, found.wish) ? found : await call('PUT', `/basemap/trials/${found.id}`, next, { timeoutMs: SLOW_MS }));
    } finally {
      setSending(null);
    }
    return undefined;
  });
  const ask = () => doing('asking', async () => {
    onTrial(await call('POST', '/basemap/trials', { ...wish, url: url.trim() }, { timeoutMs: SLOW_MS }));
  });
  const apply = () => doing('applying', async () => {
    if (!trial) return;
    const { name } = await call('POST', `/basemap/trials/${trial.id}/apply`, {}, { timeoutMs: SLOW_MS });
    setWish(BLANK);
    setUrl('');
    onApplied(name);
  });
  const drop = () => doing('dropping', async () => {
    if (trial) await call('DELETE', `/basemap/trials/${trial.id}`);
    setWish(BLANK);
    onTrial(null);
  });

  const ready = Boolean(trial?.source) && same(wish, /** @type {Trial} */ (trial).wish) && !busy;
  const better = trial ? betterZooms(trial.looks) : null;
  const fault = trial?.fault && !busy ? whyText(trial.fault.why, trial.fault.status, hostOf(url)) : '';
  const offered = better && !trial?.filename && (better.min_zoom !== trial?.source?.min_zoom || better.max_zoom !== trial?.source?.max_zoom) ? better : null;
  /** @param {'min_zoom' | 'max_zoom'} field @param {number | undefined} shown */
  const zoomField = (field, shown) =>
    html`<input type="number" min="0" max="22" aria-label=${t(`basemap.field.${field}`)} placeholder=${shown ?? (field === 'min_zoom' ? 3 : 18)} value=${wish[field] ?? ''} onInput=${(/** @type {any} */ event) => edit({ [field]: event.target.value === '' ? null : Math.round(Number(event.target.value)) })} data-testid=${`field-${field}`} />`;

  return html`<section class="trial-form"><h2>${t('basemap.another')}</h2>
    <div class="form">
      <div class="field wide"><span>${t('basemap.field.slot')}</span><${Choice} name=${t('basemap.field.slot')} value=${wish.slot} onChoose=${(/** @type {Wish['slot']} */ slot) => edit({ slot })} options=${[{ value: 'custom', label: t('basemap.slot.custom') }, { value: 'imagery', label: t('basemap.slot.imagery') }]} /></div>
      ${!trial && html`<div class="field wide"><span>${t('basemap.field.from')}</span><${Choice} name=${t('basemap.field.from')} value=${by} off=${busy !== ''} onChoose=${setBy} options=${[{ value: 'file', label: t('basemap.from.file') }, { value: 'address', label: t('basemap.from.address') }]} /></div>`}
      ${
        by === 'address'
          ? html`<div class="wide address"><label><span>${t('basemap.field.url')}</span><input type="text" value=${url} spellcheck=${false} autocomplete="off" placeholder=${trial ? t('basemap.url_kept') : 'https://tiles.example/{z}/{x}/{y}.png?key=…'} onInput=${(/** @type {any} */ event) => setUrl(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && url && void ask()} data-testid="field-url" /></label>
              <button type="button" class=${`btn ${trial?.source && !url ? '' : 'primary'}`} disabled=${!url.trim() || busy !== ''} onClick=${() => void ask()} data-testid="try">${t(busy === 'asking' ? 'basemap.trying' : 'basemap.try')}</button>
              <p class="hint">${t('basemap.url_help')}</p></div>`
          : trial?.filename && !sending
            ? html`<div class="wide have"><b>${trial.filename}</b><span>${sizeText(trial.size)}</span></div>`
            : sending
              ? html`<${Sending} wide file=${sending} then=${t('basemap.checking')} onCancel=${() => abort.current?.abort()} />`
              : html`<${Drop} wide accept=".pmtiles" title=${t('basemap.drop_here')} help=${t('basemap.drop_help', { most: sizeText(most) })} onFiles=${(/** @type {File[]} */ files) => void upload(files)} testid="basemap-file" />`
      }
      ${(words || (fault && !offered)) && html`<p class="refused wide" role="alert" data-testid="basemap-fault">${words || fault}</p>`}
      ${offered && html`<p class="offer wide" role="status">${t('basemap.better', { zooms: zoomsText(offered) })}<button type="button" class="btn sm" onClick=${() => edit(offered)} data-testid="better-zooms">${t('basemap.take')}</button></p>`}
      <div class="field wide"><span>${t('basemap.field.crs')}</span><${Choice} name=${t('basemap.field.crs')} value=${wish.crs} onChoose=${(/** @type {Wish['crs']} */ crs) => edit({ crs })} options=${[{ value: 'WGS-84', label: 'WGS-84 / CGCS2000' }, { value: 'GCJ-02', label: t('basemap.gcj') }]} /><p class="hint">${t('basemap.crs_help')}</p></div>
      <label><span>${t('basemap.field.name')}</span><input maxlength="60" value=${wish.name} placeholder=${by === 'file' ? t('basemap.name_file') : t('basemap.name_host')} onInput=${(/** @type {any} */ event) => edit({ name: event.target.value })} data-testid="field-name" /></label>
      <label><span>${t('basemap.field.attribution')}</span><input maxlength="120" value=${wish.attribution} placeholder=${t('basemap.attribution_like')} onInput=${(/** @type {any} */ event) => edit({ attribution: event.target.value })} data-testid="field-attribution" /></label>
      <div class="field"><span>${t('basemap.field.zooms')}</span><div class="between">${zoomField('min_zoom', trial?.source?.min_zoom)}<i>–</i>${zoomField('max_zoom', trial?.source?.max_zoom)}</div></div>
      <label class="check"><input type="checkbox" checked=${wish.preferred} onChange=${(/** @type {any} */ event) => edit({ preferred: event.target.checked })} data-testid="field-preferred" /><span>${t('basemap.field.preferred')}</span></label>
    </div>
    ${(trial || busy === 'asking') && html`<footer><button type="button" class="btn" disabled=${busy === 'applying' || !trial} onClick=${() => void drop()} data-testid="drop-trial">${t('basemap.drop')}</button><span class="said">${busy === 'again' || busy === 'asking' ? t('basemap.trying') : ''}</span><button type="button" class="btn primary" disabled=${!ready} onClick=${() => void apply()} data-testid="apply-trial">${t(busy === 'applying' ? 'basemap.applying' : 'basemap.apply')}</button></footer>`}</section>`;
}
