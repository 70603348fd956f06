// Left of the map: what was guessed about the file, each guess a control. A change has the file read again.
import { t } from '../../i18n.js';
import { html, useState } from '../../ui/h.js';
import { KEEPING, bodyOf, crsOf, epsgOf, inForce, lacksPlace, mapped, orderedColumns, partsOf, systemRows, unmapped, untiered } from './choices.js';
import { kindOf } from './kinds.js';
import { encodingText, fieldText, formatText, numberText, systemText, whyText } from './words.js';

/** @import {Choices, Draft, ImportJob, Repair} from '../../../types/imports.d.ts' */

const REPAIRABLE = ['self_intersection', 'overlap', 'gap'];

/** @typedef {(patch: Partial<Choices>) => void} Edit */
/** @typedef {{job: ImportJob, draft: Draft, now: ReturnType<typeof inForce>, edit: Edit, locked: boolean, required: string[]}} Part */

/**
 * A section; one that needs a decision says so and stands out.
 * @param {{id: string, title: string, needs?: boolean, note?: string, children: unknown}} props
 */
const Section = ({ id, title, needs = false, note = '', children }) =>
  html`<fieldset class=${`choice ${needs ? 'needs' : ''}`} data-testid=${`choice-${id}`}><legend><b>${title}</b>${needs ? html`<em class="need">! ${t('imports.need')}</em>` : note && html`<span>${note}</span>`}</legend>${children}</fieldset>`;

/** @param {Part} part */
function Layer({ draft, now, edit, locked }) {
  // A file of one layer goes by its own name, which stands above already.
  const rows = (/** @type {Draft['layers'][0]} */ layer) => [draft.layers.length > 1 || layer.name !== 'in' ? layer.name : '', layer.rows === null ? '' : t('imports.rows', { n: numberText(layer.rows) })].filter(Boolean).join(' · ');
  return html`<${Section} id="layer" title=${t('imports.choice.file')} note=${formatText(draft.format)}>
    ${
      draft.layers.length > 1
        ? html`<label class="line"><span>${t('imports.layer')}</span><select value=${now.layer} disabled=${locked} onChange=${(/** @type {any} */ event) => edit({ layer: event.target.value })} data-testid="layer">${draft.layers.map(
            (layer) => html`<option key=${layer.name} value=${layer.name} selected=${layer.name === now.layer}>${rows(layer)}</option>`,
          )}</select></label>`
        : html`<p class="plain">${draft.layers[0] ? rows(draft.layers[0]) : draft.layer}</p>`
    }
    ${draft.notes.map((note) => html`<p class="hint" key=${note.en}>${whyText(note)}</p>`)}</${Section}>`;
}

/** @param {Part} part */
function TextEncoding({ job, draft, now, edit, locked }) {
  const { candidates, guessed } = draft.encoding;
  const needs = draft.needs.includes('encoding');
  if (!candidates.length && !needs) return html`<${Section} id="encoding" title=${t('imports.choice.encoding')}><p class="plain">${encodingText(now.encoding)}${guessed ? '' : html`<span class="hint"> ${t('imports.encoding.told')}</span>`}</p></${Section}>`;
  const open = needs && !job.choices.encoding;
  const names = candidates.some(({ name }) => name === now.encoding) ? candidates : [...candidates, { name: now.encoding, sample: '' }];
  return html`<${Section} id="encoding" title=${t('imports.choice.encoding')} needs=${needs} note=${guessed ? t('imports.guessed') : t('imports.decided')}>
    <p class="hint">${t('imports.encoding.help')}</p>
    <div class="options">${names.map(
      ({ name, sample }) => html`<label class=${`option ${name === now.encoding && !open ? 'on' : ''}`} key=${name}><input type="radio" name="encoding" value=${name} checked=${name === now.encoding && !open} disabled=${locked} onChange=${() => edit({ encoding: name })} data-testid=${`encoding-${name}`} />
        <span class="what"><b>${encodingText(name)}</b>${sample && html`<q lang="und">${sample}</q>`}</span></label>`,
    )}</div></${Section}>`;
}

/** @param {Part} part */
function System({ job, draft, now, edit, locked }) {
  const [typed, setTyped] = useState('');
  const { base, swapped } = partsOf(now.crs);
  const rows = systemRows(draft.crs, now.crs);
  const needs = draft.needs.includes('crs');
  const decided = !draft.crs.ambiguous && draft.crs.guesses.length === 0;
  if (!now.crs && !draft.crs.guesses.length && !needs) return null;
  // While nothing decides, nothing is ticked: a person's click must count as one.
  const open = needs && !job.choices.crs;
  const best = Math.max(...rows.map((row) => row.score ?? 0));
  const other = epsgOf(typed);
  return html`<${Section} id="crs" title=${t('imports.choice.crs')} needs=${needs} note=${decided || job.choices.crs ? t('imports.decided') : t('imports.guessed')}>
    ${draft.crs.declared && html`<p class="hint">${t('imports.crs.declared', { crs: systemText(partsOf(draft.crs.declared).base) })}</p>`}
    <div class="options">${rows.map(
      (row) => html`<label class=${`option ${row.base === base && !open ? 'on' : ''}`} key=${row.base}><input type="radio" name="crs" value=${row.base} checked=${row.base === base && !open} disabled=${locked} onChange=${() => edit({ crs: crsOf(row.base, row.swapped) })} data-testid=${`crs-${row.base}`} />
        <span class="what"><b>${systemText(row.base)}${row.swapped && html`<em class="chip late">${t('imports.crs.swapped_short')}</em>`}</b>${row.why && html`<small>${whyText(row.why)}</small>`}</span>
        ${row.score !== null && html`<span class=${`score ${row.score === best ? 'best' : ''}`} title=${t('imports.crs.score')}><meter min="0" max="1" value=${row.score}></meter><i>${Math.round(row.score * 100)}%</i></span>`}</label>`,
    )}
    <div class="option other"><label for="crs-other">${t('imports.crs.other')}</label><input id="crs-other" value=${typed} placeholder="EPSG:4526" disabled=${locked} inputmode="numeric" onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && other && edit({ crs: crsOf(other, false) })} data-testid="crs-other" />
      <button class="btn sm" disabled=${locked || !other} onClick=${() => edit({ crs: crsOf(other, false) })}>${t('imports.crs.use')}</button></div></div>
    <label class="tick"><input type="checkbox" checked=${swapped} disabled=${locked} onChange=${(/** @type {any} */ event) => edit({ crs: crsOf(base, event.target.checked) })} data-testid="crs-swapped" /><span>${t('imports.crs.swapped')}<small>${t('imports.crs.swapped_help')}</small></span></label></${Section}>`;
}

/** @param {Part} part */
function Columns({ job, draft, now, edit, locked, required }) {
  const open = unmapped(draft, now.mapping);
  const [missing, left] = [open.filter((field) => required.includes(field)).map(fieldText), open.filter((field) => !required.includes(field))];
  if (lacksPlace(draft, now.mapping)) missing.push(t('imports.columns.place'));
  const columns = orderedColumns(draft.columns, Object.fromEntries(draft.columns.map(({ name, field }) => [name, field])));
  return html`<${Section} id="columns" title=${t('imports.choice.columns')} needs=${draft.needs.includes('columns')} note=${t('imports.columns.used', { n: draft.columns.filter(({ name }) => now.mapping[name]).length, of: draft.columns.length })}>
    <table class="columns"><thead><tr><th>${t('imports.columns.column')}</th><th>${t('imports.columns.sample')}</th><th>${t('imports.columns.field')}</th></tr></thead>
    <tbody>${columns.map((column) => {
      const field = now.mapping[column.name] ?? '';
      return html`<tr key=${column.name} class=${field ? '' : 'unused'}><th scope="row" title=${column.name}>${column.name}</th><td title=${column.sample.join('\n')}>${column.sample.join(' · ') || html`<i>${t('imports.columns.empty')}</i>`}</td>
        <td><select aria-label=${t('imports.columns.field_of', { column: column.name })} value=${field} disabled=${locked} onChange=${(/** @type {any} */ event) => edit({ mapping: mapped(now.mapping, job.choices.mapping, column.name, event.target.value) })} data-testid=${`column-${column.name}`}>
          <option value="" selected=${!field}>${t(!field && column.kept ? 'imports.columns.kept' : 'imports.columns.unused')}</option>${draft.fields.map((name) => html`<option key=${name} value=${name} selected=${name === field}>${fieldText(name)}${required.includes(name) ? ' *' : ''}</option>`)}</select></td></tr>`;
    })}</tbody></table>
    ${missing.length > 0 && html`<p class="missing" role="alert">${t('imports.columns.missing', { fields: missing.join(t('join.list')) })}</p>`}
    ${left.length > 0 && html`<p class="hint">${t('imports.columns.left', { fields: left.map(fieldText).join(t('join.list')) })}</p>`}
    ${KEEPING.has(job.kind) && html`<${Kept} draft=${draft} now=${now} edit=${edit} locked=${locked} />`}</${Section}>`;
}

/** Columns that mean nothing here, to be kept all the same. @param {Pick<Part, 'draft' | 'now' | 'edit' | 'locked'>} part */
function Kept({ draft, now, edit, locked }) {
  const others = draft.columns.filter(({ name }) => !now.mapping[name]);
  if (!others.length) return null;
  const secret = now.keep ? others.filter((column) => column.private) : [];
  /** @param {string} name @param {boolean} wanted */
  const toggle = (name, wanted) => edit({ keep_private: wanted ? [...now.keepPrivate, name] : now.keepPrivate.filter((one) => one !== name) });
  return html`<label class="tick"><input type="checkbox" checked=${now.keep} disabled=${locked} onChange=${(/** @type {any} */ event) => edit({ keep_columns: event.target.checked, keep_private: [] })} data-testid="keep-columns" /><span>${t('imports.keep')}<em class="chip">${t('imports.keep.n', { n: numberText(others.filter((column) => !now.keep || column.kept).length) })}</em><small>${t('imports.keep.help')}</small></span></label>
    ${secret.length > 0 && html`<div class="keep-private" role="group" aria-label=${t('imports.keep.private')}><p class="hint">${t('imports.keep.private')}</p>${secret.map(
      ({ name }) => html`<label class="tick" key=${name}><input type="checkbox" checked=${now.keepPrivate.includes(name)} disabled=${locked} onChange=${(/** @type {any} */ event) => toggle(name, event.target.checked)} data-testid=${`keep-${name}`} /><span>${name}</span></label>`,
    )}</div>`}`;
}

/** @param {Part} part */
function Tiers({ job, draft, now, edit, locked }) {
  const labels = Object.entries(draft.tiers).sort((a, b) => (now.tierLabels[a[0]] ?? 9) - (now.tierLabels[b[0]] ?? 9) || b[1] - a[1]);
  const blank = untiered(draft);
  const options = (/** @type {number | undefined | null} */ chosen) => [1, 2, 3, 4].map((tier) => html`<option key=${tier} value=${tier} selected=${tier === chosen}>${t(`imports.tier.${tier}`)}</option>`);
  return html`<${Section} id="tiers" title=${t('imports.choice.tiers')} needs=${draft.needs.includes('tiers')} note=${t('imports.tiers.note')}>
    <table class="columns tiers"><thead><tr><th>${t('imports.tiers.label')}</th><th class="num">${t('imports.tiers.rows')}</th><th>${t('imports.tiers.tier')}</th></tr></thead><tbody>
    ${labels.map(
      ([label, n]) => html`<tr key=${label}><th scope="row">${label}</th><td class="num">${numberText(n)}</td><td><select aria-label=${t('imports.tiers.tier_of', { label })} disabled=${locked} value=${now.tierLabels[label] ?? ''} onChange=${(/** @type {any} */ event) => edit({ tier_labels: { ...job.choices.tier_labels, [label]: Number(event.target.value) } })} data-testid=${`tier-${label}`}>
        ${now.tierLabels[label] === undefined && html`<option value="" selected>${t('imports.tiers.choose')}</option>`}${options(now.tierLabels[label])}</select></td></tr>`,
    )}
    ${(blank > 0 || now.defaultTier !== null) && html`<tr><th scope="row"><i>${t('imports.tiers.blank')}</i></th><td class="num">${blank ? numberText(blank) : ''}</td><td><select aria-label=${t('imports.tiers.blank')} disabled=${locked} value=${now.defaultTier ?? ''} onChange=${(/** @type {any} */ event) => edit({ default_tier: event.target.value ? Number(event.target.value) : null })} data-testid="tier-default"><option value="" selected=${now.defaultTier === null}>${t('imports.tiers.choose')}</option>${options(now.defaultTier)}</select></td></tr>`}
    </tbody></table></${Section}>`;
}

/** @param {Part} part */
function Repairs({ draft, now, edit, locked }) {
  const [snap, setSnap] = useState('');
  /** @param {Repair} repair @param {boolean} wanted */
  const toggle = (repair, wanted) => edit({ repair: wanted ? [...now.repair, repair] : now.repair.filter((one) => one !== repair) });
  const count = (/** @type {string[]} */ codes) => codes.reduce((sum, code) => sum + (draft.counts[code] ?? 0), 0);
  const saveSnap = () => {
    const metres = Number(snap);
    if (snap !== '' && metres >= 0 && metres <= 100 && metres !== now.snapM) edit({ snap_m: metres });
  };
  /** @type {[Repair, number][]} */
  const repairs = [['make_valid', count(['self_intersection'])], ['coverage', count(['overlap', 'gap'])]];
  return html`<${Section} id="repair" title=${t('imports.choice.repair')} note=${t('imports.repair.note')}>
    ${repairs.map(
      ([repair, n]) => html`<label class="tick" key=${repair}><input type="checkbox" checked=${now.repair.includes(repair)} disabled=${locked} onChange=${(/** @type {any} */ event) => toggle(repair, event.target.checked)} data-testid=${`repair-${repair}`} />
      <span>${t(`imports.repair.${repair}`)}<em class=${`chip ${n ? 'late' : ''}`}>${t('imports.repair.found', { n: numberText(n) })}</em><small>${t(`imports.repair.${repair}.help`)}</small></span></label>`,
    )}
    ${now.repair.includes('coverage') && html`<label class="line snap"><span>${t('imports.repair.snap')}</span><input inputmode="decimal" value=${snap === '' ? now.snapM : snap} disabled=${locked} onInput=${(/** @type {any} */ event) => setSnap(event.target.value)} onBlur=${saveSnap} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && saveSnap()} data-testid="snap" /><i>${t('imports.repair.metres')}</i></label>`}
    ${draft.repaired > 0 && html`<p class="good">✓ ${t('imports.repair.done', { n: numberText(draft.repaired) })}</p>`}</${Section}>`;
}

/** @param {Part & {inForceText: string}} part */
function Mode({ job, now, edit, locked, inForceText }) {
  if (kindOf(job.kind).byCode) return html`<${Section} id="mode" title=${t('imports.choice.mode')}><p class="plain">${t(`imports.mode.by_code.${job.kind}`)}</p></${Section}>`;
  return html`<${Section} id="mode" title=${t('imports.choice.mode')} note=${inForceText}>
    <div class="options">${/** @type {const} */ (['replace', 'merge']).map(
      (mode) => html`<label class=${`option ${mode === now.mode ? 'on' : ''}`} key=${mode}><input type="radio" name="mode" value=${mode} checked=${mode === now.mode} disabled=${locked} onChange=${() => edit({ mode })} data-testid=${`mode-${mode}`} /><span class="what"><b>${t(`imports.mode.${mode}`)}</b><small>${t(`imports.mode.${mode}.help`)}</small></span></label>`,
    )}</div></${Section}>`;
}

/**
 * @param {{job: ImportJob, edits: Partial<Choices>, edit: Edit, locked: boolean, required: string[], inForceText: string}} props
 */
export function ChoicesPane({ job, edits, edit, locked, required, inForceText }) {
  const draft = /** @type {Draft} */ (job.draft);
  const now = inForce(job, edits);
  const part = { job: { ...job, choices: /** @type {Choices} */ ({ ...job.choices, ...bodyOf(job.choices, edits) }) }, draft, now, edit, locked, required };
  const { shape } = kindOf(job.kind);
  return html`<div class="choices" data-testid="choices">
    <${Layer} ...${part} /><${TextEncoding} ...${part} /><${System} ...${part} /><${Columns} ...${part} />
    ${job.kind === 'areas' && html`<${Tiers} ...${part} />`}
    ${(shape === 'polygon' || REPAIRABLE.some((code) => draft.counts[code])) && html`<${Repairs} ...${part} />`}
    <${Mode} ...${part} inForceText=${inForceText} /></div>`;
}
