// The page: top bar, queue, map with its strip, drawer, command line. Fixed places, nothing ever covers the next action.
import { t } from '../i18n.js';
import { html, useEffect, useErrorBoundary, useRef, useState } from '../ui/h.js';
import { AreaDrawer, PointDrawer } from './area-drawer.js';
import { CameraDrawer } from './camera-drawer.js';
import { ClosureDrawer, ClosuresDrawer } from './closure-drawer.js';
import { ClosureForm } from './closure-form.js';
import { CommandLine } from './cmdline.js';
import { FormDrawer } from './form-drawer.js';
import { IncidentDrawer } from './incident-drawer.js';
import { KEY_LIST } from './keys.js';
import { startMap, syncMap } from './map-bridge.js';
import { MapChrome } from './map-chrome.js';
import { PersonDrawer } from './person-drawer.js';
import { Queue, queueGroups } from './queue.js';
import { keyOf, onRedraw, set, ui } from './state.js';
import { CameraStrip } from './strip.js';
import { Toasts } from './toasts.js';
import { AlarmVoice, StaleBanner, TopBar } from './topbar.js';

function Drawer() {
  const { selection } = ui;
  switch (selection?.kind) {
    case 'incident':
      return html`<${IncidentDrawer} id=${selection.id} key=${selection.id} />`;
    case 'area':
      return html`<${AreaDrawer} code=${selection.id} key=${selection.id} />`;
    case 'responder':
      return html`<${PersonDrawer} id=${selection.id} key=${selection.id} />`;
    case 'camera':
      return html`<${CameraDrawer} id=${selection.id} key=${selection.id} />`;
    case 'point':
      return html`<${PointDrawer} key=${selection.id} />`;
    case 'form':
      return html`<${FormDrawer} key="form" />`;
    case 'closures':
      return html`<${ClosuresDrawer} key="closures" />`;
    case 'closure':
      return html`<${ClosureDrawer} id=${selection.id} key=${selection.id} />`;
    case 'closure-form':
      return html`<${ClosureForm} key="closure-form" />`;
    default:
      return html`<div class="drawer-empty" data-testid="drawer-empty"><h2>${t('console.nothing')}</h2>
        <p>${queueGroups().waiting.length ? t('console.nothing.waiting') : t('console.nothing.quiet')}</p>
        <ul>${[
          ['Enter', 'claim'],
          ['J', 'next'],
          ['N', 'new'],
          ['/', 'command'],
        ].map(([key, word]) => html`<li><kbd>${key}</kbd>${t(`console.key.${word}`)}</li>`)}</ul></div>`;
  }
}

function Help() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.focus(), []);
  return html`<div class="help" role="dialog" aria-modal="true" aria-label=${t('console.keys')} tabindex="-1" ref=${box} data-testid="help" onClick=${() => set({ help: false })}>
    <div><h2>${t('console.keys')}</h2><dl>${KEY_LIST.map(([key, word]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${t(`console.key.${word}`)}</dd></div>`)}</dl></div></div>`;
}

/** The map's element is made once and never rendered again. */
function MapBox() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [fault, setFault] = useState('');
  useEffect(() => {
    if (box.current)
      startMap(box.current).catch((error) => {
        console.error(error);
        setFault(String(error?.message ?? error));
      });
  }, []);
  return html`<section class="map-box" aria-label=${t('console.map')} data-testid="map"><div class="map" ref=${box}></div>
    ${fault && html`<p class="map-fault" role="alert">${t('console.map.fault', { detail: fault })}</p>`}
    ${mapFault && html`<p class="map-fault" role="alert">${t('console.map.fault', { detail: mapFault })}</p>`}
    <${Region}><${MapChrome} /><${Toasts} /><//></section>`;
}

/** A part of the page that fails says so in its own place and leaves the others running.
 * @param {{children: unknown}} props
 */
function Region({ children }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  if (!error) return children;
  return html`<p class="fault region" role="alert" data-testid="region-fault">${t('console.region.fault', { detail: String(/** @type {any} */ (error).message ?? error) })}
    <button class="btn sm" onClick=${reset}>${t('console.retry')}</button></p>`;
}

let mapFault = '';

/** The map follows the page; what goes wrong there is said on the map and must not stop the page. */
function followMap() {
  try {
    syncMap();
    mapFault = '';
  } catch (error) {
    if (!mapFault) console.error(error);
    mapFault = String(/** @type {any} */ (error)?.message ?? error);
  }
}

export function App() {
  const [, draw] = useState(0);
  useEffect(() => onRedraw(() => draw((n) => n + 1)), []);
  useEffect(followMap);
  return html`<${StaleBanner} /><${AlarmVoice} /><${Region}><${TopBar} /><//>
    <${Region}><${Queue} /><//>
    <main><${MapBox} /><${Region}><${CameraStrip} /><//></main>
    <aside class="drawer" aria-label=${t('console.drawer')} data-testid="drawer"><${Region} key=${keyOf(ui.selection)}><${Drawer} /><//></aside>
    <${Region}><${CommandLine} /><//>${ui.help && html`<${Help} />`}`;
}
