// Above the grid: how many tiles, which layout, which tour runs and how far it is.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { clearAll, nextOfTour, pauseOrResume, runningTour, saveLayout, split, stopTour } from './actions.js';
import { SPLITS, sameAs, sideOf } from './grid.js';
import { fullScreen } from './grid-view.js';
import { cameras, layouts, may, note, nowMs, set, ui } from './state.js';
import { camerasOf, inWindow, pagesOf, shareOf } from './tours.js';
import { minuteOfDay } from './words.js';

/** The split as a picture of its tiles. @param {{n: number}} props */
function SplitMark({ n }) {
  const step = 14 / n;
  const lines = Array.from({ length: n - 1 }, (_, index) => 1 + step * (index + 1));
  return html`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><rect x="1" y="1" width="14" height="14" rx="1" />
    ${lines.map((at) => html`<path d=${`M${at} 1V15M1 ${at}H15`} />`)}</svg>`;
}

function LayoutPart() {
  const { layout, grid, run } = ui;
  if (run) return null;
  const kept = layout ? layouts()[layout.id] : undefined;
  const changed = kept ? !sameAs(grid, kept) : false;
  const again = async () => {
    if (!kept) return;
    const words = await saveLayout(kept, kept.name, true);
    note(words || t('video.layout.saved', { name: kept.name }));
  };
  return html`<div class="layout-part">
    ${kept && html`<span class="layout-name" data-testid="layout-name">${kept.name}${changed && html`<em>${t('video.layout.changed')}</em>`}</span>`}
    ${kept && changed && may('video.manage') && html`<button class="btn sm" onClick=${() => void again()} data-testid="layout-again">${t('video.layout.again')}</button>`}
    ${may('video.manage') && html`<button class="btn sm" onClick=${() => set({ dialog: { kind: 'layout', layout: null } })} disabled=${!grid.cells.slice(0, grid.split).some(Boolean)} data-testid="layout-save">${t('video.layout.save_as')}</button>`}
    <button class="btn sm ghost" onClick=${clearAll} disabled=${!grid.cells.slice(0, grid.split).some(Boolean)} data-testid="clear-all">${t('video.clear_all')}</button></div>`;
}

function TourPart() {
  const { run } = ui;
  const tour = runningTour();
  if (!run || !tour) return null;
  const now = nowMs();
  const paused = run.pausedAt_ms !== null;
  const waiting = !inWindow(tour, minuteOfDay(now));
  const share = shareOf(run, tour, now);
  const left_s = Math.max(0, Math.ceil(tour.dwell_s * (1 - share)));
  const list = camerasOf(tour, cameras());
  const state = waiting ? t('video.tour.waiting', { from: tour.from ?? '', to: tour.to ?? '' }) : paused ? t('video.tour.paused') : t('video.tour.left', { s: left_s });
  return html`<div class=${`tour-part ${paused || waiting ? 'held' : ''}`} data-testid="tour-running">
    <span class="tour-name"><i aria-hidden="true">${paused || waiting ? '❚❚' : '▶'}</i><b>${tour.name}</b></span>
    <span class="page" data-testid="tour-page">${t('video.tour.page', { page: run.page, pages: Math.max(run.page, pagesOf(list, tour.split)) })}</span>
    <progress max="1" value=${share} aria-label=${t('video.tour.progress')}></progress><span class="left">${state}</span>
    ${run.skipped > 0 && html`<span class="skipped">${t('video.tour.skipped', { n: run.skipped })}</span>`}
    <button class="btn sm" onClick=${pauseOrResume} data-testid="tour-pause">${t(paused ? 'video.tour.resume' : 'video.tour.pause')} <kbd>P</kbd></button>
    <button class="btn sm" onClick=${nextOfTour} data-testid="tour-next">${t('video.tour.next')} <kbd>N</kbd></button>
    <button class="btn sm" onClick=${stopTour} data-testid="tour-stop">${t('video.tour.stop')} <kbd>S</kbd></button></div>`;
}

export function Toolbar() {
  const { grid, run } = ui;
  return html`<div class="bar">
    <div class="seg splits" role="group" aria-label=${t('video.split')}>${SPLITS.map(
      (n) => html`<button key=${n} class=${grid.split === n ? 'on' : ''} aria-pressed=${grid.split === n} disabled=${Boolean(run)} onClick=${() => split(n)}
      title=${t('video.split.n', { n })} data-testid=${`split-${n}`}><${SplitMark} n=${sideOf(n)} />${n}</button>`,
    )}</div>
    <${LayoutPart} /><${TourPart} />
    <button class="btn sm ghost end" onClick=${() => void fullScreen(document.querySelector('.grid'))} data-testid="grid-full">${t('video.grid.full')}</button></div>`;
}
