// The tab of indicators: what was handled in the period and how it stands now, each n of d beside the period before.
import { t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { html } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { Response } from './response.js';
import { Delta, Spark, Target } from './spark.js';
import { choose, topRow, ui } from './state.js';
import { minutesOf, rate } from './words.js';

/** @import {Indicator, Indicators, Ratio} from '../../types/lead.d.ts' */

/** Less is better. */
const LOWER = new Set(['overdue_rate', 'rework_rate']);
/** Those that the period is cut into days for. @type {Record<string, 'completion_rate' | 'on_time_rate'>} */
const CURVES = { completion_rate: 'completion_rate', on_time_rate: 'on_time_rate' };

/** @param {Ratio | null} ratio */
const share = (ratio) => (ratio && ratio.d ? (ratio.n / ratio.d) * 100 : null);

/** @param {{one: Indicator, found: Indicators, against: string}} props */
function Tile({ one, found, against }) {
  const curve = CURVES[one.code];
  const values = curve ? found.trend.map((part) => share(part[curve])) : [];
  const title = t(`lead.kpi.${one.code}`);
  return html`<div class="card" tabindex="0" aria-describedby=${`def-${one.code}`} data-testid=${`kpi-${one.code}`}>
    <span class="ct"><b>${title}</b><${Target} share=${one.target} n=${one.n} d=${one.d} /></span><span class="cv"><b>${rate(one.n, one.d)}</b><${Spark} values=${values} label=${t('lead.spark', { title })} /></span>
    <span class="cn"><em>${one.n} / ${one.d}</em><${Delta} now=${share(one)} then=${share(one.before)} lower=${LOWER.has(one.code)} title=${against} /></span>
    <small>${t(`lead.kpi.${one.code}.note`)}</small><span class="def" role="tooltip" id=${`def-${one.code}`}>${t(`lead.kpi.${one.code}.def`)}</span></div>`;
}

/** @param {{found: Indicators}} props */
function Below({ found }) {
  const most = Math.max(1, ...found.below.map((row) => row.reported));
  const worst = [...found.below].sort((a, b) => (share(a.on_time_rate) ?? 200) - (share(b.on_time_rate) ?? 200) || b.reported - a.reported);
  return html`<section class="panel below" aria-label=${t('lead.below')}><header><h2>${t('lead.below')}</h2><small>${t('lead.below.hint')}</small></header>
    <div class="table-scroll"><table class="cover"><thead><tr><th>${t('lead.col.area')}</th><th class="num" colspan="2">${t('lead.col.reported')}</th><th class="num" colspan="2">${t('lead.kpi.completion_rate')}</th><th class="num" colspan="2">${t('lead.kpi.on_time_rate')}</th><th class="num">${t('lead.col.arrivals')}</th><th class="num">${t('lead.col.arrive')} P50</th><th class="num">P90</th></tr></thead>
    <tbody>${worst.map((row) => html`<tr key=${row.code} onClick=${() => choose(row.code)} data-testid=${`below-${row.code}`}><td><button class="name" onClick=${(/** @type {Event} */ event) => {
      event.stopPropagation();
      choose(row.code);
    }}>${row.name}</button></td>
      <td class="wide"><span class="bar plain"><i style=${`width:${(row.reported / most) * 100}%`}></i></span></td><td class="num">${row.reported}</td>
      <td class="num dim">${row.completion_rate.n} / ${row.completion_rate.d}</td><td class="num">${rate(row.completion_rate.n, row.completion_rate.d)}</td>
      <td class="num dim">${row.on_time_rate.n} / ${row.on_time_rate.d}</td><td class=${`num ${row.on_time_rate.d && row.on_time_rate.n < row.on_time_rate.d ? 'gap' : ''}`}>${rate(row.on_time_rate.n, row.on_time_rate.d)}</td>
      <td class="num">${row.arrivals || '—'}</td><td class="num">${minutesOf(row.arrive_p50_s)}</td><td class="num">${minutesOf(row.arrive_p90_s)}</td></tr>`)}</tbody></table>
    ${found.below.length === 0 && html`<p class="empty">${t('lead.below.none')}</p>`}</div></section>`;
}

/** The sentence of the tab. */
export function indicatorStory() {
  const found = ui.indicators;
  const top = topRow();
  if (!found || !top) return t('lead.reading');
  const done = found.items.find((one) => one.code === 'completion_rate');
  const period = t(`lead.period.${found.period}`);
  const more = found.reported.n - found.reported.before;
  // Where nothing was recorded yet, nothing can be compared with.
  const known = found.since !== null && Date.parse(found.since) < Date.parse(found.before.to);
  const change = !known ? t('lead.story.no_before', { than: t(`lead.period.${found.period}.than`) }) : more === 0 ? t('lead.story.same', { than: t(`lead.period.${found.period}.than`) }) : t(more > 0 ? 'lead.story.more' : 'lead.story.fewer', { n: Math.abs(more), than: t(`lead.period.${found.period}.than`) });
  return t('lead.story.period', { name: top.name, period, n: found.reported.n, change }) + (done?.d ? t('lead.story.done', { share: rate(done.n, done.d) }) : '');
}

export function IndicatorsTab() {
  const found = ui.indicators;
  if (!found) {
    return ui.indicatorsError ? html`<p class="refused" role="alert">${refusal(ui.indicatorsError)}</p>` : html`<div class="blank"><p>${t('lead.reading')}</p></div>`;
  }
  const { from, to } = found.before;
  const against = t('lead.period.against', { from: `${dayOf(from)} ${timeOfDay(from)}`, to: `${dayOf(to)} ${timeOfDay(to)}` });
  return html`<div class="kpis"><h2>${t('lead.kpi.handling')}<small>${t('lead.kpi.handling.hint')}</small></h2><div class="cards four">${found.items.map((one) => html`<${Tile} key=${one.code} one=${one} found=${found} against=${against} />`)}</div>
    <h2>${t('lead.kpi.present')}<small>${t('lead.kpi.present.hint')}</small></h2><div class="cards five">${found.present.map((one) => html`<${Tile} key=${one.code} one=${one} found=${found} against=${against} />`)}</div></div>
    <div class="split kpi-split"><${Response} /><${Below} found=${found} /></div>`;
}
