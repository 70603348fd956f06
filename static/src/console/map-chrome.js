// What frames the map: breadcrumb, layer switches, zoom, legend with scale, and who moves the map.
import { t } from '../i18n.js';
import { baseNoteText, creditsText } from '../map/base-note.js';
import { scaleBar } from '../map/sphere.js';
import { html } from '../ui/h.js';
import { ClosureMark, liveClosures } from '../ui/closures.js';
import { KindMark } from '../ui/shapes.js';
import { openArea, select } from './actions.js';
import { showsCross } from './closure-draw.js';
import { home, loadPlaces } from './map-bridge.js';
import { board, set, ui } from './state.js';

const LAYERS = /** @type {const} */ (['areas', 'incidents', 'people', 'cameras', 'places']);
const SCALE_PX = 140;

/** @returns {{px: number, text: string}} */
function scale() {
  if (!ui.map) return { px: 0, text: '' };
  const { px, metres } = scaleBar(ui.map.metresPerPixel, SCALE_PX);
  return { px, text: metres >= 1000 ? `${metres / 1000} km` : `${metres} m` };
}

/** Ours, the customer's, or pictures from above: only where there is something to choose. */
function BaseSwitch() {
  const { base } = ui;
  if (!base || base.modes.length < 2) return null;
  return html`<div class="layers bases" role="radiogroup" aria-label=${t('console.base')} data-testid="bases">${base.modes.map(
    (mode) => html`<button role="radio" aria-checked=${base.mode === mode} class=${base.mode === mode ? 'on' : ''} key=${mode} data-testid=${`base-${mode}`}
      title=${base.sources.find((source) => source.slot === mode)?.name ?? ''} onClick=${() => base.choose(mode)}>${t(`console.base.${mode}`)}</button>`,
  )}</div>`;
}

/** That the customer's map is not what it should be, and whose map is shown. */
function BaseNotes() {
  const { base } = ui;
  const note = base?.note;
  return html`${note && html`<div class="base-fault" role="status" data-testid="base-note">${baseNoteText(note)}</div>`}<div class="credits">${creditsText(base)}</div>`;
}

export function MapChrome() {
  const bar = scale();
  const crumbs = ui.crumbs;
  const closures = liveClosures(board().closures);
  const closed = closures.filter((one) => one.state === 'in_force').length;
  const listed = ui.selection?.kind.startsWith('closure') ?? false;
  return html`<div class="map-chrome">
    <div class="map-top">
      ${crumbs.length > 0 && html`<nav class="crumb" aria-label=${t('console.crumb')}>${crumbs.map((item, index) => html`${index > 0 && html`<i>›</i>`}<button class=${index === crumbs.length - 1 ? 'last' : ''} key=${item.code} onClick=${() => openArea(item.code)}>${item.name}</button>`)}</nav>`}
      <div class="layers" role="group" aria-label=${t('console.layers')}>${LAYERS.map(
        (
          name,
        ) => html`<button aria-pressed=${ui.layers[name]} class=${ui.layers[name] ? 'on' : ''} data-testid=${`layer-${name}`}
        onClick=${() => {
          const layers = { ...ui.layers, [name]: !ui.layers[name] };
          ui.map?.setShown(name, layers[name]);
          if (name === 'places') void loadPlaces();
          set({ layers });
        }}>${t(`console.layer.${name}`)}</button>`,
      )}</div>
      <button class=${`closures-button ${closed ? 'some' : ''}`} aria-pressed=${listed} title=${t('closure.title')} data-testid="closures-button" onClick=${() => select({ kind: 'closures', id: 'all' })}>
        <${ClosureMark} state=${closed || !closures.length ? 'in_force' : 'planned'} size=${16} />${t('closure.short')}${closures.length > 0 && html` <b>${closures.length}</b>`}</button>
      <${BaseSwitch} />
    </div>
    <div class="zoom"><button aria-label=${t('console.zoom.in')} onClick=${() => ui.map?.zoomBy(1)}>＋</button><button aria-label=${t('console.zoom.out')} onClick=${() => ui.map?.zoomBy(-1)}>－</button>
      <button aria-label=${t('console.zoom.home')} title=${t('console.zoom.home')} onClick=${() => {
        ui.map?.fit(ui.district.bounds);
        ui.map?.release();
      }}>◎</button></div>
    <div class="legend"><span><${KindMark} kind="police" size=${14} />${t('kind.police')}</span><span><${KindMark} kind="grid_worker" size=${14} />${t('kind.grid_worker')}</span>
      <span><${KindMark} kind="emergency_member" size=${14} />${t('console.legend.team')}</span><span><${KindMark} kind="grid_worker" hollow size=${14} />${t('console.legend.hollow')}</span>
      <span><${KindMark} kind="grid_worker" stale size=${14} />${t('console.legend.stale')}</span>${closures.length > 0 && html`<span><${ClosureMark} state="in_force" size=${14} />${t('closure.sign')}</span>`}<span><i class="cam"></i>${t('console.count.cameras')}</span><span><i class="cam late"></i>${t('console.legend.camera_late')}</span><span><i class="cam off"></i>${t('camera.status.offline')}</span>
      <span class="scale"><i style=${{ width: `${bar.px}px` }}></i>${bar.text}</span></div>
    ${showsCross() && html`<div class="draw-cross" aria-hidden="true"></div>`}
    ${ui.map?.touched && html`<div class="held" data-testid="map-held">${t('console.map.held')} <button onClick=${home} data-testid="map-home"><kbd>H</kbd> ${t('console.map.home')}</button></div>`}
    <${BaseNotes} />
    ${ui.map?.fault && html`<div class="base-fault" role="status">${t('console.map.no_base')}</div>`}
  </div>`;
}
