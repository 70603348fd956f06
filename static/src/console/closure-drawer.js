// Closed roads in the drawer: the list of them, and one with who, when and why.
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { closureName, ClosureMark, leftText, liveClosures, momentText, spanText } from '../ui/closures.js';
import { distanceText } from '../ui/format.js';
import { html, useState } from '../ui/h.js';
import { goBack, select, send } from './actions.js';
import { editClosure, extendClosure, mayClose, startClosure } from './closure-draft.js';
import { FaultLine } from './incident-parts.js';
import { board, nowMs, ui } from './state.js';

/** @import {Closure} from '../../types/wire.d.ts' */

/** @param {string} id */
export const openClosure = (id) => select({ kind: 'closure', id });

/** @param {{closure: Closure}} props */
function Row({ closure }) {
  const now = nowMs();
  return html`<li><button class="closure-row" data-testid="closure-row" data-id=${closure.id} data-state=${closure.state} onClick=${() => {
    openClosure(closure.id);
    showClosure(closure);
  }}><${ClosureMark} state=${closure.state} size=${20} />
    <span class="what"><b>${closureName(closure)}</b><small>${[closure.reason, closure.place].filter(Boolean).join(' · ')}</small></span>
    <span class="when"><b>${spanText(closure, now)}</b><small>${leftText(closure, now) || distanceText(closure.length_m)}</small></span></button></li>`;
}

/** @param {{title: string, items: Closure[]}} props */
function Part({ title, items }) {
  if (!items.length) return null;
  return html`<section><div class="sub"><h2>${title}</h2><span>${items.length}</span></div><ul class="closure-list">${items.map((one) => html`<${Row} closure=${one} key=${one.id} />`)}</ul></section>`;
}

export function ClosuresDrawer() {
  const all = Object.values(board().closures ?? {});
  const live = liveClosures(board().closures);
  const ended = all.filter((one) => one.state === 'ended').sort((a, b) => (String(a.ended_at) < String(b.ended_at) ? 1 : -1));
  return html`<header class="drawer-head"><span class="tag accent">${t('closure.title')}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body" data-testid="closures">
      ${!live.length && html`<div class="drawer-empty slim"><h2>${t('closure.list.none')}</h2>${mayClose() && html`<p>${t('closure.list.none_hint')}</p>`}</div>`}
      <${Part} title=${t('closure.state.in_force')} items=${live.filter((one) => one.state === 'in_force')} />
      <${Part} title=${t('closure.state.planned')} items=${live.filter((one) => one.state === 'planned')} />
      <${Part} title=${t('closure.list.recent')} items=${ended.slice(0, 20)} />
    </div>
    ${mayClose() && html`<footer class="foot"><div class="buttons"><button class="btn big primary" data-testid="draw-closure" onClick=${() => startClosure()}>${t('closure.draw')} <kbd>B</kbd></button></div></footer>`}`;
}

/** All of a closure in view. @param {Closure} closure */
export function showClosure(closure) {
  const lines = ui.map?.closures.linesOf(closure.id) ?? [];
  const points = [...closure.coordinates, ...lines.flat()];
  const [lons, lats] = [points.map((at) => at[0]), points.map((at) => at[1])];
  ui.map?.fit([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]);
}

/** @param {Closure} closure @param {string} [reason] */
export const endClosure = (closure, reason = '') =>
  send(`/closures/${closure.id}/end`, { expected_version: closure.version, ...(reason.trim() ? { reason: reason.trim() } : {}) });

/** @param {{closure: Closure}} props */
function Facts({ closure }) {
  const now = nowMs();
  const left = leftText(closure, now);
  const ended = closure.ended_at;
  return html`<dl class="figures closure-figures"><div><dt>${t('closure.from')}</dt><dd>${momentText(closure.starts_at, now)}</dd><small>${t(`closure.state.${closure.state}`)}</small></div>
      <div><dt>${t('closure.until')}</dt><dd>${closure.ends_at ? momentText(closure.ends_at, now) : '—'}</dd><small>${closure.state === 'ended' ? '' : left || t('closure.span.open')}</small></div>
      <div><dt>${t('closure.length')}</dt><dd>${distanceText(closure.length_m)}</dd><small>${t(`closure.direction.${closure.direction}`)}</small></div></dl>
    <dl class="facts">
      <div class="wide"><dt>${t('closure.reason')}</dt><dd data-testid="closure-reason">${closure.reason}</dd></div>
      <div class="wide"><dt>${t('closure.roads')}</dt><dd>${closure.roads.join(t('join.list')) || '—'}</dd></div>
      <div class="wide"><dt>${t('closure.stops')}</dt><dd>${t(closure.profiles.includes('foot') ? 'closure.stops.all' : 'closure.stops.but_foot')}</dd></div>
      <div class="wide"><dt>${t('closure.drawn_by')}</dt><dd>${t('closure.by_at', { name: closure.drawn_by_name, at: timeOfDay(closure.drawn_at, { seconds: true }) })}</dd></div>
      ${ended && html`<div class="wide"><dt>${t('closure.ended_by')}</dt><dd>${t('closure.by_at', { name: closure.ended_by === 'system' ? t('closure.by_clock') : (closure.ended_by_name ?? ''), at: timeOfDay(ended, { seconds: true }) })}<small>${closure.end_reason ?? ''}</small></dd></div>`}
    </dl>`;
}

/** @param {{id: string}} props */
export function ClosureDrawer({ id }) {
  const [reason, setReason] = useState('');
  const closure = board().closures?.[id];
  if (!closure) return html`<header class="drawer-head"><span class="tag">${t('closure.title')}</span><button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-empty"><p>${t('closure.gone')}</p></div>`;
  const live = closure.state !== 'ended';
  const busy = Boolean(ui.busy);
  /** @param {Event} event */
  const end = (event) => {
    event.preventDefault();
    void endClosure(closure, reason);
  };
  return html`<header class="drawer-head"><span class=${`tag closure-tag ${closure.state}`} data-testid="closure-state" data-state=${closure.state}><${ClosureMark} state=${closure.state} size=${18} /> ${t(`closure.state.${closure.state}`)}</span>
      <button class="link plain code" onClick=${() => select({ kind: 'closures', id: 'all' })}>${t('closure.title')}</button>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body"><div class="title"><h1 data-testid="drawer-title">${closureName(closure)}</h1><p>${closure.place ?? ''}</p></div>
      <${Facts} closure=${closure} />
      ${live && mayClose() && html`<div class="pad extend"><span>${t('closure.extend')}</span>${closure.ends_at !== null && html`
        <button class="btn sm" disabled=${busy} onClick=${() => void extendClosure(closure, 30)}>${t('closure.extend.30')}</button>
        <button class="btn sm" disabled=${busy} onClick=${() => void extendClosure(closure, 60)}>${t('closure.extend.60')}</button>
        <button class="btn sm" disabled=${busy} onClick=${() => void extendClosure(closure, null)}>${t('closure.span.open')}</button>`}
        ${closure.ends_at === null && html`<em>${t('closure.span.open')}</em>`}
        <button class="btn sm ghost" data-testid="change-closure" onClick=${() => editClosure(closure)}>${t('closure.change')}</button></div>`}
    </div>
    <footer class="foot"><${FaultLine} />
      ${live && mayClose() && html`<form class="ask" onSubmit=${end}><input maxlength="200" value=${reason} placeholder=${t('closure.end.reason')} aria-label=${t('closure.end.reason')} onInput=${(/** @type {any} */ e) => setReason(e.target.value)} /></form>`}
      <div class="buttons n2">${
        !mayClose()
          ? null
          : live
            ? html`<button class="btn big primary" disabled=${busy} data-testid="end-closure" onClick=${end}>${t(closure.state === 'planned' ? 'closure.call_off' : 'closure.end')} <kbd>X</kbd></button>`
            : html`<button class="btn big primary" data-testid="draw-again" onClick=${() => editClosure(closure, { again: true })}>${t('closure.draw_again')}</button>`
      }<button class="btn big" onClick=${() => showClosure(closure)}>${t('console.show_on_map')}</button></div></footer>`;
}
