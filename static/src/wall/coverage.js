// The theme of coverage: what is within reach, where the gaps are, and which grids to mend. The map is coloured by it.
import { t } from '../i18n.js';
import { classOf, classesOf, lacksOf, pathTo, reachOf, storyOf, wanting } from '../lead/figures.js';
import { timeOfDay } from '../time.js';
import { html } from '../ui/h.js';
import { RateText, Track } from './charts.js';
import { percent } from './figures.js';

/** @import {AreaCover, Cover} from '../../types/lead.d.ts' */
/** @import {Scene} from './view.js' */

export const MINUTES = 5;
const MOST_TOWNSHIPS = 7;
const MOST_GRIDS = 8;

/** Class of each grid by its code; -1 where there is no road. @param {Cover} cover @returns {Map<string, number>} */
export const classesByGrid = (cover) =>
  new Map(cover.items.filter((row) => row.tier === 4).map((row) => [row.code, classOf('reach', row, MINUTES)]));

/** The areas right below the county, those with most grids out of reach first. @param {Cover} cover */
export function worstBelow(cover) {
  const top = cover.items[0];
  return cover.items
    .filter((row) => top && row.parent === top.code && row.measured > 0)
    .map((row) => ({ row, n: row.reached[MINUTES] ?? 0, d: row.measured }))
    .sort((a, b) => b.d - b.n - (a.d - a.n) || a.n / a.d - b.n / b.d || (a.row.code < b.row.code ? -1 : 1));
}

/** @param {number | null} seconds */
const minutes = (seconds) => (seconds === null ? '–' : (seconds / 60).toFixed(1));
/** @param {number | null} share */
const whole = (share) => (share === null ? '–' : `${Math.round(share * 100)}%`);

/** The sentence over the map. @param {Cover} cover */
export function coverStory(cover) {
  const top = cover.items[0];
  if (!top) return t('wall.cover.none');
  if (cover.responders.counted === 0) return t('lead.story.nobody');
  const { worst, far, bare, unstaffed, unseen } = storyOf(cover.items, top, MINUTES);
  if (!worst) return t('lead.story.fine', { name: top.name, m: MINUTES, unstaffed, unseen });
  return t('lead.story.worst', { name: worst.row.name, n: worst.far, m: MINUTES, top: top.name, all: far }) + (bare ? t('lead.story.bare', { n: worst.bare }) : '');
}

/** @param {{cover: Cover, top: AreaCover}} props */
function ReachPanel({ cover, top }) {
  const reached = { n: top.reached[MINUTES] ?? 0, d: top.measured };
  return html`<section class="p today"><h2>${t('lead.card.reach', { m: MINUTES })}<small>${t('wall.cover.as_of', { at: timeOfDay(cover.as_of) })}</small></h2>
    <div class="lead"><b class="hero">${percent(reached)}</b>
      <div><p>${t('wall.cover.reached', { n: reached.n, d: reached.d })}</p><p class="nd">${t(cover.method === 'road' ? 'wall.cover.road' : 'wall.cover.ground', { share: whole(reachOf(top, MINUTES)) })}</p></div></div>
    <div class="cv3">${[3, 5, 10].map((m) => html`<div key=${m}><span class="t2">${t('lead.n_minutes', { n: m })}</span><b>${whole(reachOf(top, m))}</b></div>`)}
      <div><span class="t2">P50</span><b>${minutes(top.median_s)}<small>${t('lead.minutes')}</small></b></div><div><span class="t2">P90</span><b>${minutes(top.p90_s)}<small>${t('lead.minutes')}</small></b></div></div>
  </section>`;
}

/** @param {{cover: Cover}} props */
function BelowPanel({ cover }) {
  const rows = worstBelow(cover);
  return html`<section class="p hours"><h2>${t('wall.cover.below')}<small>${t('wall.cover.below_note')}</small></h2>
    ${rows.slice(0, MOST_TOWNSHIPS).map(({ row, n, d }) => html`<div class="cb" key=${row.code}><span class="nm">${row.name}</span><${Track} n=${n} d=${d} tone="blue" /><${RateText} n=${n} d=${d} /></div>`)}
    ${rows.length > MOST_TOWNSHIPS && html`<p class="nd">${t('wall.cover.below_more', { n: rows.length - MOST_TOWNSHIPS })}</p>`}
  </section>`;
}

/** @param {{cover: Cover}} props */
function GridsPanel({ cover }) {
  const rows = new Map(cover.items.map((row) => [row.code, row]));
  const found = wanting(cover.items, MINUTES, 'any');
  return html`<section class="p villages"><h2>${t('lead.wanting')}<small>${t('wall.cover.wanting_note', { n: found.length })}</small></h2>
    ${found.length === 0 && html`<p class="none">${t('lead.wanting.none')}</p>`}
    ${found.slice(0, MOST_GRIDS).map(({ row, lacks }) => html`<div class="cg" key=${row.code}><span class="nm">${row.name}</span><span class="nm t2">${pathTo(rows, row.code).at(-3)?.name ?? ''}</span><span class="t2">${lacks.map((lack) => t(`lead.lack.${lack}`)).join(' ')}</span><b>${whole(reachOf(row, MINUTES))}</b></div>`)}
  </section>`;
}

/** @param {{scene: Scene}} props */
export function CoverPanels({ scene }) {
  const { cover } = scene;
  const top = cover?.items[0];
  if (!cover || !top) return html`<section class="p today"><h2>${t('lead.title')}</h2><p class="none">${t(cover ? 'wall.cover.none' : 'lead.reading')}</p></section>`;
  return html`<${ReachPanel} cover=${cover} top=${top} /><${BelowPanel} cover=${cover} /><${GridsPanel} cover=${cover} />`;
}

/** @param {{cover: Cover}} props */
export function CoverLegend({ cover }) {
  const grids = cover.items.filter((row) => row.tier === 4);
  const counts = new Map();
  for (const row of grids) counts.set(classOf('reach', row, MINUTES), (counts.get(classOf('reach', row, MINUTES)) ?? 0) + 1);
  const unseen = grids.filter((row) => lacksOf(row, MINUTES).includes('seen')).length;
  return html`${classesOf('reach').map((n) => html`<span key=${n}><i class=${`cov c${n}`}></i>${t(`lead.class.reach.${n}`)} ${counts.get(n) ?? 0}</span>`)}
    <span><i class="hatch"></i>${t('wall.legend.vacant', { n: grids.filter((row) => !row.staffed).length })}</span>
    <span class="t2">${t('wall.cover.unseen', { n: unseen })}</span>`;
}
