// How long it took from the dispatch to the answer and to the arrival, as a share of the limit.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { LevelMark } from '../ui/shapes.js';
import { ui } from './state.js';

/** @import {ResponseRow} from '../../types/lead.d.ts' */

/** The bars end at so much of the limit; what took longer runs against the end. */
const MOST = 1.5;
const MARKS = [0, 0.5, 1, 1.5];

/** Minutes, without decimals above ten. @param {number | null} seconds */
const short = (seconds) => (seconds === null ? '—' : (seconds / 60).toFixed(seconds < 600 ? 1 : 0));

/** @param {{row: ResponseRow}} props */
function Bar({ row }) {
  const at = (/** @type {number | null} */ seconds) => `${(Math.min((seconds ?? 0) / row.limit_s, MOST) / MOST) * 100}%`;
  return html`<span class="track"><s style=${`left:${at(row.limit_s)}`}></s>${
    row.n > 0 && html`<i class="far" style=${`width:${at(row.p90_s)}`}></i><i class="most" style=${`width:${at(row.p75_s)}`}></i>`
  }${row.before_p50_s !== null && html`<u style=${`left:${at(row.before_p50_s)}`}></u>`}${row.n > 0 && html`<b style=${`left:${at(row.p50_s)}`}></b>`}</span>`;
}

/** @param {{row: ResponseRow}} props */
function Row({ row }) {
  const late = row.p90_s !== null && row.p90_s > row.limit_s;
  return html`<li data-testid=${`response-${row.level}-${row.step}`}><${LevelMark} level=${row.level} hollow size=${16} /><span>${t(`lead.step.${row.step}`)}</span><em class="count" title=${t('lead.response.count', { n: row.n, waiting: row.waiting, late: row.late })}>${row.n}</em>
    <${Bar} row=${row} />
    <em class="three">${row.n ? html`<b>${short(row.p50_s)}</b> · ${short(row.p75_s)} · <span class=${late ? 'gap' : ''}>${short(row.p90_s)}${late ? ` ${t('lead.response.over')}` : ''}</span>` : '—'}</em>
    <em class="limit">${t('lead.response.limit', { n: short(row.limit_s).replace('.0', '') })}</em></li>`;
}

export function Response() {
  const found = ui.indicators;
  const rows = found?.response ?? [];
  const cases = rows.filter((row) => row.step === 'sign').reduce((sum, row) => sum + row.n, 0);
  return html`<section class="panel response" aria-label=${t('lead.response')}>
    <header><h2>${t('lead.response')}</h2><small>${found ? t('lead.response.cases', { period: t(`lead.period.${found.period}`), n: cases }) : ''}</small>
      <span class="keys"><i class="k50"></i>P50<i class="k75"></i>P75<i class="k90"></i>P90<i class="kold"></i>${t(`lead.period.${ui.period}.before`)} P50<small>${t('lead.response.unit')}</small></span></header>
    ${rows.length > 0 && html`<div class="axis"><span class="track">${MARKS.map((mark) => html`<em key=${mark} style=${`left:${(mark / MOST) * 100}%`}>${mark === 1 ? t('lead.response.at_limit') : `${mark * 100}%`}</em>`)}</span></div>`}
    <ul>${rows.map((row) => html`<${Row} key=${row.level + row.step} row=${row} />`)}</ul>
    ${found && rows.length === 0 && html`<p class="empty">${t('lead.response.none', { period: t(`lead.period.${found.period}`) })}</p>`}</section>`;
}
