// The ranked list: who can be there when, why, and how sure that is. One key chooses; the order locks under the pointer.
import { t } from '../i18n.js';
import { ageText, distanceText, durationText } from '../ui/format.js';
import { html } from '../ui/h.js';
import { KindMark } from '../ui/shapes.js';
import { callPerson, choose, dispatchChosen, isOverride, select, toggleAllKinds } from './actions.js';
import { OVERRIDE_REASONS } from './commands-list.js';
import { readRanked } from './reading.js';
import { board, mayDispatch, nowMs, set, ui } from './state.js';

/** @import {Ranked} from './state.js' */

const GOOD = new Set(['own_grid', 'own_beat', 'same_village']);
/** Told by the row already, or too plain to spend a chip on. */
const SILENT = new Set(['stale_fix', 'estimate']);

/** @param {string} reason */
const reasonText = (reason) => (reason.startsWith('skill:') ? reason.slice(6) : t(`console.reason.${reason}`));

/** Seconds to arrival in words; an estimate or an old fix says 约. @param {Ranked} item */
export function etaText(item) {
  if (item.eta_s === null) return '—';
  const text = durationText(item.eta_s >= 60 && item.stale ? Math.round(item.eta_s / 60) * 60 : item.eta_s);
  return item.stale || item.eta_method === 'straight_line' ? t('console.about', { text }) : text;
}

/** @param {{item: Ranked, index: number, dispatchable: boolean}} props */
function Row({ item, index, dispatchable }) {
  const person = board().responders[item.responder_id];
  const lostTo = ui.lost.get(item.responder_id);
  const age_s =
    item.fix_age_s === null ? null : item.fix_age_s + Math.max(0, (nowMs() - (ui.ranked?.readAt ?? nowMs())) / 1000);
  const taken = lostTo !== undefined;
  const chosen = index === ui.choice && !taken;
  const busy = item.status === 'busy';
  const classes = ['ranked', chosen && 'chosen', item.stale && 'stale', taken && 'taken'].filter(Boolean).join(' ');
  const dispatch = () => {
    choose(index);
    if (!isOverride()) void dispatchChosen();
  };
  return html`<li class=${classes} key=${item.responder_id} data-testid="ranked-row" data-id=${item.responder_id}
      onClick=${() => choose(index)}>
    <kbd class="key">${index + 1}</kbd>
    <div class="who"><${KindMark} kind=${item.kind} hollow=${busy} stale=${item.stale} size=${18} />
      <div><h4><button class="name" onClick=${(/** @type {Event} */ e) => {
        e.stopPropagation();
        select({ kind: 'responder', id: item.responder_id });
      }}>${item.name}</button>
        <span>${[t(`kind.${item.kind}`), item.station].filter(Boolean).join(' · ')}</span></h4>
      <p>${distanceText(item.distance_m)} · ${item.eta_method === 'straight_line' ? t('console.straight_line') : t(`profile.${person?.profile ?? 'foot'}`)} · <span class="fix">${
        item.stale || (age_s ?? 0) > 30 ? t('console.fix', { age: ageText(age_s) }) : ageText(age_s)
      }</span></p>
      <div class="chips">${
        taken
          ? html`<span class="chip late">${t('console.race.taken', { who: lostTo || t('console.race.another') })}</span>`
          : item.reasons
              .filter((reason) => !SILENT.has(reason))
              .slice(0, 3)
              .map(
                (reason) => html`<span class=${`chip ${GOOD.has(reason) ? 'good' : ''}`}>${reasonText(reason)}</span>`,
              )
      }
        ${item.stale && html`<span class="chip stale">${t('console.reason.stale_fix')}</span>`}</div></div></div>
    <b class="eta">${etaText(item)}</b>
    <div class="acts"><button class="btn sm" onClick=${(/** @type {Event} */ e) => {
      e.stopPropagation();
      void callPerson(item.responder_id);
    }}>${t('console.call')}</button>
      ${
        dispatchable &&
        html`<button class=${`btn sm ${chosen ? 'out' : ''}`} disabled=${taken || Boolean(ui.busy)} data-testid="row-dispatch"
        onClick=${(/** @type {Event} */ e) => {
          e.stopPropagation();
          dispatch();
        }}>${t('console.dispatch')}</button>`
      }</div>
  </li>`;
}

/** Why another than the first: one chip. */
export function OverrideReasons() {
  if (!isOverride() || !mayDispatch()) return null;
  return html`<div class="override" data-testid="override" role="group" aria-label=${t('console.override.title')}>
    <span>${t('console.override.title')}</span>
    ${OVERRIDE_REASONS.map(
      (
        reason,
        index,
      ) => html`<button class=${`chip ${ui.overrideReason === reason ? 'on' : ''}`} data-testid="override-reason"
      aria-pressed=${ui.overrideReason === reason} onClick=${() => set({ overrideReason: reason, fault: null })}><kbd>${'QWERT'[index]}</kbd>${t(`console.override.${reason}`)}</button>`,
    )}
  </div>`;
}

/** Who was left out, in words. @param {{excluded: {reason: string, count: number}[]}} props */
function Excluded({ excluded }) {
  const parts = excluded
    .filter((item) => item.count > 0)
    .map((item) => t('console.excluded.item', { reason: t(`console.excluded.${item.reason}`), n: item.count }));
  return parts.length ? html`<p class="excluded">${t('console.excluded')} ${parts.join(t('join.clause'))}</p>` : null;
}

/** @param {{title: string, note?: string, dispatchable?: boolean}} props */
export function RankedList({ title, note = '', dispatchable = false }) {
  const { ranked } = ui;
  if (!ranked) return null;
  const age_s = ranked.readAt ? (nowMs() - ranked.readAt) / 1000 : 0;
  return html`<section class="people" data-testid="ranked">
    <div class="sub"><h2>${title}</h2><span>${note}</span>
      <button class=${`chip ${ui.allKinds ? 'on' : ''}`} aria-pressed=${ui.allKinds} title=${t('console.ranked.all_hint')} data-testid="all-kinds" onClick=${toggleAllKinds}>${t('console.ranked.all')} <kbd>F</kbd></button>
      <em class=${age_s > 15 && !ui.rankedLocked ? 'warn' : ''}>${ui.rankedLocked ? t('console.ranked.locked') : age_s > 15 ? ageText(age_s) : ''}</em></div>
    <ul class="ranked-list" onMouseEnter=${() => set({ rankedLocked: true })}
      onMouseLeave=${() => {
        set({ rankedLocked: false });
        void readRanked();
      }}>
      ${ranked.items.map((item, index) => html`<${Row} item=${item} index=${index} dispatchable=${dispatchable} key=${item.responder_id} />`)}
      ${ranked.loading && !ranked.items.length && [0, 1, 2].map((n) => html`<li class="ranked wait" key=${n}></li>`)}
    </ul>
    ${ranked.error && html`<p class="fault" role="alert">${ranked.error} <button class="btn sm" onClick=${() => void readRanked()}>${t('console.retry')}</button></p>`}
    ${!ranked.loading && !ranked.items.length && !ranked.error && html`<p class="empty">${t('console.ranked.none')}</p>`}
    <${Excluded} excluded=${ranked.excluded} />
  </section>`;
}
