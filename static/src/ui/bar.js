// The top bar of the pages beside the console: which page, its tabs, whether the picture may be trusted, who, when.
import { signOut } from '../api.js';
import { language, setLanguage, t } from '../i18n.js';
import { dayOf, timeOfDay, weekday } from '../time.js';
import { durationText } from './format.js';
import { html, useState } from './h.js';
import { otherPages, windowOf } from './pages.js';
import { usePopup } from './popup.js';
import { THEMES, applyTheme, readTheme } from './theme.js';

/** @import {Feed} from '../feed.js' */
/** @import {User} from '../../types/wire.d.ts' */

/** @param {{feed: Feed}} props */
function Connection({ feed }) {
  const age_s = feed.lastMessageAt === null ? 0 : Math.max(0, Math.round((Date.now() - feed.lastMessageAt) / 1000));
  const good = feed.state === 'live';
  const text = good ? t('console.live', { age: durationText(age_s) }) : t(`feed.${feed.state}`);
  return html`<span class=${`connection ${good ? 'ok' : 'bad'}`} data-testid="connection" data-state=${feed.state}><i class="dot"></i>${text}</span>`;
}

/** @param {{me: User, here: string}} props */
function UserMenu({ me, here }) {
  const [open, setOpen] = usePopup('.user');
  const [theme, setTheme] = useState(readTheme());
  const pages = otherPages(me.permissions, here);
  return html`<div class="user" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && setOpen(false)}>
    <button class="who" aria-expanded=${open} aria-haspopup="menu" data-testid="user-menu" onClick=${() => setOpen(!open)}>${me.name.split(' ').at(-1)}</button>
    ${
      open &&
      html`<div class="pop" role="menu"><p>${me.name} · ${t(`role.${me.role}`)}</p>
      ${pages.length > 0 && html`<nav class="pages">${pages.map((page) => html`<a role="menuitem" href=${page.path} target=${windowOf(page.path)} key=${page.path}>${t(page.word)}</a>`)}</nav>`}
      <div class="seg" role="group" aria-label=${t('console.theme')}>${THEMES.map(
        (one) => html`<button role="menuitemradio" aria-checked=${theme === one} class=${theme === one ? 'on' : ''} onClick=${() => {
          applyTheme(one);
          setTheme(one);
        }} data-testid=${`theme-${one}`}>${t(`console.theme.${one}`)}</button>`,
      )}</div>
      <div class="seg" role="group" aria-label=${t('console.language')}>${
        /** @type {const} */ (['zh-CN', 'en']).map(
          (lang) => html`<button role="menuitemradio" lang=${lang} aria-checked=${language() === lang} class=${language() === lang ? 'on' : ''}
        onClick=${() => setLanguage(lang)} data-testid=${`lang-${lang}`}>${lang === 'en' ? 'English' : '中文'}</button>`,
        )
      }</div>
      <button class="btn ghost" role="menuitem" onClick=${() => void signOut()} data-testid="sign-out">${t('console.sign_out')}</button></div>`
    }</div>`;
}

/**
 * @param {{title: string, district: string, here: string, me: User, feed: Feed | null, now: number,
 *          tabs: {id: string, label: string, badge?: number}[], tab: string, onTab: (id: string) => void,
 *          children?: unknown}} props
 */
export function Bar({ title, district, here, me, feed, now, tabs, tab, onTab, children }) {
  return html`<header class="top">
    <div class="brand"><b>${t('app.name')}</b><span>${district} · ${title}</span></div>
    <div class="tabs" role="tablist">${tabs.map(
      (item) => html`<button role="tab" id=${`tab-${item.id}`} aria-selected=${tab === item.id} class=${tab === item.id ? 'on' : ''} key=${item.id}
      onClick=${() => onTab(item.id)} data-testid=${`tab-${item.id}`}>${item.label}${item.badge ? html`<b>${item.badge}</b>` : ''}</button>`,
    )}</div>
    ${children}
    ${feed && html`<div class="stat"><${Connection} feed=${feed} /></div>`}
    <${UserMenu} me=${me} here=${here} />
    <time data-testid="clock"><b>${timeOfDay(now, { seconds: true })}</b><span>${dayOf(now)} ${weekday(now, true)}</span></time>
  </header>
  ${feed && html`<${StaleBanner} feed=${feed} />`}`;
}

/** Across the whole width while the data is old. @param {{feed: Feed}} props */
function StaleBanner({ feed }) {
  const { state, lastMessageAt, fault } = feed;
  const old = state === 'stale' || state === 'lost' || state === 'forbidden' || state === 'signed_out' || fault;
  if (!old) return null;
  const age = lastMessageAt === null ? '' : durationText((Date.now() - lastMessageAt) / 1000);
  return html`<div class="stale-banner" role="alert" data-testid="stale-banner">${fault ? t('feed.fault') : t(`console.stale.${state}`, { age })}</div>`;
}
