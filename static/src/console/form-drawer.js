// A new incident: point, category, level, what, where, who called. The point can be moved by clicking the map.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { LevelMark } from '../ui/shapes.js';
import { goBack, submitDraft } from './actions.js';
import { FaultLine } from './incident-parts.js';
import { set, ui } from './state.js';

const CATEGORIES = [
  'security',
  'fire_rescue',
  'medical',
  'traffic',
  'work_safety',
  'natural_hazard',
  'public_health',
  'city_component',
  'city_event',
  'environment',
  'dispute',
  'market',
  'livelihood_help',
  'consultation',
  'enterprise',
  'equipment_fault',
  'other',
];
const SOURCES = ['console', 'hotline', 'police', 'grid_worker', 'public_report', 'patrol', 'department', 'leader', 'video'];
const FORM_LEVELS = ['I', 'II', 'III', 'IV', 'none'];

export function FormDrawer() {
  const { draft } = ui;
  if (!draft) return null;
  /** @param {string} field */
  const edit = (field) => (/** @type {any} */ event) =>
    set({ draft: { .../** @type {any} */ (ui.draft), [field]: event.target.value } });
  const areas = ui.located?.areas ?? {};
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void submitDraft();
  };
  return html`<header class="drawer-head"><span class="tag accent">${t('console.new')}</span><span class="code">${draft.lon.toFixed(5)}, ${draft.lat.toFixed(5)}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <form class="drawer-form" onSubmit=${submit} data-testid="incident-form">
      <div class="drawer-body">
        <label class="wide"><span>${t('console.form.title')}</span><input required autofocus maxlength="80" value=${draft.title} onInput=${edit('title')} data-testid="form-title" /></label>
        <div class="levels" role="radiogroup" aria-label=${t('console.form.level')}>${FORM_LEVELS.map(
          (
            level,
          ) => html`<button type="button" role="radio" aria-checked=${draft.level === level} class=${draft.level === level ? 'on' : ''}
          onClick=${() => set({ draft: { ...draft, level } })}><${LevelMark} level=${level} size=${16} />${t(`level.${level}`)}</button>`,
        )}</div>
        <label><span>${t('console.form.category')}</span><select value=${draft.category} onChange=${edit('category')}>${CATEGORIES.map((item) => html`<option value=${item} selected=${draft.category === item}>${t(`category.${item}`)}</option>`)}</select></label>
        <label><span>${t('console.form.source')}</span><select value=${draft.source} onChange=${edit('source')}>${SOURCES.map((item) => html`<option value=${item} selected=${draft.source === item}>${t(`source.${item}`)}</option>`)}</select></label>
        <label class="wide"><span>${t('console.form.description')}</span><textarea rows="3" maxlength="2000" value=${draft.description} onInput=${edit('description')}></textarea></label>
        <label class="wide"><span>${t('console.form.address')}</span><input value=${draft.address} maxlength="200" onInput=${edit('address')} /></label>
        <label class="wide"><span>${t('console.form.contact')}</span><input value=${draft.reporter_contact} maxlength="64" inputmode="tel" onInput=${edit('reporter_contact')} /></label>
        <p class="hint wide">${['2', '3', '4']
          .map((tier) => areas[tier]?.name)
          .filter(Boolean)
          .join(' › ')} · ${t('console.form.move')}</p>
      </div>
      <footer class="foot"><${FaultLine} /><div class="buttons n2"><button class="btn big primary" disabled=${Boolean(ui.busy) || !draft.title.trim()} data-testid="form-submit">${t('console.form.submit')} <kbd>Ctrl Enter</kbd></button>
        <button type="button" class="btn big" onClick=${goBack}>${t('console.cancel')}</button></div></footer>
    </form>`;
}
