// The grids coloured by the chosen measure: dark is covered, sand is a gap, hatched has no worker. Grids are painted, people
// and places stand above them as elements.
import { t } from '../i18n.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../ui/h.js';
import { GRID, MEASURES, classOf, classesOf, lacksOf, pathTo, reachOf, within } from './figures.js';
import { sendAway } from './read.js';
import { gridAt, paint, shapesOf } from './paint.js';
import { boxOf, framed, pathOf, projection } from './shape.js';
import { choose, placed, set, topRow, ui } from './state.js';
import { minutesOf, percent } from './words.js';

/** @import {Box, Project} from './shape.js' */

const LEGEND_PX = 150;
/** Areas below the one looked at are named, until their names would cover each other. */
const MOST_LABELS = 40;
const LABEL_PX = 13;
const CHARACTER_PX = 13.5;
/** @type {Record<string, string>} */
const KIND_CLASS = { police: 'police', grid_worker: 'worker', grid_chief: 'worker', emergency_member: 'team', mediator: 'other', volunteer: 'other', street_chief: 'other' };

/** The size of an element in px. @param {{current: HTMLElement | null}} box */
function useSize(box) {
  const [size, setSize] = useState([800, 500]);
  useEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => setSize([entry.contentRect.width, entry.contentRect.height]));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return size;
}

/** @param {{project: Project, unit: number}} props */
function Marks({ project, unit }) {
  const people = ui.showPeople ? placed() : [];
  return html`<g class="marks">
    ${people.map((person) => {
      const [x, y] = project(/** @type {number} */ (person.lon), /** @type {number} */ (person.lat));
      const kind = KIND_CLASS[person.kind] ?? 'other';
      const chosen = person.id === ui.person;
      const r = (chosen ? 5.5 : 3) * unit;
      return html`<g class=${`dot ${kind} ${chosen ? 'on' : ''}`} key=${person.id} onClick=${() => sendAway(person.id)}>
        <title>${person.name} · ${t(`kind.${person.kind}`)}</title><circle class="grab" cx=${x} cy=${y} r=${9 * unit} />
        ${kind === 'police' ? html`<rect x=${x - r} y=${y - r} width=${2 * r} height=${2 * r} />` : kind === 'team' ? html`<path d=${`M${x} ${y - 1.5 * r}L${x + 1.4 * r} ${y + r}H${x - 1.4 * r}Z`} />` : html`<circle cx=${x} cy=${y} r=${r} />`}</g>`;
    })}
    ${(ui.posts ?? []).map((post, n) => {
      const [x, y] = project(post.lon, post.lat);
      return html`<g class="post" key=${`post-${n}`}><circle cx=${x} cy=${y} r=${10 * unit} /><text x=${x} y=${y + 4.5 * unit} font-size=${13 * unit}>${n + 1}</text></g>`;
    })}</g>`;
}

/** @param {{at: {code: string, x: number, y: number}, wide: number}} props */
function Tip({ at, wide }) {
  const row = ui.rows.get(at.code);
  if (!row) return null;
  const lacks = lacksOf(row, ui.minutes);
  const where = pathTo(ui.rows, at.code).slice(1, -1).map((area) => area.name).join(' › ');
  const worker = row.workers?.length ? row.workers.map((one) => one.name).join('、') : row.staffed ? t('lead.staffed') : t('lead.vacant');
  const side = at.x > wide - 250 ? `right:${wide - at.x + 14}px` : `left:${at.x + 14}px`;
  return html`<div class="tip" style=${`${side};top:${at.y + 10}px`}><b>${row.name}</b><small>${where}</small>
    <dl><dt>${t('lead.col.staffed')}</dt><dd class=${lacks.includes('staffed') ? 'gap' : ''}>${worker}${row.on_duty ? ` · ${t('lead.on_duty')}` : ''}</dd>
    <dt>${t('lead.card.reach', { m: ui.minutes })}</dt><dd class=${lacks.includes('reach') ? 'gap' : ''}>${percent(reachOf(row, ui.minutes))}</dd>
    <dt>P50 · P90</dt><dd>${minutesOf(row.median_s)} · ${minutesOf(row.p90_s)} ${t('lead.minutes')}</dd>
    <dt>${t(row.seen_basis === 'theoretical' ? 'lead.seen.theoretical' : 'lead.card.seen')}</dt><dd class=${lacks.includes('seen') ? 'gap' : ''}>${row.watched ? percent(row.seen, 2) : t('lead.unseen')}</dd></dl></div>`;
}

function Legend() {
  const { measure, minutes, rows, chosen } = ui;
  const { counts, bare } = useMemo(() => {
    const grids = within(rows, chosen).filter((row) => row.tier === GRID);
    const found = new Map();
    for (const row of grids) found.set(classOf(measure, row, minutes), (found.get(classOf(measure, row, minutes)) ?? 0) + 1);
    return { counts: found, bare: grids.filter((row) => !row.staffed).length };
  }, [rows, chosen, measure, minutes]);
  const count = (/** @type {number} */ n) => counts.get(n) ?? 0;
  const none = count(-1);
  return html`<div class="legend"><p>${t(measure === 'seen' ? `lead.legend.seen.${topRow()?.seen_basis ?? 'theoretical'}` : `lead.legend.${measure}`, { m: minutes })}</p>
    <ul>${classesOf(measure).map((n) => html`<li key=${n} data-testid=${`class-${n}`}><i class=${`cov c${n}`}></i>${t(`lead.class.${measure}.${n}`)}<b>${count(n)}</b></li>`)}
    ${none > 0 && html`<li><i class="cov none"></i>${t('lead.class.none')}<b>${none}</b></li>`}
    ${(measure === 'reach' || measure === 'seen') && html`<li class="apart"><i class="cov hatched"></i>${t('lead.vacant')}<b>${bare}</b></li>`}</ul>
    ${measure === 'reach' && html`<label><input type="checkbox" checked=${ui.showGaps} onChange=${() => set({ showGaps: !ui.showGaps })} /><i class="line"></i>${t('lead.show.gaps')}</label>`}
    <label><input type="checkbox" checked=${ui.showPeople} onChange=${() => set({ showPeople: !ui.showPeople })} /><i class="spot"></i>${t('lead.show.people')}</label></div>`;
}

export function CoverMap() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [wide, high] = useSize(box);
  const [hover, setHover] = useState(/** @type {{code: string, x: number, y: number} | null} */ (null));
  const { outlines, measure, minutes, rows, cover, chosen } = ui;
  const project = useMemo(() => (ui.district.bounds ? projection(ui.district.bounds) : null), []);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const shapes = useMemo(() => new Map([1, 2, 3, 4].map((tier) => [tier, shapesOf(outlines.get(tier), project)])), [outlines, project]);
  const chosenTier = rows.get(chosen)?.tier ?? 0;
  const { view, unit } = useMemo(() => {
    const all = [...outlines.values()].flatMap((one) => one.features);
    const picked = chosen ? all.filter((/** @type {any} */ feature) => feature.id === chosen) : all;
    /** @type {Box} */
    const whole = (project && boxOf(picked.map((feature) => feature.geometry), project)) ?? [0, 0, 1000, 700];
    // A grid alone shows nothing: its neighbours stand about it.
    const more = chosenTier === GRID ? Math.max(whole[2], whole[3]) * 0.8 : 0;
    return framed([whole[0] - more, whole[1] - more, whole[2] + 2 * more, whole[3] + 2 * more], wide, high, LEGEND_PX);
  }, [outlines, chosen, wide, high, project]);
  const gaps = useMemo(() => (project ? (cover?.gaps.features ?? []).map((gap) => new Path2D(pathOf(gap.geometry, project))) : []), [cover, project]);
  const theme = document.documentElement.dataset.theme;
  useLayoutEffect(() => {
    if (!canvas.current) return;
    const striped = measure === 'reach' || measure === 'seen';
    paint(
      canvas.current,
      {
        grids: shapes.get(4) ?? [],
        borders: [3, 2, 1].map((tier) => shapes.get(tier) ?? []),
        classOf: (code) => {
          const row = rows.get(code);
          return row ? classOf(measure, row, minutes) : -1;
        },
        bare: (code) => striped && rows.get(code)?.staffed === 0,
        gaps: ui.showGaps && measure === 'reach' ? gaps : [],
        view,
        unit,
      },
      wide,
      high,
    );
  }, [shapes, rows, measure, minutes, gaps, ui.showGaps, view, unit, wide, high, theme]);
  const opened = project ? (ui.without?.opened.features ?? []).map((gap, n) => html`<path key=${n} class="opened" d=${pathOf(gap.geometry, project)} />`) : [];
  const labels = useMemo(() => (project ? labelsOf(project, unit, chosenTier) : []), [project, unit, chosenTier, rows, chosen, ui.posts]);
  const outline = useMemo(() => {
    const feature = chosen ? [...outlines.values()].flatMap((one) => one.features).find((/** @type {any} */ one) => one.id === chosen) : null;
    return feature && project ? pathOf(feature.geometry, project) : null;
  }, [outlines, chosen, project]);
  /** The grid under the pointer. @param {MouseEvent} event */
  const under = (event) => {
    if (!box.current || (event.target instanceof Element && event.target.closest('.legend'))) return null;
    const frame = box.current.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const code = gridAt(shapes.get(4) ?? [], view[0] + x * unit, view[1] + y * unit);
    return code === null ? null : { code, x, y };
  };
  /** @param {MouseEvent} event */
  const click = (event) => {
    if (event.target instanceof Element && event.target.closest('.dot')) return;
    const code = under(event)?.code;
    if (!code || !rows.has(code)) return;
    // One tier down at a time: a click in the county opens the township, there the village, there the grid.
    const path = pathTo(rows, code);
    const at = Math.max(0, path.findIndex((area) => area.code === chosen));
    choose((path[at + 1] ?? path[at]).code);
  };
  return html`<section class="panel map-panel" aria-label=${t('lead.map')}>
    <header><div class="seg" role="group" aria-label=${t('lead.measure')}>${MEASURES.map((one) => html`<button key=${one} class=${one === measure ? 'on' : ''} aria-pressed=${one === measure} onClick=${() => set({ measure: one })} data-testid=${`measure-${one}`}>${t(`lead.measure.${one}`, { m: minutes })}</button>`)}</div>
      <small>${cover ? t(cover.method === 'road' ? 'lead.basis.road' : 'lead.basis.line', { n: cover.responders.counted }) : ''}</small></header>
    <div class="canvas" ref=${box} onPointerMove=${(/** @type {PointerEvent} */ event) => setHover(under(event))} onPointerLeave=${() => setHover(null)} onClick=${click} data-testid="lead-map">
      <canvas ref=${canvas} class=${hover ? 'over' : ''} data-grids=${(shapes.get(4) ?? []).length}></canvas>
      <svg viewBox=${view.join(' ')} preserveAspectRatio="xMidYMid meet" role="img" aria-label=${t('lead.map')}>
        <g class="quiet">${opened}${outline && html`<path class="chosen" d=${outline} />`}</g>
        ${project && html`<${Marks} project=${project} unit=${unit} />`}
        <g class="quiet names" font-size=${LABEL_PX * unit}>${labels}</g>
      </svg>
      ${hover && html`<${Tip} at=${hover} wide=${wide} />`}
      <${Legend} />
    </div></section>`;
}

/** @param {Project} project @param {number} unit @param {number} chosenTier */
function labelsOf(project, unit, chosenTier) {
  const tier = Math.min(Math.max(chosenTier + 1, 2), GRID);
  const inside = (chosenTier === GRID ? [...ui.rows.values()] : within(ui.rows, ui.chosen)).filter((row) => row.tier === tier);
  /** @type {[number, number, number, number][]} */
  const taken = (ui.posts ?? []).map((post) => [...project(post.lon, post.lat), 11 * unit, 11 * unit]);
  const drawn = [];
  for (const row of inside.sort((a, b) => b.area_m2 - a.area_m2)) {
    const [x, y] = project(row.label_point[0], row.label_point[1]);
    const half = (row.name.length * CHARACTER_PX * unit) / 2;
    const tall = LABEL_PX * unit;
    const free = (/** @type {number} */ at) => !taken.some(([cx, cy, w, h]) => Math.abs(cx - x) < w + half && Math.abs(cy - at) < h + tall / 2);
    // Where a marker stands, the name goes under or above it.
    const at = [y, y + 1.5 * tall, y - 1.5 * tall].find(free);
    if (drawn.length >= MOST_LABELS || at === undefined) continue;
    taken.push([x, at, half, tall / 2]);
    drawn.push(html`<text key=${row.code} x=${x} y=${at + 0.35 * tall}>${row.name}</text>`);
  }
  return drawn;
}
