// Parts of the incident drawer: stage clocks, facts, duplicate suspects, the people sent, the timeline.
import { call } from '../api.js';
import { activeAssignments, assignmentsOf, runningStage } from '../board.js';
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { metresBetween } from '../map/sphere.js';
import { clockText, distanceText, durationText } from '../ui/format.js';
import { html, useState } from '../ui/h.js';
import { isWaiting } from '../ui/levels.js';
import { KindMark, LevelMark } from '../ui/shapes.js';
import { callPerson, openArea, openIncident, refusal, select, send } from './actions.js';
import { board, keyOf, mayDispatch, nowMs, set, ui } from './state.js';
import { areaName, dutyOf, ownerOf } from './words.js';

/** @import {Assignment, Incident, Stage} from '../../types/wire.d.ts' */

/** When each stage began and ended. @param {Incident} item @param {Stage} stage @returns {[string | null, string | null]} */
function span(item, stage) {
  if (stage === 'accept') return [item.reported_at, item.accepted_at];
  if (stage === 'sign') return [item.dispatched_at ?? item.accepted_at, item.signed_at];
  if (stage === 'arrive') return [item.dispatched_at, item.arrived_at];
  return [item.accepted_at ?? item.reported_at, item.handled_at];
}

/** @param {{item: Incident}} props */
export function StageClocks({ item }) {
  const now = nowMs();
  const running = runningStage(item);
  return html`<ul class="stages" data-testid="stages">${
    /** @type {Stage[]} */ (['accept', 'sign', 'arrive', 'handle']).map((stage) => {
      const [from, until] = span(item, stage);
      const limit = item.limits_s?.[stage];
      const due = item.due?.[stage];
      const limitText = limit ? t('console.stage.limit', { limit: clockText(limit) }) : t('console.stage.no_limit');
      if (until) {
        const took = (Date.parse(until) - Date.parse(from ?? item.reported_at)) / 1000;
        const over = due && Date.parse(until) > Date.parse(due);
        return html`<li class=${`done ${over ? 'over' : ''}`} key=${stage}><span>${t(`stage.${stage}`)}</span><b>${clockText(took)}</b><small>${over ? '✕' : '✓'} ${limitText}</small></li>`;
      }
      if (stage === running) {
        const left = due ? (Date.parse(due) - now) / 1000 : null;
        const over = left !== null && left < 0;
        return html`<li class=${`now ${over ? 'late' : ''}`} key=${stage}><span>${t(`stage.${stage}`)}</span>
        <b>${left === null ? clockText((now - Date.parse(from ?? item.reported_at)) / 1000) : over ? `+${clockText(-left)}` : clockText(left)}</b>
        <small>${left === null ? limitText : `${over ? t('console.stage.over') : t('console.stage.left')}·${limitText}`}</small></li>`;
      }
      return html`<li key=${stage}><span>${t(`stage.${stage}`)}</span><b>—</b><small>${limitText}</small></li>`;
    })
  }</ul>`;
}

/** Show the caller's number: the purpose is written down with it. @param {{item: Incident}} props */
function Contact({ item }) {
  const [purpose, setPurpose] = useState('');
  const [words, setWords] = useState('');
  if (!item.reporter_contact) return null;
  if (ui.contact?.incident === item.id) return html`<small class="contact">${ui.contact.contact}</small>`;
  if (ui.panel !== 'contact')
    return html`<small><button class="link" onClick=${() => set({ panel: 'contact' })}>${t('console.contact.show')}</button></small>`;
  /** @param {Event} event */
  const ask = async (event) => {
    event.preventDefault();
    try {
      const { contact } = await call('POST', `/incidents/${item.id}/contact`, { purpose });
      set({ contact: { incident: item.id, contact }, panel: '' });
    } catch (error) {
      setWords(refusal(error));
    }
  };
  return html`<form class="inline" onSubmit=${ask}><input required autofocus value=${purpose} placeholder=${t('console.contact.purpose')}
      onInput=${(/** @type {any} */ e) => setPurpose(e.target.value)} /><button class="btn sm">${t('console.ok')}</button>${words && html`<em class="fault">${words}</em>`}</form>`;
}

/** @param {{item: Incident}} props */
export function Facts({ item }) {
  const owner = ownerOf(item);
  const duty = dutyOf(owner);
  return html`<dl class="facts">
    <div><dt>${t('console.fact.grid')}</dt><dd><button class="link plain" onClick=${() => item.village && openArea(item.village)}>${[areaName(item.village), gridLabel(item)].filter(Boolean).join(' ') || '—'}</button>
      ${item.beat && html`<small>${t('console.fact.beat', { name: ui.located?.beat?.name ?? item.beat })}</small>`}</dd></div>
    <div><dt>${t('console.fact.owner')}</dt><dd>${
      owner
        ? html`<button class="link plain" onClick=${() => select({ kind: 'responder', id: owner.id })}>${owner.name}</button>
      <small>${t(`console.duty.${duty}`)}</small>`
        : html`<span class="none">${t('console.fact.vacant')}</span>`
    }</dd></div>
    <div><dt>${t('console.fact.department')}</dt><dd>${item.lead_department ?? '—'}<small>${[t(`category.${item.category}`), gridOf(item)].filter(Boolean).join(' · ')}</small></dd></div>
    <div><dt>${t('console.fact.source')}</dt><dd>${t(`source.${item.source}`)} ${item.reporter_contact ?? ''}<${Contact} item=${item} /></dd></div>
  </dl>`;
}

/** The grid that the department in the lead has made of base grids there, if it has one. @param {Incident} item */
const gridOf = (item) => ui.located?.departments?.find((/** @type {any} */ own) => own.department === item.lead_department)?.name;

/** @param {Incident} item */
function gridLabel(item) {
  const grid = item.grid ? ui.areas.get(item.grid) : undefined;
  if (!grid) return '';
  const village = areaName(item.village);
  return grid.name.startsWith(village) ? grid.name.slice(village.length).trim() : grid.name;
}

/** What was sent with the report. @param {{item: Incident}} props */
export function Photos({ item }) {
  const photos = item.attachments.filter((file) => file.content_type.startsWith('image/')).slice(0, 4);
  if (!photos.length) return null;
  return html`<div class="photos" data-testid="photos">${photos.map(
    (
      file,
    ) => html`<a href=${`/api/v1/incidents/${item.id}/photos/${file.id}`} target="_blank" rel="noopener" key=${file.id}>
    <img loading="lazy" src=${`/api/v1/incidents/${item.id}/photos/${file.id}`} alt=${file.name} /></a>`,
  )}</div>`;
}

/** A possible duplicate: told with how far and how long apart; it never merges by itself. @param {{item: Incident}} props */
export function Suspects({ item }) {
  if (!isWaiting(item)) return null;
  return item.suspects
    .map((id) => board().incidents[id])
    .filter(Boolean)
    .slice(0, 2)
    .map((other, index) => {
      const apart_s = (Date.parse(item.reported_at) - Date.parse(other.reported_at)) / 1000;
      const facts = [
        t(apart_s >= 0 ? 'console.suspect.earlier' : 'console.suspect.later', {
          time: durationText(Math.abs(apart_s)),
        }),
        t('console.suspect.apart', { distance: distanceText(metresBetween([item.lon, item.lat], [other.lon, other.lat])) }),
        item.grid && item.grid === other.grid ? t('console.suspect.same_grid') : '',
      ].filter(Boolean);
      return html`<div class="suspect" key=${other.id} data-testid="suspect"><${LevelMark} level=${other.level} hollow=${!isWaiting(other)} size=${16} />
      <div><b>${t('console.suspect.title')}</b> <button class="link plain" onClick=${() => openIncident(other.id)}>${other.title}</button>
      <p>${facts.join(t('join.clause'))}</p></div>
      <button class="btn sm" data-testid="merge" onClick=${() => void mergeInto(item, other)}>${t('console.merge')} ${index === 0 && html`<kbd>M</kbd>`}</button>
      <button class="btn sm ghost" data-testid="dismiss-suspect" onClick=${() => void send(`/incidents/${item.id}/dismiss_suspect`, { incident_id: other.id })}>${t('console.suspect.no')}</button></div>`;
    });
}

/** @param {Incident} item @param {Incident} other */
export async function mergeInto(item, other) {
  if (await send(`/incidents/${item.id}/merge`, { into: other.id })) openIncident(other.id);
}

/** @param {Assignment} job */
function jobEta(job) {
  const eta = ui.feed.etas.get(job.id);
  if (job.state !== 'en_route' || !eta || eta.eta_s === null) return '';
  const left = Math.max(0, eta.eta_s - Math.max(0, (nowMs() - Date.parse(eta.as_of)) / 1000));
  const text = durationText(left);
  return eta.eta_method === 'straight_line' ? t('console.about', { text }) : text;
}

/** Who is on it, how far they are, and what can be done about it. @param {{item: Incident}} props */
export function Crew({ item }) {
  const jobs = assignmentsOf(board(), item);
  const active = new Set(activeAssignments(board(), item).map((job) => job.id));
  const shown = jobs.filter((job) => active.has(job.id) || ['declined', 'timed_out', 'finished'].includes(job.state));
  if (!shown.length) return null;
  const now = nowMs();
  return html`<section class="people crew" data-testid="crew"><div class="sub"><h2>${t('console.crew')}</h2><span>${t('console.crew.n', { n: active.size })}</span></div>
    <ul>${shown.map((job) => {
      const person = board().responders[job.responder_id];
      const live = active.has(job.id);
      const answer =
        job.answer_due_at && (job.state === 'dispatched' || job.state === 'delivered')
          ? Math.ceil((Date.parse(job.answer_due_at) - now) / 1000)
          : null;
      const since = job.on_scene_at ?? job.en_route_at ?? job.signed_at ?? job.delivered_at ?? job.dispatched_at;
      return html`<li class=${`job ${live ? '' : 'past'} ${job.state}`} key=${job.id} data-testid="job" data-state=${job.state}>
        <${KindMark} kind=${person?.kind ?? ''} hollow=${live} size=${18} />
        <div><h4><button class="name" onClick=${() => select({ kind: 'responder', id: job.responder_id })}>${person?.name ?? job.responder_id}</button>
          <span>${person ? t(`kind.${person.kind}`) : ''}${job.lead ? ` · ${t('console.lead')}` : ''}</span></h4>
          <p><b class=${`duty ${job.state}`}>${t(`assignment.${job.state}`)}</b> ${timeOfDay(since, { seconds: true })}${job.reason ? ` · ${job.reason}` : ''}
          ${answer !== null && html` · <em class=${answer < 10 ? 'late' : ''}>${answer > 0 ? t('console.answer.left', { s: answer }) : t('console.answer.none')}</em>`}</p></div>
        <b class="eta">${jobEta(job)}</b>
        ${
          live &&
          html`<div class="acts row"><button class="btn sm" onClick=${() => void callPerson(job.responder_id)}>${t('console.call')}</button>
          ${mayDispatch() && html`<button class="btn sm ghost" data-testid="recall" onClick=${() => void send(`/assignments/${job.id}/recall`, { reason: t('console.recall.reason') })}>${t('console.recall')}</button>`}</div>`
        }
      </li>`;
    })}</ul></section>`;
}

/** @param {{item: Incident}} props */
export function Timeline({ item }) {
  const items = ui.timeline?.id === item.id ? [...ui.timeline.items].sort((a, b) => b.seq - a.seq) : [];
  if (!items.length) return null;
  return html`<ol class="timeline" data-testid="timeline" aria-label=${t('console.timeline')}>${items.slice(0, 40).map(
    (entry) => html`<li key=${entry.seq}>
    <b>${timeOfDay(entry.at, { seconds: true })}</b><span>${entry.note || t(`console.event.${entry.type}`)}</span>
    <em>${entry.actor?.name ?? ''}</em></li>`,
  )}</ol>`;
}

/** Words of a refused command, where it was asked for. */
export function FaultLine() {
  const { fault } = ui;
  if (!fault || fault.where !== keyOf(ui.selection)) return null;
  return html`<p class="fault" role="alert" data-testid="fault">${fault.text}
    ${fault.retry && html`<button class="btn sm" onClick=${fault.retry}>${t('console.retry')}</button>`}
    <button class="link" aria-label=${t('console.dismiss')} onClick=${() => set({ fault: null })}>✕</button></p>`;
}
