// The form of a closure: how to draw, what it would close, why, from when to when.
import { t } from '../i18n.js';
import { distanceText } from '../ui/format.js';
import { html, useEffect, useRef } from '../ui/h.js';
import { goBack } from './actions.js';
import { changeDraft, finishDrawing, isReady, kindOf, LEAST, soon, submitClosure, timesOf, UNTILS } from './closure-draft.js';
import { FaultLine } from './incident-parts.js';
import { ui } from './state.js';

/** @import {ClosureDraft} from './closure-draft.js' */

const REASONS = ['accident', 'works', 'collapse', 'flood', 'fire', 'event'];
const SHAPES = /** @type {const} */ (['line', 'polygon']);
const DIRECTIONS = /** @type {const} */ (['both', 'along', 'against']);
const NAMES_SHOWN = 3;

/** A row of choices of which one holds.
 * @param {{label: string, options: readonly string[], chosen: string, words: (option: string) => string, choose: (option: any) => void}} props
 */
function Choice({ label, options, chosen, words, choose }) {
  return html`<div class="wide choice"><span id=${`choice-${label}`}>${label}</span><div class="seg wrap" role="radiogroup" aria-labelledby=${`choice-${label}`}>${options.map(
    (option) => html`<button type="button" role="radio" aria-checked=${option === chosen} class=${option === chosen ? 'on' : ''} key=${option} onClick=${() => choose(option)}>${words(option)}</button>`,
  )}</div></div>`;
}

/** What the server says that it would close. @param {{draft: ClosureDraft}} props */
function Hits({ draft }) {
  const { preview, points, shape, trouble } = draft;
  if (points.length < LEAST[shape]) return null;
  if (trouble) return html`<p class="hits-line bad" role="alert">${trouble}</p>`;
  if (!preview) return html`<p class="hits-line">${t('closure.hits.wait')}</p>`;
  if (!preview.geometry.coordinates.length) return html`<p class="hits-line bad" role="alert" data-testid="closure-hits">${t('closure.hits.none')}</p>`;
  if (!preview.allowed) return html`<p class="hits-line bad" role="alert" data-testid="closure-hits">${t('closure.hits.outside')}</p>`;
  const names = preview.roads.slice(0, NAMES_SHOWN).join(t('join.list')) || t('closure.hits.unnamed');
  const roads = preview.roads.length > NAMES_SHOWN ? t('closure.hits.more', { roads: names }) : names;
  return html`<p class="hits-line" role="status" data-testid="closure-hits">${t('closure.hits', { roads, length: distanceText(preview.length_m) })}${preview.place && html`<small>${preview.place}</small>`}</p>`;
}

/** @param {{draft: ClosureDraft}} props */
function Drawing({ draft }) {
  const enough = draft.points.length >= LEAST[draft.shape];
  return html`<section class="wide drawing" data-testid="drawing" data-done=${draft.done}>
    <${Choice} label=${t('closure.shape')} options=${SHAPES} chosen=${draft.shape} words=${(/** @type {string} */ one) => t(`closure.shape.${one}`)}
      choose=${(/** @type {'line' | 'polygon'} */ shape) => changeDraft({ shape, done: false, direction: 'both' })} />
    ${!draft.done && html`<p>${t('closure.draw.how')}</p><p class="hint">${t('closure.draw.keys')}</p><p class="hint">${t('closure.draw.keyboard')}</p>`}
    <div class="acts row">${
      draft.done
        ? html`<button type="button" class="btn sm" onClick=${() => changeDraft({ points: [], done: false, preview: null })}>${t('closure.draw.again')}</button>`
        : html`<button type="button" class="btn sm out" disabled=${!enough} data-testid="finish-drawing" onClick=${finishDrawing}>${t('closure.draw.finish')} <kbd>Enter</kbd></button>
          <button type="button" class="btn sm" disabled=${!draft.points.length} onClick=${() => changeDraft({ points: draft.points.slice(0, -1) })}>${t('closure.draw.undo')}</button>`
    }<em>${t('closure.draw.points', { n: draft.points.length })}</em></div>
    <${Hits} draft=${draft} /></section>`;
}

/** @param {{draft: ClosureDraft}} props */
function Times({ draft }) {
  const { bad } = timesOf(draft);
  return html`${!draft.begun && html`<${Choice} label=${t('closure.from')} options=${['now', 'at']} chosen=${draft.from ? 'at' : 'now'} words=${(/** @type {string} */ one) => t(`closure.from.${one}`)}
      choose=${(/** @type {string} */ one) => changeDraft({ from: one === 'at' ? draft.from || soon(10) : '' })} />`}
    ${draft.from && html`<label class="wide moment"><span class="voice">${t('closure.from')}</span><input type="datetime-local" value=${draft.from} onInput=${(/** @type {any} */ e) => changeDraft({ from: e.target.value })} data-testid="closure-from" /></label>`}
    <${Choice} label=${t('closure.until')} options=${UNTILS} chosen=${draft.until} words=${(/** @type {string} */ one) => t(`closure.until.${one}`)}
      choose=${(/** @type {any} */ until) => changeDraft({ until, end: until === 'at' ? draft.end || soon(60) : draft.end })} />
    ${draft.until === 'at' && html`<label class="wide moment"><span class="voice">${t('closure.until')}</span><input type="datetime-local" value=${draft.end} onInput=${(/** @type {any} */ e) => changeDraft({ end: e.target.value })} data-testid="closure-end" /></label>`}
    ${bad && html`<p class="wide hits-line bad" role="alert">${t('closure.bad_time')}</p>`}`;
}

export function ClosureForm() {
  const draft = ui.closureDraft;
  const words = useRef(/** @type {HTMLInputElement | null} */ (null));
  const done = Boolean(draft?.done);
  useEffect(() => {
    if (done) words.current?.focus();
  }, [done]);
  if (!draft) return null;
  const planned = timesOf(draft).planned;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    void submitClosure();
  };
  return html`<header class="drawer-head"><span class="tag accent">${t(draft.id ? 'closure.change' : 'closure.draw')}</span><span class="code">${t('closure.title')}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <form class="drawer-form closure-form" onSubmit=${submit} data-testid="closure-form">
      <div class="drawer-body"><${Drawing} draft=${draft} />
        <div class="wide choice"><label for="closure-reason">${t('closure.reason')}</label><div class="chips wrap">${REASONS.map((one) => {
          const text = t(`closure.reason.${one}`);
          return html`<button type="button" class=${`chip ${draft.reason === text ? 'on' : ''}`} key=${one} onClick=${() => changeDraft({ reason: text })}>${text}</button>`;
        })}</div><input id="closure-reason" ref=${words} required maxlength="200" value=${draft.reason} onInput=${(/** @type {any} */ e) => changeDraft({ reason: e.target.value })} data-testid="closure-reason" /></div>
        <${Times} draft=${draft} />
        ${kindOf(draft) === 'line' && html`<${Choice} label=${t('closure.direction')} options=${DIRECTIONS} chosen=${draft.direction} words=${(/** @type {string} */ one) => t(`closure.direction.${one}`)}
          choose=${(/** @type {any} */ direction) => changeDraft({ direction })} />`}
        <${Choice} label=${t('closure.stops')} options=${['but_foot', 'all']} chosen=${draft.foot ? 'all' : 'but_foot'} words=${(/** @type {string} */ one) => t(`closure.stops.${one}`)}
          choose=${(/** @type {string} */ one) => changeDraft({ foot: one === 'all' })} />
      </div>
      <footer class="foot"><${FaultLine} /><div class="buttons n2"><button class="btn big primary" disabled=${Boolean(ui.busy) || !isReady(draft)} data-testid="submit-closure">${t(draft.id ? 'closure.submit.change' : planned ? 'closure.submit.plan' : 'closure.submit')} <kbd>Ctrl Enter</kbd></button>
        <button type="button" class="btn big" onClick=${goBack}>${t('console.cancel')}</button></div></footer>
    </form>`;
}
