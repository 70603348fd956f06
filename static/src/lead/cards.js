// The indicators of the area looked at. What one means stands on it, and in full when the pointer or the focus is there.
import { t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { html } from '../ui/h.js';
import { rateOf, reachOf } from './figures.js';
import { curve, hourBefore, kept, rowBefore, shareThen } from './history.js';
import { Delta, Spark, Target } from './spark.js';
import { set, topRow, ui } from './state.js';
import { minutesOf, percent, rate } from './words.js';

/** @import {HourRow} from '../../types/lead.d.ts' */
/** @import {Measure} from './figures.js' */

/**
 * @param {{id: string, title: string, value: unknown, left: unknown, right?: unknown, note: string, definition: string, target?: unknown,
 *          values?: (number | null)[], measure?: Measure}} props
 */
function Card({ id, title, value, left, right = '', note, definition, target = '', values = [], measure }) {
  const on = measure === ui.measure;
  const body = html`<span class="ct"><b>${title}</b>${target}</span>
    <span class="cv"><b>${value}</b><${Spark} values=${values} label=${t('lead.spark', { title })} /></span>
    <span class="cn"><em>${left}</em>${right}</span>
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
  const then = rowBefore();
  const when = hourBefore();
  const against = t(then ? 'lead.than' : 'lead.than.none', { when: t(`lead.compare.${ui.compare}.then`), at: `${dayOf(when)} ${timeOfDay(when)}` });
  /** @param {Measure} measure @param {string} [more] */
  const of = (measure, more = '') => {
    const { n, d } = rateOf(measure, row, minutes);
    const told = measure !== 'reach' || kept(minutes);
    const before = then && told ? shareThen(measure, then, minutes) : null;
    return {
      value: rate(n, d),
      left: html`${n} / ${d}${more && html`<i>${more}</i>`}`,
      right: html`<${Delta} now=${d ? (n / d) * 100 : null} then=${before === null ? null : before * 100} title=${against} />`,
      target: html`<${Target} share=${cover.targets[measure]} n=${n} d=${d} />`,
      values: told ? curve((/** @type {HourRow} */ hour) => shareThen(measure, hour, minutes)) : [],
      measure,
    };
  };
  const { working, total, undirected, unchecked } = cover.cameras;
  // Cameras nobody has looked at yet are no loss against yesterday.
  const seen = unchecked
    ? { ...of('seen', t('lead.card.seen.unchecked', { n: unchecked })), right: '', target: '' }
    : of('seen', t('lead.card.seen.right', { share: percent(row.seen, 2) }));
  const out = cover.responders.excluded;
  const inMinutes = (/** @type {number | null | undefined} */ seconds) => (seconds === null || seconds === undefined ? null : seconds / 60);
  return html`<div class="cards">
    <${Card} id="staffed" ...${of('staffed', row.grids > row.staffed ? t('lead.card.staffed.right', { n: row.grids - row.staffed }) : '')} title=${t('lead.card.staffed')} note=${t('lead.card.staffed.note')} definition=${t('lead.card.staffed.def')} />
    <${Card} id="duty" ...${of('duty', t('lead.card.duty.right', { n: row.staffed - row.on_duty }))} title=${t('lead.card.duty')} note=${t('lead.card.duty.note')} definition=${t('lead.card.duty.def')} />
    <${Card} id="reach" ...${of('reach', t(cover.method === 'road' ? 'lead.card.reach.right' : 'lead.card.reach.right_line', { share: percent(reachOf(row, minutes)) }))} title=${t('lead.card.reach', { m: minutes })} note=${t('lead.card.reach.note')} definition=${t('lead.card.reach.def', { m: minutes })} />
    <${Card} id="seen" ...${seen} title=${t('lead.card.seen')} note=${t(`lead.card.seen.note.${row.seen_basis}`)} definition=${t('lead.card.seen.def', { working, total, undirected })} />
    <${Card} id="time" title=${t('lead.card.time')} value=${row.median_s === null ? '—' : html`${minutesOf(row.median_s)}<i>${t('lead.minutes')}</i>`} left=${html`${row.p90_s === null ? 'P90 —' : t('lead.card.time.left', { p90: minutesOf(row.p90_s) })}${row.unreached ? html`<i>${t('lead.card.time.right', { share: percent(row.unreached) })}</i>` : ''}`}
      right=${html`<${Delta} now=${inMinutes(row.median_s)} then=${inMinutes(then?.median_s)} unit=${t('lead.minutes')} lower title=${against} />`} values=${curve((/** @type {HourRow} */ hour) => hour.median_s)} note=${t('lead.card.time.note')} definition=${t('lead.card.time.def', { m: cover.horizon_s / 60 })} />
    <${Card} id="people" title=${t('lead.card.people')} value=${html`${cover.responders.counted}<i>${t('lead.people')}</i>`} left=${html`${t('lead.card.people.left', { n: out.reduce((sum, item) => sum + item.count, 0) })}<i>${t('lead.card.people.right', { n: working, d: total })}</i>`}
      right=${html`<${Delta} now=${cover.responders.counted} then=${then?.responders} digits=${0} title=${against} />`} values=${curve((/** @type {HourRow} */ hour) => hour.responders)} note=${out.map(({ reason, count }) => `${t(`lead.out.${reason}`)} ${count}`).join(' · ') || t('lead.card.people.note')} definition=${t('lead.card.people.def')} />
  </div>`;
}
