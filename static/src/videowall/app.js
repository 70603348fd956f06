// The page: top bar with its tabs, then the grid with what goes into it, or one of the four lists.
import { t } from '../i18n.js';
import { Bar } from '../ui/bar.js';
import { html, useEffect, useErrorBoundary, useState } from '../ui/h.js';
import { Clips } from './clips.js';
import { Dialogs } from './dialogs.js';
import { Faults } from './faults.js';
import { Grid } from './grid-view.js';
import { KEY_LIST } from './keys.js';
import { LayoutList, TourList } from './lists.js';
import { Playback } from './playback.js';
import { cameras, layouts, may, nowMs, onRedraw, set, tours, ui } from './state.js';
import { Toolbar } from './toolbar.js';
import { CameraTree } from './tree-view.js';
import { Viewings } from './viewings.js';

/** @import {Tab} from './state.js' */

/** A part of the page that fails says so in its own place. @param {{children: unknown}} props */
function Region({ children }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  if (!error) return children;
  return html`<p class="refused" role="alert" data-testid="region-fault">${t('console.region.fault', { detail: String(/** @type {any} */ (error).message ?? error) })}
    <button class="btn sm" onClick=${reset}>${t('console.retry')}</button></p>`;
}

const SIDES = /** @type {const} */ (['cameras', 'tours', 'layouts']);

function Side() {
  const counts = { cameras: 0, tours: Object.keys(tours()).length, layouts: Object.keys(layouts()).length };
  return html`<aside class="side" aria-label=${t('video.side')}>
    <div class="tabs small" role="tablist">${SIDES.map((side) => html`<button key=${side} role="tab" aria-selected=${ui.side === side} class=${ui.side === side ? 'on' : ''} onClick=${() => set({ side })} data-testid=${`side-${side}`}>${t(`video.side.${side}`)}${counts[side] ? html`<b>${counts[side]}</b>` : ''}</button>`)}</div>
    <${Region} key=${ui.side}>${ui.side === 'cameras' ? html`<${CameraTree} />` : ui.side === 'tours' ? html`<${TourList} />` : html`<${LayoutList} />`}<//></aside>`;
}

const GridPage = () => html`<${Side} /><main class="watch"><${Region}><${Toolbar} /><//><${Region}><${Grid} /><//>
  <ul class="keys">${KEY_LIST.map(([key, word]) => html`<li key=${word}><kbd>${key}</kbd>${t(`video.key.${word}`)}</li>`)}</ul></main>`;

/** @param {{tab: Tab}} props */
function Page({ tab }) {
  switch (tab) {
    case 'faults':
      return html`<${Faults} />`;
    case 'clips':
      return html`<${Clips} />`;
    case 'playback':
      return html`<${Playback} />`;
    case 'viewings':
      return html`<${Viewings} />`;
    default:
      return html`<${GridPage} />`;
  }
}

export function App() {
  const [, draw] = useState(0);
  useEffect(() => onRedraw(() => draw((n) => n + 1)), []);
  const faulty = Object.values(cameras()).filter((camera) => camera.fault).length;
  const tabs = [
    { id: 'grid', label: t('video.tab.grid') },
    { id: 'faults', label: t('video.tab.faults'), badge: faulty },
    ...(may('clip.view') ? [{ id: 'clips', label: t('video.tab.clips') }, { id: 'playback', label: t('video.tab.playback') }] : []),
    ...(may('audit.view') ? [{ id: 'viewings', label: t('video.tab.viewings') }] : []),
  ];
  return html`<${Bar} title=${t('video.title')} district=${ui.district.name} here="/video" me=${ui.me} feed=${ui.feed} now=${nowMs()}
      tabs=${tabs} tab=${ui.tab} onTab=${(/** @type {Tab} */ tab) => set({ tab })} />
    <div class=${`page at-${ui.tab}`} role="tabpanel" aria-labelledby=${`tab-${ui.tab}`}><${Region} key=${ui.tab}><${Page} tab=${ui.tab} /><//></div>
    <${Dialogs} />`;
}
