// The indicators of the area looked at. What one means stands on it, and in full when the pointer or the focus is there.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { rateOf, reachOf } from './figures.js';
import { set, topRow, ui } from './state.js';
import { minutesOf, percent, rate } from './words.js';

/** @import {Measure} from './figures.js' */

/**
 * @param {{id: string, title: string, value: unknown, left: string, right?: string, note: string, definition: string,
 *          share?: number | null, measure?: Measure}} props
 */
function Card({ id, title, value, left, right = '', note, definition, share = null, measure }) {
  const on = measure === ui.measure;
  const body = html`<span class="ct">${title}</span>
    <b class="cv">${value}</b>
    <span class="meter">${share !== null && html`<i style=${`width:${Math.round(share * 1000) / 10}%`}></i>`}</span>
    <span class="cn"><em>${left}</em><em>${right}</em></span>
    <small>${note}</small>
    <span class="def" role="tooltip" id=${`def-${id}`}>${definition}</span>`;
  return measure
    ? html`<button class=${`card ${on ? 'on' : ''}`} aria-pressed=${on} aria-describedby=${`def-${id}`} onClick=${() => set({ measure })} data-testid=${`card-${id}`}>${body}</button>`
    : html`<div class="card" tabindex="0" aria-describedby=${`def-${id}`} data-testid=${`card-${id}`}>${body}</div>`;
}

export function Cards() {
  const { cover, minutes } = ui;
  const row = topRow();
  if (!cover || !row) return html`<div class="cards loading">${[1, 2, 3, 4, 5, 6].map((n) => html`<div class="card" key=${n}></div>`)}</div>`;
  /** @param {Measure} measure */
  const of = (measure) => {
    const { n, d } = rateOf(measure, row, minutes);
    return { value: rate(n, d), left: `${n} / ${d}`, share: d ? n / d : null, measure };
  };
  const { working, total, undirected } = cover.cameras;
  const out = cover.responders.excluded;
  return html`<div class="cards">
    <${Card} id="staffed" ...${of('staffed')} title=${t('lead.card.staffed')} right=${row.grids > row.staffed ? t('lead.card.staffed.right', { n: row.grids - row.staffed }) : ''} note=${t('lead.card.staffed.note')} definition=${t('lead.card.staffed.def')} />
    <${Card} id="duty" ...${of('duty')} title=${t('lead.card.duty')} right=${t('lead.card.duty.right', { n: row.staffed - row.on_duty })} note=${t('lead.card.duty.note')} definition=${t('lead.card.duty.def')} />
    <${Card} id="reach" ...${of('reach')} title=${t('lead.card.reach', { m: minutes })} right=${t(cover.method === 'road' ? 'lead.card.reach.right' : 'lead.card.reach.right_line', { share: percent(reachOf(row, minutes)) })} note=${t('lead.card.reach.note')} definition=${t('lead.card.reach.def', { m: minutes })} />
    <${Card} id="seen" ...${of('seen')} title=${t('lead.card.seen')} right=${t('lead.card.seen.right', { share: percent(row.seen, 2) })} note=${t('lead.card.seen.note')} definition=${t('lead.card.seen.def', { working, total, undirected })} />
    <${Card} id="time" title=${t('lead.card.time')} value=${row.median_s === null ? '—' : html`${minutesOf(row.median_s)}<i>${t('lead.minutes')}</i>`} left=${row.p90_s === null ? 'P90 —' : t('lead.card.time.left', { p90: minutesOf(row.p90_s) })} right=${row.unreached ? t('lead.card.time.right', { share: percent(row.unreached) }) : ''} note=${t('lead.card.time.note')} definition=${t('lead.card.time.def', { m: cover.horizon_s / 60 })} />
    <${Card} id="people" title=${t('lead.card.people')} value=${html`${cover.responders.counted}<i>${t('lead.people')}</i>`} left=${t('lead.card.people.left', { n: out.reduce((sum, item) => sum + item.count, 0) })} right=${t('lead.card.people.right', { n: working, d: total })} note=${out.map(({ reason, count }) => `${t(`lead.out.${reason}`)} ${count}`).join(' · ') || t('lead.card.people.note')} definition=${t('lead.card.people.def')} />
  </div>`;
}
