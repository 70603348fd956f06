// Before an edit comes into force: what it comes to, from which day, and a word for the history.
import { ApiError } from '../../api.js';
import { t } from '../../i18n.js';
import { Dialog } from '../../ui/dialog.js';
import { html, useEffect, useState } from '../../ui/h.js';
import { areaWords, differences } from './panel.js';
import { allSteps, ask, ed, edit, faultOf, rebase, save, steps } from './store.js';

/** @import {Outcome} from '../../../types/areas.d.ts' */

const TIERS = [4, 3, 2, 1];

/** @param {{outcome: Outcome}} props */
function Changes({ outcome }) {
  const tier = (/** @type {Outcome['changes'][number]} */ one) => (one.after ?? one.before)?.tier ?? 4;
  const corners = outcome.changes.filter((one) => one.same_ground).length;
  const list = outcome.changes.filter((one) => !one.same_ground).toSorted((a, b) => TIERS.indexOf(tier(a)) - TIERS.indexOf(tier(b)) || (a.code < b.code ? -1 : 1));
  return html`<table class="rows" data-testid="save-changes"><thead><tr><th>${t('areas.col.area')}</th><th>${t('areas.col.change')}</th><th class="num">${t('areas.col.size')}</th></tr></thead><tbody>${list.map((one) => {
    const row = one.after ?? one.before;
    const lines = differences(one.before, one.after, one.fields.filter((field) => field !== 'geometry'));
    const grown = one.before && one.after ? one.after.area_km2 - one.before.area_km2 : 0;
    return html`<tr key=${one.code}><td><b>${row?.name}</b><small>${one.code} · ${row?.label}</small></td><td>${one.fields.includes('geometry') && html`<span class="chip">${t('areas.border')}</span>`}${lines.map((line) => html`<span key=${line} class="line">${line}</span>`)}</td>
      <td class="num">${one.after ? areaWords(one.after.area_km2) : '—'}${grown !== 0 && html`<small class=${grown > 0 ? 'up' : 'down'}>${grown > 0 ? '+' : '−'}${areaWords(Math.abs(grown))}</small>`}</td></tr>`;
  })}</tbody></table>
  ${corners > 0 && html`<p class="hint">${t('areas.corners_only', { n: corners })}</p>`}
  ${outcome.beats.length > 0 && html`<p class="hint">${t('areas.beats_moved', { n: outcome.beats.length })}</p>`}
  ${Object.keys(outcome.gone).length > 0 && html`<p class="hint">${t('areas.people_follow')}</p>`}`;
}

export function SaveDialog() {
  const redrawn = steps().some((step) => step.op !== 'set') || Object.values(ed.fields).some((fields) => 'parent' in fields);
  const [dated, setDated] = useState(redrawn);
  const [day, setDay] = useState(ed.today);
  const [note, setNote] = useState('');
  const [outcome, setOutcome] = useState(/** @type {Outcome | null} */ (null));
  const [fault, setFault] = useState(/** @type {{words: string, stale: boolean} | null} */ (null));
  const from = dated ? day || null : null;
  useEffect(() => {
    let late = false;
    setFault(null);
    ask(allSteps(), { valid_from: from }).then(
      (answer) => !late && setOutcome(answer),
      (error) => {
        if (late) return;
        setOutcome(null);
        setFault({ words: faultOf(error).words, stale: error instanceof ApiError && error.error === 'stale_version' });
        edit({ fault: faultOf(error) });
      },
    );
    return () => {
      late = true;
    };
  }, [from]);
  const close = () => edit({ dialog: '' });
  const go = async () => {
    if (!(await save(from, note.trim())) && ed.fault) setFault({ words: ed.fault.words, stale: ed.fault.words === t('areas.stale') });
  };
  const again = async () => {
    close();
    await rebase();
  };
  const later = dated && day > ed.today;
  const foot = html`${fault && html`<p class="refused" role="alert" data-testid="save-fault">${fault.words}${fault.stale && html`<button class="btn sm" onClick=${() => void again()} data-testid="rebase">${t('areas.rebase')}</button>`}</p>`}
    <button class="btn" onClick=${close}>${t('areas.go_on')}</button><button class="btn primary" disabled=${!outcome || !outcome.changes.length || ed.busy === 'saving'} onClick=${() => void go()} data-testid="save-go">${t(ed.busy === 'saving' ? 'areas.saving' : later ? 'areas.save_later' : 'areas.save_now')}</button>`;
  return html`<${Dialog} title=${t('areas.save_title')} onClose=${close} foot=${foot} wide id="save-dialog">
    <div class="save-when"><label class="check"><input type="radio" name="when" checked=${dated} onChange=${() => setDated(true)} data-testid="save-dated" />${t('areas.from_day')}</label><input type="date" value=${day} disabled=${!dated} aria-label=${t('areas.from_day')} onChange=${(/** @type {any} */ event) => setDay(event.target.value)} data-testid="save-day" />
      <label class="check"><input type="radio" name="when" checked=${!dated} onChange=${() => setDated(false)} data-testid="save-correct" />${t('areas.correction')}</label>
      <input class="note" maxlength="200" placeholder=${t('areas.note')} aria-label=${t('areas.note')} value=${note} onInput=${(/** @type {any} */ event) => setNote(event.target.value)} data-testid="save-note" />
      <p class="hint">${t(dated ? (later ? 'areas.later_help' : 'areas.from_day_help') : 'areas.correction_help')}</p></div>
    ${outcome ? (outcome.changes.length ? html`<${Changes} outcome=${outcome} />` : html`<p class="hint">${t('areas.nothing_changed')}</p>`) : !fault && html`<p class="hint">${t('areas.trying')}</p>`}<//>`;
}
