// On top: how many rows there are of each sort, and which of them are brought in.
import { t } from '../../i18n.js';
import { html, useEffect, useRef, useState } from '../../ui/h.js';
import { usePopup } from '../../ui/popup.js';
import { GOOD, pickOnly, readRows, rowsText, stretchesOf } from './choices.js';
import { MOST_ISSUES } from './issues.js';
import { numberText } from './words.js';

/** @import {Draft, Severity} from '../../../types/imports.d.ts' */
/** @import {Picked} from './choices.js' */

/** A selection in more pieces than anybody reads is not written out; it stays as it is ticked. */
const MOST_TEXT = 1_000;

/**
 * Rows by their numbers.
 * @param {{draft: Draft, picked: Picked, worst: ReadonlyMap<number, Severity>, onPicked: (picked: Picked) => void, onClose: () => void}} props
 */
function Numbers({ draft, picked, worst, onPicked, onClose }) {
  const offset = draft.row_offset;
  const [text, setText] = useState(() => {
    const now = rowsText(stretchesOf(picked, draft, worst), offset);
    return now.length <= MOST_TEXT ? now : '';
  });
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => field.current?.select(), []);
  const found = readRows(text, offset, draft.rows);
  const wrong = text.trim() !== '' && !found;
  const use = () => {
    if (!found) return;
    onPicked(pickOnly(found, draft, worst));
    onClose();
  };
  const range = { from: numberText(1 + offset), to: numberText(draft.rows + offset) };
  return html`<div class="pop" role="dialog" aria-label=${t('imports.take.chosen')}><label for="take-rows">${t('imports.take.numbers', range)}</label>
    <textarea id="take-rows" rows="3" value=${text} spellcheck=${false} placeholder="1-450, 460" aria-invalid=${wrong} ref=${field} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      use();
    }} data-testid="take-rows"></textarea>
    ${wrong ? html`<p class="refused" role="alert" data-testid="take-wrong">${t('imports.take.wrong', range)}</p>` : html`<p class="hint">${t('imports.take.chosen_help')}</p>`}
    <div class="acts"><button class="btn sm" onClick=${onClose}>${t('console.cancel')}</button><button class="btn sm primary" disabled=${!found} onClick=${use} data-testid="take-use">${t('imports.take.use')}</button></div></div>`;
}

/**
 * @param {{draft: Draft, picked: Picked, taken: number, worst: ReadonlyMap<number, Severity>, known: boolean, locked: boolean, onPicked: (picked: Picked) => void}} props
 *        known: the severity of every row is; locked: the list is being read
 */
export function Take({ draft, picked, taken, worst, known, locked, onPicked }) {
  const { good, warning, error } = draft.rows_by_worst;
  const [open, setOpen] = usePopup('.take');
  /** @param {'good' | 'warned' | 'chosen'} mode @param {number | null} n @param {() => void} onClick @param {string} title */
  const choice = (mode, n, onClick, title) =>
    html`<button class=${picked.mode === mode ? 'on' : ''} aria-pressed=${picked.mode === mode} aria-expanded=${mode === 'chosen' ? open : undefined} disabled=${mode === 'chosen' && (!known || locked)} title=${title} onClick=${onClick} data-testid=${`take-${mode}`}>${t(`imports.take.${mode}`)}${n === null ? '…' : html` <b>${numberText(n)}</b>`}</button>`;
  return html`<dl class="draft-figures"><div><dt>${t('imports.n.rows')}</dt><dd data-testid="n-rows">${numberText(draft.rows)}</dd></div>
      <div class="good"><dt>${t('imports.n.good')}</dt><dd data-testid="n-good">${numberText(good)}</dd></div>
      <div class=${warning ? 'warning' : ''}><dt><span class="sev warning"><i></i></span>${t('imports.n.warning')}</dt><dd data-testid="n-warning">${numberText(warning)}</dd></div>
      <div class=${error ? 'error' : ''}><dt><span class="sev error"><i></i></span>${t('imports.n.error')}</dt><dd data-testid="n-error">${numberText(error)}</dd></div></dl>
    <div class="take" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && setOpen(false)}><span id="take-which">${t('imports.take')}</span><div class="seg boxed" role="group" aria-labelledby="take-which">
      ${choice('good', good, () => onPicked(GOOD), t('imports.take.good_help'))}${choice('warned', good + warning, () => onPicked({ mode: 'warned', rows: new Map() }), t('imports.take.warned_help'))}${choice('chosen', picked.mode === 'chosen' ? taken : null, () => setOpen(!open), t(known ? 'imports.take.chosen_help' : 'imports.take.too_many', { n: numberText(MOST_ISSUES) }))}</div>
      ${open && html`<${Numbers} draft=${draft} picked=${picked} worst=${worst} onPicked=${onPicked} onClose=${() => setOpen(false)} />`}</div>`;
}
