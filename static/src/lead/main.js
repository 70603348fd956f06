// The leader's page: five minutes to see which grid is unstaffed, out of reach or unseen.
import { ApiError, goToSignIn, session } from '../api.js';
import { connectFeed } from '../feed.js';
import { onLanguage, t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { Bar } from '../ui/bar.js';
import { html, render, useEffect, useErrorBoundary, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { applyTheme, readTheme } from '../ui/theme.js';
import { Cards } from './cards.js';
import { ExportMenu } from './export-menu.js';
import { GRID, lacksOf, pathTo, storyOf } from './figures.js';
import { COMPARES, hourBefore, rowBefore } from './history.js';
import { IndicatorsTab, indicatorStory } from './indicators.js';
import { OneMore, Wanting } from './lists.js';
import { CoverMap } from './map.js';
import { readFigures, readSoon, setMinutes, setPeriod, startReading } from './read.js';
import { ReplayTab } from './replay.js';
import { Response } from './response.js';
import { MINUTES, choose, onRedraw, redraw, set, topRow, ui } from './state.js';
import { SupervisionTab, supervisionStory } from './supervision.js';
import { CoverTable } from './table.js';

/** Older than two rounds, figures are not to be read as the present. */
const OLD_MS = 40_000;
const SHIFTS = new Set(['responder.shift_started', 'responder.shift_ended']);

/** A part of the page that fails says so in its own place. @param {{children: unknown}} props */
function Region({ children }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  if (!error) return children;
  return html`<p class="refused" role="alert" data-testid="region-fault">${t('console.region.fault', { detail: String(/** @type {any} */ (error).message ?? error) })}
    <button class="btn sm" onClick=${reset}>${t('console.retry')}</button></p>`;
}

const PERIODS = /** @type {const} */ (['day', 'week', 'month']);

/** The tabs an account may open. @returns {import('./state.js').Tab[]} */
const tabsOf = () => (ui.me.permissions.includes('incident.supervise') ? ['cover', 'indicators', 'supervision', 'replay'] : ['cover', 'indicators']);

/** What the figures are compared with, in words. */
function comparedText() {
  if (ui.tab !== 'cover' || !ui.history) return '';
  const { since } = ui.history;
  if (rowBefore()) {
    const at = hourBefore();
    return t('lead.compared', { when: t(`lead.compare.${ui.compare}.then`), at: `${dayOf(at)} ${timeOfDay(at)}` });
  }
  return since === null ? t('lead.history.none') : t('lead.history.since', { at: `${dayOf(since)} ${timeOfDay(since)}` });
}

function storyText() {
  if (ui.tab === 'indicators') return indicatorStory();
  if (ui.tab === 'supervision') return supervisionStory();
  const top = topRow();
  if (!ui.cover || !top) return t('lead.reading');
  const { minutes } = ui;
  const { worst, far, bare, unstaffed, unseen } = storyOf(ui.cover.items, top, minutes);
  if (ui.cover.responders.counted === 0) return t('lead.story.nobody');
  if (top.tier === GRID) {
    const lacks = lacksOf(top, minutes).map((lack) => t(`lead.story.lack.${lack}`, { m: minutes }));
    return lacks.length ? t('lead.story.lacks', { name: top.name, lacks: lacks.join(t('lead.story.and')) }) : t('lead.story.whole', { name: top.name, m: minutes });
  }
  const { unchecked } = ui.cover.cameras;
  if (!worst && unchecked) return t('lead.story.unchecked', { name: top.name, m: minutes, unstaffed, n: unchecked });
  if (!worst) return t('lead.story.fine', { name: top.name, m: minutes, unstaffed, unseen });
  const rest = (/** @type {number} */ n) => (n ? t('lead.story.bare', { n }) : '');
  if (top.tier === GRID - 1) return t('lead.story.here', { name: top.name, n: far, m: minutes }) + rest(bare);
  return t('lead.story.worst', { name: worst.row.name, n: worst.far, m: minutes, top: top.name, all: far }) + rest(worst.bare);
}

function Story() {
  const path = ui.chosen ? pathTo(ui.rows, ui.chosen) : [];
  const now = ui.feed.serverNow();
  const old = ui.cover !== null && now - Date.parse(ui.cover.as_of) > OLD_MS;
  return html`<div class="story"><h1 data-testid="story">${storyText()}</h1>
    ${path.length > 0 && html`<nav class="crumbs" aria-label=${t('lead.path')}>${path.map((area, n) => html`<button key=${area.code} aria-current=${n === path.length - 1 ? 'true' : undefined} onClick=${() => choose(n === 0 ? '' : area.code)}>${area.name}</button>`)}</nav>`}
    <small class="than" data-testid="compared">${comparedText()}</small>
    <small class=${old ? 'warn' : ''}>${ui.cover ? t('lead.as_of', { at: timeOfDay(ui.cover.as_of, { seconds: true }) }) : ''}${ui.cover?.method === 'straight_line' ? ` · ${t('lead.estimate')}` : ''}</small></div>`;
}

function Controls() {
  if (ui.tab === 'indicators') return html`<div class="seg boxed within" role="group" aria-label=${t('lead.period')}>${PERIODS.map((period) => html`<button key=${period} class=${period === ui.period ? 'on' : ''} aria-pressed=${period === ui.period} onClick=${() => setPeriod(period)} data-testid=${`period-${period}`}>${t(`lead.period.${period}`)}</button>`)}</div>`;
  if (ui.tab !== 'cover') return html`<div class="within"></div>`;
  return html`<div class="seg boxed within" role="group" aria-label=${t('lead.within')}><span>${t('lead.within')}</span>${MINUTES.map((minutes) => html`<button key=${minutes} class=${minutes === ui.minutes ? 'on' : ''} aria-pressed=${minutes === ui.minutes} onClick=${() => setMinutes(minutes)} data-testid=${`minutes-${minutes}`}>${t('lead.n_minutes', { n: minutes })}</button>`)}</div>
    <div class="seg boxed within" role="group" aria-label=${t('lead.compare')}><span>${t('lead.compare')}</span>${COMPARES.map((compare) => html`<button key=${compare} class=${compare === ui.compare ? 'on' : ''} aria-pressed=${compare === ui.compare} onClick=${() => set({ compare })} data-testid=${`compare-${compare}`}>${t(`lead.compare.${compare}`)}</button>`)}</div>`;
}

function CoverTab() {
  return html`<${Region}><${Cards} /><//>
    <div class="split"><div class="left"><${Region}><${CoverMap} /><//><${Region}><${Response} /><//></div>
    <div class="left"><${Region}><${CoverTable} /><//><div class="under"><${Region}><${Wanting} /><//><${Region}><${OneMore} /><//></div></div></div>`;
}

function App() {
  const [, draw] = useState(0);
  useEffect(() => onRedraw(() => draw((n) => n + 1)), []);
  const allowed = ui.me.permissions.includes('kpi.view');
  const tabs = tabsOf().map((id) => ({ id, label: t(`lead.tab.${id}`), badge: id === 'supervision' ? ui.followed?.filter((row) => row.overdue).length : undefined }));
  return html`<${Bar} title=${t('lead.title')} district=${ui.district.name} here="/lead" me=${ui.me} feed=${ui.feed} now=${ui.feed.serverNow()} tabs=${tabs} tab=${ui.tab} onTab=${(/** @type {any} */ tab) => set({ tab })}>
      <${Controls} /><${ExportMenu} /><//>
    ${
      !allowed ? html`<div class="page"><div class="blank"><b>${t('error.forbidden')}</b></div></div>`
      : html`<main class=${`page lead on-${ui.tab}`}>${ui.tab !== 'replay' && html`<${Region}><${Story} /><//>`}
        ${ui.error ? html`<p class="refused" role="alert" data-testid="lead-error">${refusal(ui.error)}<button class="btn sm" onClick=${() => void readFigures()}>${t('console.retry')}</button></p>` : ''}
        ${ui.tab === 'cover' ? html`<${CoverTab} />` : ui.tab === 'indicators' ? html`<${Region}><${IndicatorsTab} /><//>` : ui.tab === 'supervision' ? html`<${Region}><${SupervisionTab} /><//>` : html`<${Region}><${ReplayTab} /><//>`}</main>`
    }`;
}

async function start() {
  applyTheme(readTheme());
  const { user, district } = await session();
  ui.me = user;
  ui.district = district;
  const feed = connectFeed({ page: 'lead', topics: ['responders'] });
  ui.feed = feed;
  feed.subscribe((changes) => {
    if (feed.state === 'signed_out') goToSignIn();
    if (changes.state) redraw();
  });
  feed.onEvent((frame) => {
    if (SHIFTS.has(frame.type)) readSoon();
  });
  onLanguage(redraw);
  window.setInterval(redraw, 1000);
  document.addEventListener('visibilitychange', () => document.hidden || void readFigures());
  addEventListener('keydown', (event) => event.key === 'Escape' && ui.chosen && ui.tab !== 'replay' && set({ chosen: '' }));
  if (user.permissions.includes('kpi.view')) startReading();
  document.title = `${t('app.name')} · ${t('lead.title')}`;
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
