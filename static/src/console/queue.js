// The queue: what waits, what runs, what is to be checked. Most urgent first, and never re-sorted under the pointer.
import { t } from '../i18n.js';
import { activeAssignments, compareUrgency } from '../board.js';
import { timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { html, useRef } from '../ui/h.js';
import { isAlarm, isWaiting, levelOf } from '../ui/levels.js';
import { Lamp, LevelMark } from '../ui/shapes.js';
import { acknowledge, takeIncident } from './actions.js';
import { DeviceAlarms } from './alarms.js';
import { board, nowMs, redraw, set, ui } from './state.js';
import { cardClock, deskOf, isLate, isMine, isRunning, placeName } from './words.js';

/** @import {Incident} from '../../types/wire.d.ts' */

/** @typedef {'waiting' | 'running' | 'handled'} Group */

/** @type {Record<Group, (item: Incident) => boolean>} */
const GROUP_TEST = { waiting: isWaiting, running: isRunning, handled: (item) => item.state === 'handled' };
const GROUPS = /** @type {Group[]} */ (Object.keys(GROUP_TEST));

/** The order shown while the pointer is over the list. @type {Record<Group, string[]> | null} */
let frozen = null;

/** @param {Incident} item */
function passes(item) {
  if (ui.filter === 'mine') return isMine(item);
  if (ui.filter === 'late') return isLate(item);
  return true;
}

/** The groups in the order they are shown. @returns {Record<Group, Incident[]>} */
export function queueGroups() {
  const all = Object.values(board().incidents).filter(passes).sort(compareUrgency);
  const sorted = /** @type {Record<Group, Incident[]>} */ ({
    waiting: all.filter(GROUP_TEST.waiting),
    running: all.filter(GROUP_TEST.running),
    handled: all.filter(GROUP_TEST.handled),
  });
  if (!frozen) return sorted;
  const placed = new Set(Object.values(frozen).flat());
  for (const group of GROUPS) {
    const kept = frozen[group].map((id) => board().incidents[id]).filter(Boolean);
    const added = sorted[group].filter((item) => !placed.has(item.id));
    sorted[group] = [...kept, ...added];
    frozen[group] = sorted[group].map((item) => item.id);
  }
  return sorted;
}

function freeze() {
  const groups = queueGroups();
  frozen = {
    waiting: groups.waiting.map((i) => i.id),
    running: groups.running.map((i) => i.id),
    handled: groups.handled.map((i) => i.id),
  };
}

function thaw() {
  frozen = null;
  redraw();
}

/** Ids in the order J and K walk. */
export function queueOrder() {
  const groups = queueGroups();
  return [...groups.waiting, ...groups.running, ...(ui.queueOpen.handled ? groups.handled : [])].map((item) => item.id);
}

/** @param {{item: Incident}} props */
function Chips({ item }) {
  const chips = [];
  if (isAlarm(item)) {
    chips.push(html`<span class="chip alarm flash">${t('console.unacknowledged')}</span><kbd>A</kbd>
      <button class="hint" data-testid="acknowledge" onClick=${(/** @type {Event} */ e) => {
        e.stopPropagation();
        void acknowledge(item);
      }}>${t('console.acknowledge')}</button>`);
  }
  if (item.attention) chips.push(html`<span class="chip late">${t(`console.attention.${item.attention}`)}</span>`);
  if (isMine(item))
    chips.push(html`<span class="chip mine" data-testid="claim-chip">${t('console.claimed.mine')}</span>`);
  else if (item.claimed_by && isWaiting(item)) {
    const desk = deskOf(item.claimed_by);
    chips.push(
      html`<span class="chip" data-testid="claim-chip">${desk === null ? t('console.claimed.by', { name: item.claimed_name ?? '' }) : t('console.claimed.desk', { n: desk })}</span>`,
    );
  }
  if (item.suspects.length)
    chips.push(html`<span class="chip">${t('console.suspects', { n: item.suspects.length })}</span>`);
  if (item.rework > 0) chips.push(html`<span class="chip late">${t('console.rework', { n: item.rework })}</span>`);
  if (item.exercise) chips.push(html`<span class="chip stale">${t('console.exercise')}</span>`);
  if (item.state === 'suspended') chips.push(html`<span class="chip stale">${t('state.suspended')}</span>`);
  return chips.length ? html`<div class="chips">${chips}</div>` : null;
}

/** Right side of a card whose people are out: the stage, and the shortest time of arrival. @param {Incident} item */
function runningState(item) {
  const active = activeAssignments(board(), item);
  const clock = cardClock(item);
  const states = active.map((a) => a.state);
  const state = states.includes('on_scene')
    ? 'on_scene'
    : states.includes('en_route')
      ? 'en_route'
      : states.includes('signed')
        ? 'signed'
        : '';
  if (state === 'en_route') {
    const etas = active.map((a) => ui.feed.etas.get(a.id)).filter((eta) => eta && eta.eta_s !== null);
    const best = Math.min(
      ...etas.map((eta) => Number(eta?.eta_s) - Math.max(0, (nowMs() - Date.parse(String(eta?.as_of))) / 1000)),
    );
    return { clock, text: t('assignment.en_route'), note: Number.isFinite(best) ? durationText(best) : clock.text };
  }
  if (state === 'on_scene') return { clock, text: t('assignment.on_scene'), note: clock.text };
  return {
    clock,
    text: state ? t('assignment.signed') : t(`state.${item.state}`),
    note: clock.tone === 'late' ? clock.note : clock.text,
  };
}

/** @param {{item: Incident, group: Group}} props */
function Card({ item, group }) {
  const { rank, numeral } = levelOf(item.level);
  const hollow = !isWaiting(item);
  const moved = !GROUP_TEST[group](item);
  const right = group === 'waiting' && !hollow ? null : runningState(item);
  const clock = right?.clock ?? cardClock(item);
  const selected = ui.selection?.kind === 'incident' && ui.selection.id === item.id;
  const classes = [
    'card',
    `lv${rank}`,
    `age-${clock.ageing}`,
    selected && 'selected',
    isAlarm(item) && 'unack',
    item.attention && 'attention',
    moved && 'moved',
    group !== 'waiting' && 'compact',
    ui.cursor === item.id && 'cursor',
  ]
    .filter(Boolean)
    .join(' ');
  return html`<li class=${classes} key=${item.id} data-testid="queue-card" data-id=${item.id} data-state=${item.state}
      role="option" aria-selected=${selected} tabindex=${ui.cursor === item.id ? 0 : -1}
      aria-label=${`${t(`level.${item.level}`)} ${item.title} ${t(`state.${item.state}`)}`}
      onClick=${() => void takeIncident(item.id)}>
    <span class="no flash"><${LevelMark} level=${item.level} hollow=${hollow} /><i>${numeral}</i></span>
    <div class="what"><h3>${item.title}</h3>
      <p>${[placeName(item), t(`source.${item.source}`)].filter(Boolean).join(' · ')}</p></div>
    <div class=${`when ${clock.tone}`}>
      <span class="t"><${Lamp} used=${clock.used} tone=${clock.tone} />${right ? right.text : clock.text}</span>
      <small>${moved ? t('console.moved', { state: t(`state.${item.state}`) }) : right ? right.note : clock.note}</small></div>
    <${Chips} item=${item} />
  </li>`;
}

/** @param {{group: Group, items: Incident[], limit?: number}} props */
function GroupList({ group, items, limit = 400 }) {
  const folded = group === 'handled' && !ui.queueOpen.handled;
  const shown = items.slice(0, limit);
  const toggle = () => set({ queueOpen: { ...ui.queueOpen, handled: !ui.queueOpen.handled } });
  return html`<section class=${`group ${group}`} data-testid=${`group-${group}`}>
    <h5>${
      group === 'handled'
        ? html`<button class="fold" aria-expanded=${!folded} data-testid="fold" onClick=${toggle}><i>${folded ? '▸' : '▾'}</i> ${t('console.group.handled')}</button>`
        : t(`console.group.${group}`)
    }<b>${items.length}</b>
      <span>${
        frozen && group === 'waiting'
          ? t('console.queue.locked')
          : group === 'waiting'
            ? t('console.queue.sorted')
            : shown.length < items.length
              ? t('console.queue.shown', { n: shown.length })
              : ''
      }</span></h5>
    ${!folded && html`<ul role="listbox" aria-label=${t(`console.group.${group}`)}>${shown.map((item) => html`<${Card} item=${item} group=${group} key=${item.id} />`)}</ul>`}
    ${!folded && !items.length && html`<p class="empty">${emptyText(group)}</p>`}
    ${!folded && shown.length < items.length && html`<button class="more" onClick=${() => set({ queueOpen: { ...ui.queueOpen, running: ui.queueOpen.running + 60 } })}>${t('console.queue.more', { n: items.length - shown.length })}</button>`}
  </section>`;
}

/** @param {Group} group */
function emptyText(group) {
  if (ui.feed.state === 'connecting') return t('feed.connecting');
  if (group !== 'waiting') return t(`console.empty.${group}`);
  const ends = Object.values(board().incidents).map((item) => item.closed_at ?? '');
  const last = ends.reduce((a, b) => (a > b ? a : b), '');
  return [t('console.empty.waiting'), last && t('console.empty.last', { at: timeOfDay(last) })]
    .filter(Boolean)
    .join(t('join.clause'));
}

export function Queue() {
  const groups = queueGroups();
  const late = Object.values(board().incidents).filter(
    (item) => (isWaiting(item) || isRunning(item)) && isLate(item),
  ).length;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  return html`<aside class="queue" aria-label=${t('console.queue')} ref=${box} onMouseEnter=${freeze} onMouseLeave=${thaw} data-testid="queue">
    <div class="queue-head"><h2>${t('console.queue')}</h2><div class="seg" role="group">
      ${
        /** @type {const} */ (['all', 'mine', 'late']).map(
          (filter) => html`<button aria-pressed=${ui.filter === filter} class=${ui.filter === filter ? 'on' : ''}
        data-testid=${`filter-${filter}`} onClick=${() => {
          frozen = null;
          set({ filter });
        }}>${t(`console.filter.${filter}`)}${filter === 'late' && late ? ` ${late}` : ''}</button>`,
        )
      }
    </div></div>
    <div class="queue-body">
      <${GroupList} group="waiting" items=${groups.waiting} />
      <${DeviceAlarms} />
      <${GroupList} group="running" items=${groups.running} limit=${ui.queueOpen.running} />
      <${GroupList} group="handled" items=${groups.handled} />
    </div>
  </aside>`;
}
