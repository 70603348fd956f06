// Layers to take away as files: which one, as what, in which datum. The server decides what is in them and records it.
import { ApiError, callAll } from '../api.js';
import { language, t } from '../i18n.js';
import { html, useEffect, useState } from './h.js';
import { usePopup } from './popup.js';

/** @typedef {{what: string, title: string, title_en: string, formats: string[], timed: boolean}} Offer */
/** Taking whole layers out is a right of its own. @param {{permissions: string[]}} me */
export const mayTakeOut = (me) => me.permissions.includes('layers.export');

/** @typedef {{what: string, form: string, gcj: boolean, from: string, to: string}} Choice */

/**
 * Where a file is fetched. Days are those of the person: from the first one's midnight to the end of the last.
 * @param {Choice} choice @param {string | null} area
 */
export function addressOf({ what, form, gcj, from, to }, area) {
  const asked = new URLSearchParams();
  if (gcj) asked.set('crs', 'GCJ-02');
  if (area) asked.set('area', area);
  if (from) asked.set('from', new Date(`${from}T00:00`).toISOString());
  if (to) {
    const end = new Date(`${to}T00:00`);
    end.setDate(end.getDate() + 1);
    asked.set('to', end.toISOString());
  }
  return `/api/v1/exports/${what}.${form}${asked.size ? `?${asked}` : ''}`;
}

/**
 * The form itself, for a menu or a section of one's own.
 * @param {{area?: string | null, first?: string, onTaken?: () => void}} props `area` narrows it, `first` is chosen at the start
 */
export function LayerFiles({ area = null, first = '', onTaken = () => {} }) {
  const [offers, setOffers] = useState(/** @type {Offer[] | null} */ (null));
  const [words, setWords] = useState('');
  const [choice, setChoice] = useState(/** @type {Choice} */ ({ what: first, form: 'xlsx', gcj: false, from: '', to: '' }));
  useEffect(() => {
    callAll('/exports')
      .then((found) => {
        setOffers(found);
        if (!found.some((/** @type {Offer} */ one) => one.what === first) && found.length) setChoice((old) => ({ ...old, what: found[0].what }));
      })
      .catch((error) => setWords(error instanceof ApiError ? t('export.unreachable') : String(error)));
  }, [first]);
  if (words) return html`<p class="refused" role="alert">${words}</p>`;
  const offer = offers?.find((one) => one.what === choice.what);
  if (!offers) return html`<p class="hint">${t('video.loading')}</p>`;
  if (!offer) return html`<p class="hint">${t('export.nothing')}</p>`;
  /** @param {Partial<Choice>} patch */
  const edit = (patch) => setChoice({ ...choice, ...patch });
  const address = addressOf(offer.timed ? choice : { ...choice, from: '', to: '' }, area);
  const backwards = Boolean(offer.timed && choice.from && choice.to && choice.from > choice.to);
  return html`<div class="layer-files">
    <label><span>${t('export.what')}</span><select value=${choice.what} onChange=${(/** @type {any} */ event) => edit({ what: event.target.value })} data-testid="export-what">${offers.map((one) => html`<option key=${one.what} value=${one.what}>${language() === 'en' ? one.title_en : one.title}</option>`)}</select></label>
    ${offer.timed && html`<div class="days"><label><span>${t('export.from')}</span><input type="date" value=${choice.from} max=${choice.to} onInput=${(/** @type {any} */ event) => edit({ from: event.target.value })} data-testid="export-from" /></label><label><span>${t('export.to')}</span><input type="date" value=${choice.to} min=${choice.from} onInput=${(/** @type {any} */ event) => edit({ to: event.target.value })} data-testid="export-to" /></label></div>`}
    <div class="pick"><span id="export-form">${t('export.form')}</span><div class="seg" role="radiogroup" aria-labelledby="export-form">${offer.formats.map((form) => html`<button key=${form} role="radio" aria-checked=${form === choice.form} class=${form === choice.form ? 'on' : ''} title=${t(`export.form.${form}`)} onClick=${() => edit({ form })} data-testid=${`export-form-${form}`}>${t(`export.short.${form}`)}</button>`)}</div></div>
    <div class="pick"><span id="export-crs">${t('export.crs')}</span><div class="seg" role="radiogroup" aria-labelledby="export-crs">${[false, true].map((gcj) => html`<button key=${gcj} role="radio" aria-checked=${gcj === choice.gcj} class=${gcj === choice.gcj ? 'on' : ''} onClick=${() => edit({ gcj })} data-testid=${gcj ? 'export-gcj' : 'export-wgs'}>${gcj ? 'GCJ-02' : 'WGS-84'}</button>`)}</div></div>
    <p class="hint">${t(choice.gcj ? 'export.crs.gcj' : 'export.crs.wgs')} ${t('export.recorded')}</p>
    ${backwards ? html`<button class="btn primary" disabled>${t('export.take')}</button>` : html`<a class="btn primary" href=${address} download onClick=${onTaken} data-testid="export-take">${t('export.take')}</a>`}</div>`;
}

/**
 * A button that opens it.
 * @param {{area?: string | null, first?: string}} props as for LayerFiles
 */
export function ExportButton({ area = null, first = '' }) {
  const [open, setOpen] = usePopup('.take-out');
  return html`<div class="take-out" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && setOpen(false)}><button class="btn sm" aria-expanded=${open} aria-haspopup="dialog" onClick=${() => setOpen(!open)} data-testid="take-out">${t('export.open')} ▾</button>
    ${open && html`<div class="pop" role="dialog" aria-label=${t('export.open')}><${LayerFiles} area=${area} first=${first} onTaken=${() => setOpen(false)} /></div>`}</div>`;
}
