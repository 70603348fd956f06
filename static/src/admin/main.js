// Start of the administration page.
import { ApiError, session } from '../api.js';
import { onLanguage, t } from '../i18n.js';
import { Bar } from '../ui/bar.js';
import { html, render, useEffect, useErrorBoundary, useState } from '../ui/h.js';
import { applyTheme, readTheme } from '../ui/theme.js';
import { Areas } from './areas/areas.js';
import { Basemap } from './basemap/basemap.js';
import { Devices } from './devices.js';
import { History } from './geography/history.js';
import { mayImport } from './geography/kinds.js';
import { Start } from './geography/start.js';
import { Workspace } from './geography/workspace.js';
import { Registry } from './registry.js';
import { followAddress, nowMs, onRedraw, openTab, renameAreas, set, ui } from './state.js';

/** @import {Tab} from './state.js' */

/** The tabs of an account, by what it may do. @param {readonly string[]} permissions */
function tabsFor(permissions) {
  /** @type {Tab[]} */
  const tabs = [];
  if (permissions.includes('camera.manage')) tabs.push('cameras', 'devices');
  if (permissions.includes('areas.manage')) tabs.push('areas', 'basemap');
  if (mayImport(permissions)) tabs.push('imports');
  if (permissions.includes('areas.manage')) tabs.push('history');
  return tabs;
}

/** What stands below the bar. @param {Tab} tab */
function content(tab) {
  if (tab === 'devices') return html`<${Devices} />`;
  if (tab === 'areas') return html`<${Areas} />`;
  if (tab === 'basemap') return html`<${Basemap} />`;
  if (tab === 'history') return html`<${History} />`;
  if (tab === 'imports') return ui.job ? html`<${Workspace} key=${ui.job} id=${ui.job} />` : html`<${Start} />`;
  return html`<${Registry} />`;
}

/** @param {{children: unknown}} props */
function Region({ children }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  if (!error) return children;
  return html`<p class="refused" role="alert" data-testid="region-fault">${t('console.region.fault', { detail: String(/** @type {any} */ (error).message ?? error) })} <button class="btn sm" onClick=${reset}>${t('console.retry')}</button></p>`;
}

function App() {
  const [, draw] = useState(0);
  useEffect(() => onRedraw(() => draw((n) => n + 1)), []);
  const tabs = tabsFor(ui.me.permissions);
  return html`<${Bar} title=${t('admin.title')} district=${ui.district.name} here="/admin" me=${ui.me} feed=${null} now=${nowMs()} tabs=${tabs.map((id) => ({ id, label: t(`admin.tab.${id}`) }))} tab=${ui.tab} onTab=${(/** @type {Tab} */ tab) => openTab(tab)} />
    <div class=${`page at-${ui.tab}`}><${Region} key=${ui.tab}>${tabs.length ? content(ui.tab) : html`<div class="blank"><b>${t('error.forbidden')}</b><p>${t('admin.no_right')}</p></div>`}<//></div>`;
}

async function start() {
  applyTheme(readTheme());
  const { user, district, server_time } = await session();
  ui.me = user;
  ui.district = district;
  ui.serverOffsetMs = Date.parse(server_time) - Date.now();
  const tabs = tabsFor(user.permissions);
  followAddress(tabs);
  window.addEventListener('popstate', () => followAddress(tabs));
  onLanguage(() => set({}));
  window.setInterval(() => set({}), 1000);
  void renameAreas();
  document.title = `${t('app.name')} · ${t('admin.title')}`;
  const root = /** @type {HTMLElement} */ (document.getElementById('app'));
  root.replaceChildren();
  render(html`<${App} />`, root);
}

start().catch((error) => {
  if (error instanceof ApiError && error.status === 401) return; // on the way to the sign-in page already
  console.error(error);
  const root = document.getElementById('app');
  if (root) root.textContent = `${t('error.unreachable')} ${error?.message ?? ''}`;
  window.setTimeout(() => location.reload(), 5000);
});
