// The screens of the phone: one column, status on top, the next action under the thumb.

import { has, t } from '../i18n.js';
import { clock, distance, duration, timeOfDay } from '../time.js';
import { html, useEffect, useRef } from '../ui/h.js';
import { closureName, ClosureMark, spanText } from '../ui/closures.js';
import { LevelMark } from '../ui/shapes.js';
import { needsAnswer, stages } from './job.js';
import { megabytes } from './photo.js';
import { Sheet } from './sheets.js';

/** @import {Incident} from '../../types/wire.d.ts' */
/** @import {Model, Do} from './main.js' */
/** @import {Entry} from './outbox.js' */

/** @param {{model: Model, act: Do}} props */
export function App({ model, act }) {
  const { job } = model;
  let screen = html`<${Idle} model=${model} act=${act} />`;
  if (job && needsAnswer(job)) screen = html`<${Arriving} model=${model} act=${act} />`;
  else if (job) screen = html`<${Working} model=${model} act=${act} />`;
  return html`<div class="phone" onPointerDown=${act.touched}>
    <${DutyBar} model=${model} act=${act} />
    <${NetStrip} model=${model} />
    ${model.flash && html`<p class="flash-line" role="status">${model.flash}</p>`}
    ${screen}
    ${model.sheet && html`<${Sheet} model=${model} act=${act} />`}
  </div>`;
}

/** @param {{model: Model, act: Do}} props */
function DutyBar({ model, act }) {
  const { responder, duty, now } = model;
  const on = Boolean(responder?.on_duty);
  let sharing = t('field.not_shared');
  let tone = '';
  if (on && duty.problem) {
    sharing = t(`field.position_${duty.problem}`);
    tone = 'warn';
  } else if (on && duty.sentAt) {
    const age = (now - duty.sentAt) / 1000;
    sharing = t('field.shared', { time: duration(age) });
    if (age > 30) tone = 'warn';
  } else if (on) sharing = t('field.shared_wait');
  return html`<header class="duty">
    <b class=${on ? 'on' : 'off'}>${t(on ? 'field.on_duty' : 'field.off_duty')}</b>
    <span class=${tone}>${sharing}</span>
    <button type="button" class="who" onClick=${() => act.open('menu')}>
      ${model.session.user.name}<i aria-hidden="true">≡</i>
      ${model.unread > 0 && html`<u>${model.unread}</u>`}
    </button>
  </header>`;
}

/** @param {{model: Model}} props */
function NetStrip({ model }) {
  const { offlineS, waiting } = model;
  if (model.feedState === 'signed_out') {
    return html`<a class="net" href="/login?next=/field&expired=1"><b>${t('field.session_ended')}</b></a>`;
  }
  if (offlineS === null && !waiting.length) return null;
  return html`<div class="net" role="status">
    <i>${offlineS === null ? t('field.sending') : t('field.offline', { time: clock(offlineS) })}</i>
    <b>${waiting.length ? t('field.waiting', { n: waiting.length }) : t('field.nothing_waits')}</b>
    <span>${t('field.offline_note')}</span>
  </div>`;
}

/** The one map element lives through all screens; it is moved to where it is needed. @param {{model: Model}} props */
function MapHere({ model }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    place.current?.append(model.mapElement);
    model.mapResized();
  }, []);
  return html`<div class="mp" ref=${place}></div>`;
}

/** @param {{model: Model, act: Do}} props */
function MapBox({ model, act }) {
  return html`<div class="map-box">
    <${MapHere} model=${model} />
    ${model.closed && html`<p class="closed-near" data-testid="closed-near"><${ClosureMark} state="in_force" size=${20} /><span>${t('closure.near', { name: closureName(model.closed), reason: model.closed.reason, span: spanText(model.closed, model.serverNow) })}</span></p>`}
    ${model.base?.note && html`<p class="base-line" role="status" data-testid="base-note">${model.base.note}</p>`}
    ${model.base && html`<small class="credits">${model.base.credits}</small>`}
    ${model.base?.next && html`<button type="button" class="base-next" onClick=${act.chooseBase} data-testid="base-next"><svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="m12 3 9 5-9 5-9-5ZM3 12.500l9 5 9-5M3 17l9 5 9-5" /></svg>${t('field.base_next', { name: t(`console.base.${model.base.next}`) })}</button>`}
    ${model.mapTouched && html`<button type="button" class="recentre" onClick=${act.recentre}>${t('field.recentre')}</button>`}
  </div>`;
}

/** @param {{model: Model, act: Do}} props */
function Idle({ model, act }) {
  const on = Boolean(model.responder?.on_duty);
  const since = model.responder?.shift_since ?? null;
  return html`<main class="idle">
    <${MapBox} model=${model} act=${act} />
    <section class="say">
      <h1>${on ? t('field.no_job') : t('field.off_duty')}</h1>
      <p>${on ? t('field.no_job_since', { time: timeOfDay(since) }) : t('field.off_duty_statement')}</p>
      <${Waiting} model=${model} act=${act} />
    </section>
    <footer class="bt">
      ${on
        ? html`<button type="button" class="go" onClick=${() => act.open('report')}>${t('field.report')}</button>
            <button type="button" onClick=${() => act.open('messages')}>${t('field.messages')}${model.unread > 0 && html` <u>${model.unread}</u>`}</button>
            <button type="button" onClick=${act.callCentre}>☎ ${t('field.call_centre')}</button>`
        : html`<button type="button" class="go" disabled=${!model.responder} onClick=${() => act.shift(true)}>${t('field.go_on_duty')}</button>
            <button type="button" onClick=${() => act.open('messages')}>${t('field.messages')}</button>
            <button type="button" onClick=${act.callCentre}>☎ ${t('field.call_centre')}</button>`}
    </footer>
  </main>`;
}

/** @param {{model: Model, act: Do}} props */
function Arriving({ model, act }) {
  const job = /** @type {NonNullable<Model['job']>} */ (model.job);
  const { incident, assignment } = job;
  const due = assignment.answer_due_at ? (Date.parse(assignment.answer_due_at) - model.serverNow) / 1000 : null;
  const over = due !== null && due < 0;
  const safety = model.safety;
  return html`<main class=${`arriving level-${incident.level}`}>
    <div class="al">
      <${LevelMark} level=${incident.level} size=${32} />
      <b>${t(`level.${incident.level}`)} ${t('field.new_job')}</b>
      ${due !== null && html`<em>${clock(Math.max(0, due))}</em>`}
    </div>
    ${due !== null && html`<p class="sub">${over ? t('field.answer_over') : t('field.answer_within', { time: clock(due) })}</p>`}
    <div class="ti"><h1>${incident.title}</h1><p>${incident.address ?? t(`category.${incident.category}`)}</p></div>
    <${MapBox} model=${model} act=${act} />
    <div class="eta"><b>${model.etaS === null ? t('field.no_route') : duration(model.etaS, { fine: true })}</b>
      <span>${model.leftM !== null && distance(model.leftM)}${model.responder && `${t('field.comma')}${t(`profile.${model.responder.profile}`)}`}${model.etaMethod === 'straight_line' && `${t('field.comma')}${t('field.straight_line')}`}</span></div>
    <ul class="nt">
      ${safety && html`<li><span>${t('field.safety')}</span><b class="sf">${safety}</b></li>`}
      ${incident.description && html`<li><span>${t('field.scene')}</span><p>${incident.description}</p></li>`}
      ${job.others.map(({ responder, assignment: other }) => {
        const eta = model.etas.get(other.id)?.eta_s;
        const words = { kind: t(`kind.${responder.kind}`), name: responder.name };
        return html`<li key=${other.id}><span>${t('field.together')}</span><p>${eta == null ? t('field.together_row', words) : t('field.together_eta', { ...words, time: duration(eta, { fine: true }) })}</p></li>`;
      })}
    </ul>
    <footer class="bt">
      <button type="button" class="go" onClick=${act.accept}>${t('field.accept_and_go')}</button>
      <button type="button" onClick=${() => act.open('decline')}>${t('field.cannot_go')}</button>
      <button type="button" onClick=${act.callCentre}>☎ ${t('field.call_centre')}</button>
    </footer>
  </main>`;
}

/** @param {{model: Model, act: Do}} props */
function Working({ model, act }) {
  const job = /** @type {NonNullable<Model['job']>} */ (model.job);
  const { incident, assignment, state } = job;
  const onWay = state === 'en_route' || state === 'signed';
  const limit = limitOf(incident, onWay, model.serverNow);
  const proposed = state === 'en_route' && assignment.arrival_due_at && !job.waiting.has('not_on_scene');
  const left = proposed ? (Date.parse(/** @type {string} */ (assignment.arrival_due_at)) - model.serverNow) / 1000 : 0;
  return html`<main class=${`working level-${incident.level}`}>
    ${onWay ? html`<${NextTurn} model=${model} />` : html`<div class="ti"><h1>${incident.title}</h1><p>${incident.address ?? ''}</p></div>`}
    <${MapBox} model=${model} act=${act} />
    <div class="eta">
      ${onWay
        ? html`<b>${model.etaS === null ? '–' : duration(model.etaS, { fine: true })}</b><span>${distance(model.leftM)}${model.etaMethod === 'straight_line' && `${t('field.comma')}${t('field.straight_line')}`}</span>`
        : html`<b>${t('assignment.on_scene')}</b><span>${assignment.on_scene_at && timeOfDay(assignment.on_scene_at)}</span>`}
      ${limit && html`<em class=${limit.over ? 'late' : ''}>${t(`field.${limit.stage}_${limit.over ? 'over' : 'left'}`)} <b>${clock(limit.left_s)}</b></em>`}
    </div>
    <ol class="st4">
      ${stages(job).map((row) => html`<li key=${row.step} class=${row.now ? 'n' : row.done ? 'd' : ''}>
        ${row.now ? '➤ ' : row.done ? '✓ ' : ''}${row.step === 'en_route' ? t('field.stage.en_route') : t(`field.step.${row.step}`)}
        <small class=${row.waiting ? 'w' : ''}>${row.waiting ? t('field.waits') : row.at ? t('field.delivered_at', { time: timeOfDay(row.at) }) : row.limit_s ? t('field.limit', { time: duration(row.limit_s) }) : ' '}</small>
      </li>`)}
    </ol>
    <div class="rest">
      ${proposed && html`<div class="proposed" role="alert"><p>${t('field.proposed', { time: clock(Math.max(0, left)) })}</p>
        <button type="button" onClick=${act.notYet}>${t('field.not_yet')}</button></div>`}
      <${Waiting} model=${model} act=${act} />
      ${!model.entries.length && !proposed && html`<details class="job-line"><summary><${LevelMark} level=${incident.level} hollow size=${18} /> ${incident.title}</summary>
        <p>${[incident.address, incident.description].filter(Boolean).join(t('join.sentence'))}</p></details>`}
    </div>
    <footer class="bt">
      ${state === 'signed' && html`<button type="button" class="go" onClick=${() => act.step('en_route')}>${t('field.go')}</button>`}
      ${state === 'en_route' && html`<button type="button" class="go" onClick=${() => act.step('on_scene')}>${t('field.arrived')}<small>${t('field.arrived_note')}</small></button>`}
      ${state === 'on_scene' && html`<button type="button" class="go" onClick=${() => act.open('finish')}>${t('field.finish')}<small>${t('field.finish_note')}</small></button>`}
      <div class="four">
        <button type="button" onClick=${act.callCentre}><i aria-hidden="true">☎</i>${t('field.centre')}</button>
        <button type="button" onClick=${() => act.open('messages')}>${t('field.messages')}${model.unread > 0 && html` <u>${model.unread}</u>`}</button>
        <label class="button">${t('field.take_photo')}<input type="file" accept="image/*" capture="environment" onChange=${act.photo} /></label>
        <button type="button" class="sos" onClick=${act.askHelp}>${model.helpArmed ? t('field.ask_help_confirm') : t('field.ask_help')}</button>
      </div>
    </footer>
  </main>`;
}

/**
 * The clock that binds me now: until I am there the arrival's, afterwards the job's.
 * @param {Incident} incident @param {boolean} onWay @param {number} nowMs
 */
function limitOf(incident, onWay, nowMs) {
  const stage = onWay && incident.due?.arrive ? 'arrive' : 'handle';
  const due = incident.due?.[stage];
  if (!due) return null;
  const left_s = (Date.parse(due) - nowMs) / 1000;
  return { stage, left_s, over: left_s < 0 };
}

/** @param {{model: Model}} props */
function NextTurn({ model }) {
  const { turn, route } = model;
  if (!turn) {
    return html`<div class="nav"><${Arrow} maneuver="arrive" /><p><b>${route ? t('field.turn_now') : t('field.no_route')}</b><span>${model.job?.incident.address ?? model.job?.incident.title}</span></p></div>`;
  }
  const { maneuver, exit = 0 } = turn.step;
  // Where the way ends on the roundabout no exit is taken.
  const key = maneuver === 'roundabout' && !exit ? 'field.turn.onto_roundabout' : `field.turn.${maneuver}`;
  return html`<div class="nav"><${Arrow} maneuver=${maneuver} />
    <p><b>${t('field.turn_in', { distance: distance(turn.in_m), text: has(key) ? t(key, { exit }) : turn.step.text })}</b>
    <span>${turn.step.road ? t('field.into_road', { road: turn.step.road }) : (model.job?.incident.address ?? '')}</span></p></div>`;
}

/** Which way, as a shape. @param {{maneuver: string}} props */
function Arrow({ maneuver }) {
  const left = /left/.test(maneuver);
  const right = /right/.test(maneuver);
  const back = /u.?turn/.test(maneuver);
  let path = 'M20 36V10M9 20 20 8 31 20';
  if (back) path = 'M28 36V16a8 8 0 0 0-16 0V30M4 23l8 9 8-9';
  else if (left || right) path = 'M30 36V18H10M19 8 8 18 19 28';
  else if (maneuver === 'roundabout') path = 'M20 36V27M20 27a8 8 0 1 1 8-8M28 19h8M32 14l5 5-5 5';
  else if (/arrive/.test(maneuver)) path = 'M20 34 10 20a11 11 0 1 1 20 0ZM20 14v.1';
  return html`<svg class=${right && !back ? 'mirror' : ''} width="44" height="44" viewBox="0 0 40 40" aria-hidden="true"><path d=${path} /></svg>`;
}

/** What is not sent yet, and what the server would not take. @param {{model: Model, act: Do}} props */
function Waiting({ model, act }) {
  const shown = model.entries.filter((entry) => entry.kind !== 'receipt');
  if (!shown.length) return null;
  return html`<ul class="ob">
    ${shown.map((entry) => html`<li key=${entry.key} class=${entry.state}>
      <b>${labelOf(entry)}</b>
      ${entry.state === 'waiting'
        ? html`<span>${t('field.waits')}</span>`
        : html`<span class="no">${t('field.refused', { detail: entry.refusal || String(entry.refusedStatus ?? '') })}</span>
            <button type="button" onClick=${() => act.dismiss(entry.key)}>${t('field.understood')}</button>`}
    </li>`)}
  </ul>`;
}

/** @param {Entry} entry */
function labelOf(entry) {
  if (entry.kind === 'positions') return t('field.positions_n', { n: /** @type {unknown[]} */ (entry.body).length });
  if (entry.kind === 'photo') return t('field.photo_size', { size: megabytes(entry.file?.blob.size ?? 0) });
  if (entry.kind === 'message') return t('field.message_label', { body: entry.label });
  if (entry.kind === 'report') return t('field.report_label', { title: entry.label });
  return entry.label;
}

