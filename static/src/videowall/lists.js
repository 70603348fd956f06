// The other two lists at the side: tours to start, layouts to load.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { loadLayout, pauseOrResume, startTour, stopTour } from './actions.js';
import { cameras, layouts, may, nowMs, set, tours, ui } from './state.js';
import { camerasOf, inWindow } from './tours.js';
import { minuteOfDay } from './words.js';

/** @template {{name: string, id: string}} T @param {Record<string, T>} things @returns {T[]} */
const byName = (things) =>
  Object.values(things).sort((a, b) => a.name.localeCompare(b.name, 'zh-CN', { numeric: true }) || (a.id < b.id ? -1 : 1));

/** @param {{text: string, help: string, action: string, onAction: () => void, id: string, disabled?: boolean}} props */
const Blank = ({ text, help, action, onAction, id, disabled = false }) => html`<div class="blank" data-testid=${id}><b>${text}</b><p>${help}</p>
  ${may('video.manage') && html`<button class="btn sm out" disabled=${disabled} onClick=${onAction}>${action}</button>`}</div>`;

export function TourList() {
  const list = byName(tours());
  const create = () => set({ dialog: { kind: 'tour', tour: null } });
  if (!list.length)
    return html`<${Blank} text=${t('video.tour.none')} help=${t('video.tour.none_help')} action=${t('video.tour.new')} onAction=${create} id="tours-empty" />`;
  const minute = minuteOfDay(nowMs());
  return html`<ul class="things" data-testid="tours">${list.map((tour) => {
    const n = camerasOf(tour, cameras()).length;
    const running = ui.run?.tourId === tour.id;
    const hours = tour.from && tour.to ? `${tour.from}–${tour.to}` : t('video.tour.all_day');
    const now = tour.enabled && inWindow(tour, minute);
    return html`<li key=${tour.id} class=${running ? 'on' : ''} data-testid="tour">
      <div class="thing"><b>${tour.name}</b><p>${tour.group && tour.group !== tour.name ? `${t('video.tour.of_group', { group: tour.group })} · ` : ''}${t('video.tour.n_cameras', { n })} · ${t('video.tour.each', { split: tour.split, s: tour.dwell_s })}${now && !tour.from ? ` · ${hours}` : ''}</p>
        ${(!now || tour.from) && html`<p class=${now ? '' : 'dim'}>${tour.enabled ? hours : t('video.tour.off')}${tour.enabled && !now ? ` · ${t('video.tour.not_now')}` : ''}</p>`}</div>
      <div class="acts">
        ${
          running
            ? html`<button class="btn sm" onClick=${pauseOrResume}>${t(ui.run?.pausedAt_ms === null ? 'video.tour.pause' : 'video.tour.resume')}</button><button class="btn sm" onClick=${stopTour}>${t('video.tour.stop')}</button>`
            : html`<button class="btn sm out" disabled=${!n} onClick=${() => startTour(tour)} data-testid="tour-start">${t('video.tour.start')}</button>`
        }
        ${
          may('video.manage') &&
          html`<button class="link plain" onClick=${() => set({ dialog: { kind: 'tour', tour } })} data-testid="tour-edit">${t('video.edit')}</button>
        <button class="link plain" onClick=${() => set({ dialog: { kind: 'remove', what: 'tours', id: tour.id, name: tour.name } })} data-testid="tour-remove">${t('video.remove')}</button>`
        }</div></li>`;
  })}</ul>${may('video.manage') && html`<div class="side-act"><button class="btn sm" onClick=${create} data-testid="tour-new">${t('video.tour.new')}</button></div>`}`;
}

export function LayoutList() {
  const list = byName(layouts());
  const create = () => set({ dialog: { kind: 'layout', layout: null } });
  const filled = ui.grid.cells.slice(0, ui.grid.split).some(Boolean);
  if (!list.length)
    return html`<${Blank} text=${t('video.layout.none')} help=${t('video.layout.none_help')} action=${t('video.layout.save_as')} onAction=${create} disabled=${!filled} id="layouts-empty" />`;
  return html`<ul class="things" data-testid="layouts">${list.map((layout) => {
    const names = layout.cells.map((id) => (id ? cameras()[id]?.name : null)).filter(Boolean);
    return html`<li key=${layout.id} class=${ui.layout?.id === layout.id ? 'on' : ''} data-testid="layout">
      <div class="thing"><b>${layout.name}</b><p>${t('video.layout.about', { split: layout.split, n: names.length })}</p><p class="dim cut">${names.join(t('join.list'))}</p></div>
      <div class="acts"><button class="btn sm out" onClick=${() => loadLayout(layout)} data-testid="layout-load">${t('video.layout.load')}</button>
        ${
          may('video.manage') &&
          html`<button class="link plain" onClick=${() => set({ dialog: { kind: 'layout', layout } })} data-testid="layout-rename">${t('video.rename')}</button>
        <button class="link plain" onClick=${() => set({ dialog: { kind: 'remove', what: 'layouts', id: layout.id, name: layout.name } })} data-testid="layout-remove">${t('video.remove')}</button>`
        }</div></li>`;
  })}</ul>${may('video.manage') && html`<div class="side-act"><button class="btn sm" disabled=${!filled} onClick=${create}>${t('video.layout.save_as')}</button></div>`}`;
}
