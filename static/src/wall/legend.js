// The line under the map: what is drawn on it and how many, and how far a kilometre is.

import { openIncidents } from '../board.js';
import { t } from '../i18n.js';
import { scaleBar } from '../map/sphere.js';
import { html } from '../ui/h.js';
import { ClosureMark, liveClosures } from '../ui/closures.js';
import { KindMark, LevelMark } from '../ui/shapes.js';
import { CoverLegend } from './coverage.js';

/** @import {Scene} from './view.js' */

const BAR_PX = 120;

/** @param {{scene: Scene}} props */
export function Legend({ scene }) {
  const open = openIncidents(scene.board);
  const levels = ['I', 'II', 'III', 'IV'].map((level) => ({ level, n: open.filter((item) => item.level === level).length })).filter((row) => row.n > 0);
  const people = Object.entries(scene.summary?.on_duty.by_kind ?? {}).filter(([, row]) => row.online > 0)
    .sort((a, b) => b[1].online - a[1].online).slice(0, levels.length > 3 ? 2 : 3);
  const vacant = scene.summary?.staffing.vacant ?? 0;
  const closed = liveClosures(scene.board.closures).filter((one) => one.state === 'in_force').length;
  const scale = scene.metresPerPixel;
  const bar = scale === null ? null : scaleBar(scale, BAR_PX);
  const covering = scene.theme === 'coverage' && scene.cover;
  return html`<div class="legend">
    ${covering ? html`<${CoverLegend} cover=${covering} />` : html`${levels.map((row) => html`<span key=${row.level}><${LevelMark} level=${row.level} hollow size=${20} />${t('wall.legend.level', { level: t(`level.${row.level}`), n: row.n })}</span>`)}
    ${people.map(([kind, row]) => html`<span key=${kind}><${KindMark} kind=${kind} size=${18} />${t('wall.legend.kind', { kind: t(`kind.${kind}`), n: row.online })}</span>`)}
    ${closed > 0 && html`<span><${ClosureMark} state="in_force" size=${18} />${t('closure.legend', { n: closed })}</span>`}
    ${vacant > 0 && html`<span><i class="hatch"></i>${t('wall.legend.vacant', { n: vacant })}</span>`}`}
    ${scene.mapFault && html`<span class="warn">${t('wall.basemap_fault')}</span>`}
    ${bar && html`<em><u style=${{ width: `${bar.px}px` }}></u>${bar.metres >= 1000 ? t('wall.km', { n: bar.metres / 1000 }) : t('wall.m', { n: bar.metres })}</em>`}
  </div>`;
}
