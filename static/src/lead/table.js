// County, township, village, grid: one table that opens downwards, the worst first.
import { t } from '../i18n.js';
import { html, useMemo, useRef, useState } from '../ui/h.js';
import { GRID, lacksOf, rateOf, reachOf, tableRows } from './figures.js';
import { choose, toggle, ui } from './state.js';
import { minutesOf, percent, rate } from './words.js';

/** @import {AreaCover} from '../../types/lead.d.ts' */

/** @param {{share: number | null}} props */
const Bar = ({ share }) => (share === null ? html`<span class="bar none"></span>` : html`<span class="bar"><i style=${`width:${share * 100}%`}></i></span>`);

/** @param {{row: AreaCover}} props */
function AreaCells({ row }) {
  const reach = rateOf('reach', row, ui.minutes);
  const missing = row.grids - row.staffed;
  return html`<td class="num">${row.grids}</td><td class="num">${row.staffed}</td><td class="num">${rate(row.staffed, row.grids)}</td>
    <td class=${`num ${missing ? 'gap' : 'none'}`}>${missing || '—'}</td><td class="num">${row.on_duty}</td>
    <td class="wide"><${Bar} share=${reach.d ? reach.n / reach.d : null} /></td><td class="num">${reach.n}</td><td class="num">${rate(reach.n, reach.d)}</td>
    <td class="num">${row.watched}</td><td class="num">${rate(row.watched, row.grids)}</td>`;
}

/** @param {{row: AreaCover}} props */
function GridCells({ row }) {
  const lacks = lacksOf(row, ui.minutes);
  const share = reachOf(row, ui.minutes);
  const names = (row.workers ?? []).map((one) => one.name).join('、');
  return html`<td colspan="3" class=${lacks.includes('staffed') ? 'gap' : 'who'}>${row.staffed ? names || t('lead.staffed') : t('lead.vacant')}</td><td></td>
    <td class="num">${row.staffed ? html`<span class=${`duty ${row.on_duty ? 'on' : 'off'}`}>${t(row.on_duty ? 'lead.on_duty' : 'lead.off_duty')}</span>` : '—'}</td>
    <td class="wide"><${Bar} share=${share} /></td><td class="num unit">${t(ui.cover?.method === 'road' ? 'lead.of_road' : 'lead.of_ground')}</td><td class=${`num ${lacks.includes('reach') ? 'gap' : ''}`}>${percent(share)}</td>
    <td class="num unit">${row.watched ? t('lead.of_ground') : ''}</td><td class=${`num ${row.watched ? '' : 'gap'}`}>${row.watched ? percent(row.seen, 2) : t('lead.unseen')}</td>`;
}

/** Rows outside the window are left out, with room in their place. */
const ROW_PX = 31;
const MORE = 12;

/** @param {{rows: number}} props */
const Room = ({ rows }) => (rows > 0 ? html`<tbody class="room" aria-hidden="true"><tr><td colspan="13" style=${`height:${rows * ROW_PX}px`}></td></tr></tbody>` : null);

export function CoverTable() {
  const { cover, minutes, measure, open } = ui;
  const all = useMemo(() => (cover ? tableRows(cover.items, open, measure, minutes) : []), [cover, open, measure, minutes]);
  const scroll = useRef(/** @type {HTMLElement | null} */ (null));
  const [top, setTop] = useState(0);
  const high = scroll.current?.clientHeight ?? 1080;
  const first = Math.max(0, Math.min(Math.floor(top / ROW_PX) - MORE, all.length - 1));
  const rows = all.slice(first, Math.ceil((top + high) / ROW_PX) + MORE);
  return html`<section class="panel table-panel" aria-label=${t('lead.table')}>
    <header><h2>${t('lead.table')}</h2><small>${t('lead.table.hint', { measure: t(`lead.measure.${measure}`, { m: minutes }) })}</small></header>
    <div class="table-scroll" ref=${scroll} onScroll=${(/** @type {Event} */ event) => setTop(/** @type {HTMLElement} */ (event.currentTarget).scrollTop)}><table class="cover"><thead><tr><th>${t('lead.col.area')}</th><th class="num">${t('lead.col.grids')}</th><th class="num" colspan="2">${t('lead.col.staffed')}</th><th class="num">${t('lead.col.missing')}</th>
      <th class="num">${t('lead.col.duty')}</th><th class="num" colspan="3">${t('lead.card.reach', { m: minutes })}</th><th class="num" colspan="2">${t('lead.card.seen')}</th><th class="num" colspan="2">${t('lead.col.modelled')}</th></tr></thead>
      <${Room} rows=${first} /><tbody>${rows.map(({ row, depth, below }) => {
        const expanded = open.has(row.code);
        return html`<tr key=${row.code} class=${`t${row.tier} ${row.code === ui.chosen ? 'on' : ''}`} onClick=${() => choose(row.code)} data-testid=${`row-${row.code}`}>
          <td style=${`padding-left:${12 + depth * 20}px`}>${
            below
              ? html`<button class="twist" aria-expanded=${expanded} aria-label=${t(expanded ? 'lead.close' : 'lead.open', { name: row.name })} onClick=${(/** @type {Event} */ event) => {
                  event.stopPropagation();
                  toggle(row.code);
                }}>${expanded ? '▾' : '▸'}</button>`
              : html`<span class="twist"></span>`
          }<button class="name" onClick=${(/** @type {Event} */ event) => {
            event.stopPropagation();
            choose(row.code);
          }}>${row.name}</button></td>
          ${row.tier === GRID ? html`<${GridCells} row=${row} />` : html`<${AreaCells} row=${row} />`}
          <td class="num">${minutesOf(row.median_s)}</td><td class="num">${minutesOf(row.p90_s)}</td></tr>`;
      })}</tbody><${Room} rows=${all.length - first - rows.length} /></table></div></section>`;
}
