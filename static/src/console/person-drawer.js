// A person: what is known now, how old it is, and how to reach them.
import { messagesOf } from '../board.js';
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { ageText } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { KindMark } from '../ui/shapes.js';
import { callPerson, goBack, message, openIncident } from './actions.js';
import { FaultLine } from './incident-parts.js';
import { board, selectedIncident, ui } from './state.js';
import { areaName, dutyOf, fixOf, placeName } from './words.js';

/** @import {Message, Responder} from '../../types/wire.d.ts' */

/** Sent, delivered, read: as far as the receipts say. @param {{item: Message, id: string}} props */
function Receipt({ item, id }) {
  const receipt = item.receipts[id];
  const state = receipt?.read_at ? 'read' : receipt?.delivered_at ? 'delivered' : 'sent';
  const at = receipt?.read_at ?? receipt?.delivered_at ?? item.sent_at;
  return html`<small class=${`receipt ${state}`} data-testid="receipt" data-state=${state}>${state === 'read' ? '✓✓' : state === 'delivered' ? '✓' : '·'} ${t(`console.receipt.${state}`)} ${timeOfDay(at, { seconds: true })}</small>`;
}

/** The thread with one person. @param {{person: Responder}} props */
function Thread({ person }) {
  const [text, setText] = useState('');
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const items = messagesOf(board(), person.id);
  useEffect(() => end.current?.scrollTo({ top: end.current.scrollHeight }), [items.length]);
  const job = person.assignment_id ? board().assignments[person.assignment_id] : undefined;
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (text.trim() && (await message([person.id], text.trim(), job?.incident_id ?? selectedIncident()?.id)))
      setText('');
  };
  return html`<section class="thread" data-testid="thread"><div class="sub"><h2>${t('console.messages')}</h2><span>${items.length || ''}</span></div>
    <ol ref=${end}>${items.slice(-60).map((item) => {
      const theirs = item.from_responder === person.id;
      return html`<li class=${theirs ? 'theirs' : 'ours'} key=${item.id}><p>${item.body}</p>
        ${theirs ? html`<small>${person.name} ${timeOfDay(item.sent_at, { seconds: true })}</small>` : html`<span><small>${item.from_name ?? ''}</small> <${Receipt} item=${item} id=${person.id} /></span>`}</li>`;
    })}</ol>
    ${!items.length && html`<p class="empty">${t('console.messages.none')}</p>`}
    <form class="ask" onSubmit=${submit}><input value=${text} data-testid="message-input" placeholder=${t('console.message.hint')} onInput=${(/** @type {any} */ e) => setText(e.target.value)} />
      <button class="btn sm" data-testid="message-send" disabled=${!text.trim()}>${t('console.send')}</button></form>
  </section>`;
}

/** @param {{id: string}} props */
export function PersonDrawer({ id }) {
  const person = board().responders[id];
  if (!person) return html`<div class="drawer-empty"><p>${t('console.person.gone')}</p></div>`;
  const fix = fixOf(person);
  const duty = dutyOf(person);
  const job = person.assignment_id ? board().assignments[person.assignment_id] : undefined;
  const incident = job ? board().incidents[job.incident_id] : undefined;
  const eta = job ? ui.feed.etas.get(job.id) : undefined;
  const stale = fix !== null && fix.age_s > 30;
  return html`<header class="drawer-head"><span class="tag accent"><${KindMark} kind=${person.kind} hollow=${duty !== 'free'} stale=${stale} size=${16} /> ${t(`kind.${person.kind}`)}</span>
      <span class="code">${person.station ?? ''}</span><button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body person-page"><div class="title"><h1 data-testid="drawer-title">${person.name}</h1>
        <p><b class=${`duty ${duty === 'free' ? 'on' : duty}`}>${t(`console.duty.${duty}`)}</b>${person.on_duty && person.shift_until ? ` · ${t('console.until', { at: timeOfDay(person.shift_until) })}` : ''}</p></div>
      <dl class="facts">
        <div><dt>${t('console.fact.position')}</dt><dd>${
          !person.on_duty
            ? t('console.fact.no_position')
            : fix
              ? html`<span class=${stale ? 'warn' : ''} data-testid="fix-age">${ageText(Math.round(fix.age_s))}</span>
          <small>${fix.speed === 255 || !fix.speed ? t('console.fact.still') : `${fix.speed} km/h`}${stale ? ` · ${t('console.reason.stale_fix')}` : ''}</small>`
              : person.device_id || person.on_duty
                ? t('console.fact.far')
                : t('console.reason.no_fix')
        }</dd></div>
        <div><dt>${t('console.fact.phone')}</dt><dd>${person.phone ?? '—'}</dd></div>
        <div><dt>${t('console.fact.grids')}</dt><dd>${person.grids.slice(0, 4).map(areaName).filter(Boolean).join(t('join.list')) || areaName(person.area) || '—'}</dd></div>
        <div><dt>${t('console.fact.skills')}</dt><dd>${person.skills.join(t('join.list')) || '—'}<small>${t(`profile.${person.profile}`)}</small></dd></div>
      </dl>
      ${incident && job && html`<button class="job-card" onClick=${() => openIncident(incident.id)}><b>${incident.title}</b><span>${t(`assignment.${job.state}`)}${eta?.eta_s ? ` · ${ageEta(eta.eta_s)}` : ''} · ${placeName(incident)}</span></button>`}
      <${Thread} person=${person} />
    </div>
    <footer class="foot"><${FaultLine} /><div class="buttons n2"><button class="btn big primary" data-testid="call" onClick=${() => void callPerson(person.id)}>${t('console.call')} ${person.name} <kbd>C</kbd></button>
      <button class="btn big" disabled=${!fix} onClick=${() => fix && ui.map?.show([fix.lon, fix.lat], 15.5)}>${t('console.show_on_map')}</button></div></footer>`;
}

/** @param {number} seconds */
const ageEta = (seconds) => t('console.eta', { m: Math.max(1, Math.round(seconds / 60)) });
