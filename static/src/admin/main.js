// Start of the administration page.
import { ApiError, callAll, session } from '../api.js';
import { onLanguage, t } from '../i18n.js';
import { Bar } from '../ui/bar.js';
import { html, render, useEffect, useErrorBoundary, useState } from '../ui/h.js';
import { applyTheme, readTheme } from '../ui/theme.js';
import { Areas } from './areas/areas.js';
import { Devices } from './devices.js';
import { Registry } from './registry.js';
import { nowMs, onRedraw, set, ui } from './state.js';

/** @import {Tab} from './state.js' */

/** Names for codes, where the account may read them; without them the codes are shown. */
async function nameAreas() {
  try {
    const areas = new Map();
    for (const tier of [1, 2, 3, 4]) {
      const items = await callAll(`/areas?tier=${tier}`);
      for (const { code, name, tier: level, parent } of items) areas.set(code, { code, name, tier: level, parent });
    }
    set({ areas });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403)) console.warn('areas', error);
  }
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
  const allowed = ui.me.permissions.includes('camera.manage');
  const keepsAreas = ui.me.permissions.includes('areas.manage');
  const tabs = allowed ? [{ id: 'cameras', label: t('admin.tab.cameras') }, { id: 'devices', label: t('admin.tab.devices') }] : [];
  if (keepsAreas) tabs.push({ id: 'areas', label: t('admin.tab.areas') });
  return html`<${Bar} title=${t('admin.title')} district=${ui.district.name} here="/admin" me=${ui.me} feed=${null} now=${nowMs()} tabs=${tabs} tab=${ui.tab} onTab=${(/** @type {Tab} */ tab) => set({ tab })} />
    <div class=${`page at-${ui.tab}`}><${Region} key=${ui.tab}>${ui.tab === 'areas' && keepsAreas ? html`<${Areas} />` : !allowed ? html`<div class="blank"><b>${t('error.forbidden')}</b><p>${t('admin.no_right')}</p></div>` : ui.tab === 'devices' ? html`<${Devices} />` : html`<${Registry} />`}<//></div>`;
}

async function start() {
  applyTheme(readTheme());
  const { user, district, server_time } = await session();
  ui.me = user;
  ui.district = district;
  ui.serverOffsetMs = Date.parse(server_time) - Date.now();
  const tab = new URLSearchParams(location.search).get('tab');
  if (tab === 'devices' || tab === 'areas') ui.tab = tab;
  onLanguage(() => set({}));
  window.setInterval(() => set({}), 1000);
  void nameAreas();
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
