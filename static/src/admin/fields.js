// A field of the form with its label, unit and what is wrong with it.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';

/** @import {CameraDraft} from './camera-draft.js' */

/**
 * @typedef {object} Bound
 * @property {CameraDraft} draft
 * @property {Record<string, string>} faults field → key of the words
 * @property {(patch: Partial<CameraDraft>) => void} edit
 * @property {keyof CameraDraft & string} field
 */

/** @param {{words: string | undefined, id: string}} props */
export const FaultLine = ({ words, id }) => (words ? html`<small class="fault-line" role="alert" id=${id}>${t(words)}</small>` : null);

/** @param {Bound & {wide?: boolean, unit?: string, note?: string, [attribute: string]: unknown}} props */
export function Field({ draft, faults, edit, field, wide = false, unit, note = '', ...rest }) {
  const wrong = faults[field];
  const input = html`<input value=${draft[field]} aria-invalid=${Boolean(wrong)} aria-describedby=${wrong ? `fault-${field}` : undefined} autocomplete="off" spellcheck=${false} ...${rest}
    onInput=${(/** @type {any} */ event) => edit({ [field]: event.target.value })} data-testid=${`field-${field}`} />`;
  return html`<label class=${wide ? 'wide' : ''}><span>${t(`admin.field.${field}`)}${rest.required ? html`<i class="must">*</i>` : ''}${note && html`<em class="chip">${note}</em>`}</span>${unit ? html`<span class="unit">${input}${unit}</span>` : input}<${FaultLine} words=${wrong} id=${`fault-${field}`} /></label>`;
}

/** @param {Bound & {options: {value: string, label: string}[]}} props */
export function Select({ draft, faults, edit, field, options }) {
  const wrong = faults[field];
  const value = String(draft[field]);
  // A value the list does not have is kept rather than lost on saving.
  const all = options.some((option) => option.value === value) ? options : [...options, { value, label: value }];
  return html`<label><span>${t(`admin.field.${field}`)}</span><select value=${value} aria-invalid=${Boolean(wrong)} onChange=${(/** @type {any} */ event) => edit({ [field]: event.target.value })} data-testid=${`field-${field}`}>${all.map(
    (option) => html`<option key=${option.value} value=${option.value} selected=${option.value === value}>${option.label}</option>`,
  )}</select><${FaultLine} words=${wrong} id=${`fault-${field}`} /></label>`;
}
