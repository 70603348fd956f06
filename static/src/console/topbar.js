// The top bar: who we are, search, what waits, who is on, the other desks, whether the picture may be trusted.
import { isOnline } from '../board.js';
import { language, setLanguage, t } from '../i18n.js';
import { signOut } from '../api.js';
import { dayOf, timeOfDay, weekday } from '../time.js';
import { durationText } from '../ui/format.js';
import { html } from '../ui/h.js';
import { isAlarm, isWaiting } from '../ui/levels.js';
import { otherPages, windowOf } from '../ui/pages.js';
import { muteSound, openSound, soundState } from '../ui/sound.js';
import { SearchBox } from './search.js';
import { board, nowMs, redraw, set, ui } from './state.js';
import { isLate, isRunning, placeName } from './words.js';

/** @import {PresenceUser} from '../../types/wire.d.ts' */

/** Figures of the bar, from the board. */
function counts() {
  const { incidents, responders, cameras } = board();
  const open = Object.values(incidents);
  /** @param {string} kind */
  const staff = (kind) => {
    const all = Object.values(responders).filter((item) => item.kind === kind);
    return { on: all.filter((item) => item.on_duty).length, all: all.length };
  };
  const cams = Object.values(cameras);
  return {
    waiting: open.filter(isWaiting).length,
    late: open.filter((item) => (isWaiting(item) || isRunning(item)) && isLate(item)).length,
    running: open.filter(isRunning).length,
    police: staff('police'),
    workers: staff('grid_worker'),
    cameras: { on: cams.filter(isOnline).length, all: cams.length },
  };
}

/** @param {{n: number | string, of?: number, label: string, tone?: string, id?: string}} props */
const Figure = ({ n, of, label, tone = '', id }) => html`<li class=${tone} data-testid=${id}>
  <b>${n}${of !== undefined && html`<s>/${of}</s>`}</b>${label}</li>`;

/** Accounts are often named after the post first: 调度席 沈知行. @param {string} name */
export const givenName = (name) => name.split(' ').at(-1) ?? name;

/** What another desk is at. @param {PresenceUser} user */
function seatLabel(user) {
  const { viewing } = user;
  const text =
    (viewing?.kind === 'incident' && board().incidents[viewing.id]?.title) ||
    (viewing?.kind === 'area' && ui.areas.get(viewing.id)?.name) ||
    givenName(user.name);
  return text.slice(0, 4);
}

function Seats() {
  const desks = /** @type {PresenceUser[]} */ (ui.feed.presence ?? []).filter(
    (item) => item.page === 'console' && item.desk !== null,
  );
  desks.sort((a, b) => Number(a.desk) - Number(b.desk));
  if (!desks.length) return null;
  return html`<div class="seats" aria-label=${t('console.seats')}><em>${t('console.seats')}</em>
    ${desks.slice(0, 3).map((user) => {
      const mine = user.user_id === ui.me.id;
      return html`<span class=${`seat ${mine ? 'me' : ''}`} title=${`${user.name} · ${t(`role.${user.role}`)}`} key=${user.user_id}>
        <i>${user.desk}</i><span>${mine ? t('console.seat.mine') : seatLabel(user)}</span></span>`;
    })}
    ${desks.length > 3 && html`<span class="seat">+${desks.length - 3}</span>`}
  </div>`;
}

function Connection() {
  const { feed } = ui;
  const age_s = feed.lastMessageAt === null ? null : Math.max(0, Math.round((Date.now() - feed.lastMessageAt) / 1000));
  const good = feed.state === 'live';
  const text = good ? t('console.live', { age: durationText(age_s ?? 0) }) : t(`feed.${feed.state}`);
  return html`<span class=${good ? 'ok' : 'bad'} data-testid="connection" data-state=${feed.state}><i class="dot"></i>${text}</span>`;
}

function Sound() {
  const state = soundState();
  const toggle = async () => {
    if (state === 'on') muteSound();
    else await openSound();
    redraw();
  };
  return html`<button class=${`sound ${state}`} onClick=${toggle} data-testid="sound" aria-pressed=${state === 'on'}
    title=${t('console.sound.hint')}>${state === 'on' ? '♪' : '♪̸'} ${t(`console.sound.${state}`)}</button>`;
}

const THEMES = /** @type {const} */ (['dark', 'light', 'contrast']);

function UserMenu() {
  return html`<div class="user"><button class="who" aria-expanded=${ui.userMenu} aria-haspopup="menu" data-testid="user-menu"
      onClick=${() => set({ userMenu: !ui.userMenu })}>${givenName(ui.me.name)}</button>
    ${
      ui.userMenu &&
      html`<div class="pop" role="menu">
      <p>${ui.me.name} · ${t(`role.${ui.me.role}`)}</p>
      <nav class="pages">${otherPages(ui.me.permissions, '/').map((page) => html`<a role="menuitem" href=${page.path} target=${windowOf(page.path)} key=${page.path}>${t(page.word)}</a>`)}</nav>
      <div class="seg" role="group" aria-label=${t('console.theme')}>${THEMES.map(
        (theme) => html`<button role="menuitemradio"
        aria-checked=${ui.theme === theme} class=${ui.theme === theme ? 'on' : ''} onClick=${() => set({ theme })}
        data-testid=${`theme-${theme}`}>${t(`console.theme.${theme}`)}</button>`,
      )}</div>
      <div class="seg" role="group" aria-label=${t('console.language')}>
        ${
          /** @type {const} */ (['zh-CN', 'en']).map(
            (lang) => html`<button role="menuitemradio" lang=${lang} aria-checked=${language() === lang}
          class=${language() === lang ? 'on' : ''} onClick=${() => setLanguage(lang)} data-testid=${`lang-${lang}`}>${lang === 'en' ? 'English' : '中文'}</button>`,
          )
        }</div>
      <button class="btn ghost" role="menuitem" onClick=${() => void signOut()} data-testid="sign-out">${t('console.sign_out')}</button>
    </div>`
    }
  </div>`;
}

export function TopBar() {
  const c = counts();
  const now = nowMs();
  return html`<header class="top">
    <div class="brand"><b>${t('app.name')}</b><span>${ui.district.name} · ${t('console.title')}</span></div>
    <${SearchBox} />
    <ul class="counts">
      <${Figure} n=${c.waiting} label=${t('console.count.waiting')} id="count-waiting" />
      ${c.late > 0 && html`<${Figure} n=${c.late} label=${t('console.count.late')} tone="late" id="count-late" />`}
      <${Figure} n=${c.running} label=${t('console.count.running')} id="count-running" />
      <li class="sep duty-part">${t('console.count.on_duty')}</li>
      <${Figure} n=${c.police.on} of=${c.police.all} label=${t('kind.police')} tone="duty-part" />
      <${Figure} n=${c.workers.on} of=${c.workers.all} label=${t('kind.grid_worker')} tone="duty-part" />
      <li class="sep camera-part">${t('console.count.online')}</li>
      <${Figure} n=${c.cameras.on} of=${c.cameras.all} label=${t('console.count.cameras')} tone="camera-part" />
    </ul>
    <${Seats} />
    <div class="stat"><${Connection} /><${Sound} /></div>
    <${UserMenu} />
    <time data-testid="clock"><b>${timeOfDay(now, { seconds: true })}</b><span>${dayOf(now)} ${weekday(now, true)}</span></time>
  </header>`;
}

/** For screen readers: the alarms still to be answered. */
export function AlarmVoice() {
  const alarms = Object.values(board().incidents).filter(isAlarm);
  return html`<p class="voice" role="status" aria-live="assertive">${alarms.map((item) => t('console.alarm.new', { title: item.title, place: placeName(item) })).join('。')}</p>`;
}

/** Across the whole width while the picture is old: nobody may mistake it for the present. */
export function StaleBanner() {
  const { state, lastMessageAt, fault } = ui.feed;
  const old = state === 'stale' || state === 'lost' || state === 'forbidden' || state === 'signed_out' || fault;
  if (!old) return null;
  const age = lastMessageAt === null ? '' : durationText((Date.now() - lastMessageAt) / 1000);
  const text = fault ? t('feed.fault') : t(`console.stale.${state}`, { age });
  return html`<div class="stale-banner" role="alert" data-testid="stale-banner">${text}</div>`;
}
