// Start of the video page: who is signed in, the feed, the areas' names, the keys.
import { ApiError, callAll, goToSignIn, session } from '../api.js';
import { connectFeed } from '../feed.js';
import { onLanguage, t } from '../i18n.js';
import { html, render } from '../ui/h.js';
import { applyTheme, readTheme } from '../ui/theme.js';
import { setClock } from '../video/clock.js';
import { recallGrid, showFirstLayout, tickTour } from './actions.js';
import { App } from './app.js';
import { startKeys } from './keys.js';
import { may, nowMs, redraw, set, ui } from './state.js';

/** @import {AreaRow} from '../../types/video.d.ts' */

const AREAS_RETRY_MS = 10_000;

async function nameAreas() {
  try {
    /** @type {Map<string, AreaRow>} */
    const areas = new Map();
    for (const tier of [1, 2, 3, 4]) {
      const items = await callAll(`/areas?tier=${tier}`);
      for (const { code, name, tier: level, parent } of items) areas.set(code, { code, name, tier: level, parent });
    }
    const first = [...areas.values()].find((area) => area.tier === 2);
    if (first && !ui.open.size) ui.open.add(`area:${first.code}`);
    set({ areas });
  } catch (error) {
    console.warn('areas', error);
    window.setTimeout(() => void nameAreas(), AREAS_RETRY_MS);
  }
}

/** Addresses that ask for something: /video?camera=…, /video?tab=faults. */
function readAddress() {
  const asked = new URLSearchParams(location.search);
  const tab = asked.get('tab');
  if (tab === 'faults') ui.tab = tab;
  if ((tab === 'clips' || tab === 'playback') && may('clip.view')) ui.tab = tab;
  if (tab === 'viewings' && may('audit.view')) ui.tab = tab;
  const camera = asked.get('camera');
  if (camera && ui.tab === 'playback') ui.playbackCamera = camera;
  else if (camera) ui.grid = { ...ui.grid, cells: ui.grid.cells.map((id, cell) => (cell === ui.grid.focus ? camera : id === camera ? null : id)) };
}

async function start() {
  applyTheme(readTheme());
  const { user, district } = await session();
  ui.me = user;
  ui.district = district;
  let fresh = !recallGrid() && !location.search;
  readAddress();
  const feed = connectFeed({ page: 'video', topics: ['cameras'] });
  ui.feed = feed;
  setClock(nowMs);
  feed.subscribe((changes) => {
    if (feed.state === 'signed_out') goToSignIn();
    if (fresh && changes.board) {
      fresh = false;
      showFirstLayout();
    }
    if (changes.board || changes.state) redraw();
  });
  onLanguage(redraw);
  window.setInterval(() => {
    tickTour();
    redraw();
  }, 1000);
  startKeys();
  void nameAreas();
  document.title = `${t('app.name')} · ${t('video.title')}`;
  const root = /** @type {HTMLElement} */ (document.getElementById('app'));
  root.replaceChildren();
  render(html`<${App} />`, root);
  Object.assign(window, { yiping: { feed, ui } });
}

start().catch((error) => {
  if (error instanceof ApiError && error.status === 401) return; // on the way to the sign-in page already
  console.error(error);
  const root = document.getElementById('app');
  if (root) root.textContent = `${t('error.unreachable')} ${error?.message ?? ''}`;
  window.setTimeout(() => location.reload(), 5000);
});
