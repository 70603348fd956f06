// The drawer of an incident: what it is, whose, how long yet, who can come; and one filled button for the next step.
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { html, useState } from '../ui/h.js';
import { isAlarm, isWaiting, levelOf } from '../ui/levels.js';
import { LevelMark } from '../ui/shapes.js';
import { acknowledge, claim, closeIncident, dispatchChosen, goBack, send } from './actions.js';
import { commandsFor, DISPOSITIONS } from './commands-list.js';
import { Crew, Facts, FaultLine, Photos, StageClocks, Suspects, Timeline } from './incident-parts.js';
import { OverrideReasons, RankedList } from './ranked.js';
import { readTimeline } from './reading.js';
import { board, may, mayClaim, mayDispatch, set, ui } from './state.js';
import { deskOf, isMine } from './words.js';

/** @import {Incident} from '../../types/wire.d.ts' */

/** Longer than its lines hold: the rest comes on request. */
const LONG_TEXT = 72;

/** @param {{item: Incident}} props */
function Title({ item }) {
  const [open, setOpen] = useState(false);
  const text = [item.address, item.description].filter(Boolean).join(t('join.sentence'));
  return html`<div class=${`title ${open ? 'open' : ''}`}><h1 data-testid="drawer-title" title=${item.title}>${item.title}</h1><p>${text}</p>
    ${text.length > LONG_TEXT && html`<button class="link" aria-expanded=${open} data-testid="whole-text" onClick=${() => setOpen(!open)}>${t(open ? 'console.text.less' : 'console.text.all')}</button>`}</div>`;
}

/** Who has it, and who else looks at it. @param {{item: Incident}} props */
function Claim({ item }) {
  const watchers = ui.feed.presence.filter(
    (user) => user.viewing?.kind === 'incident' && user.viewing.id === item.id && user.user_id !== ui.me.id,
  );
  const desk = deskOf(item.claimed_by);
  return html`<div class="claim" data-testid="claim">
    ${
      item.claimed_by
        ? html`<i class=${isMine(item) ? 'mine' : ''}>${desk ?? '•'}</i>
      <b class=${isMine(item) ? 'mine' : ''}>${
        isMine(item)
          ? t('console.claim.mine', { at: timeOfDay(item.claimed_at, { seconds: true }) })
          : t('console.claim.other', {
              name: item.claimed_name ?? '',
              at: timeOfDay(item.claimed_at, { seconds: true }),
            })
      }</b>`
        : html`<b class="none">${isWaiting(item) ? t('console.claim.nobody') : ''}</b>`
    }
    <span>${watchers.length ? t('console.watching', { who: watchers.map((u) => (u.desk ? t('console.desk', { n: u.desk }) : u.name)).join(t('join.list')) }) : ''}</span>
    ${
      isAlarm(item) &&
      html`<em class=${`lv${levelOf(item.level).rank}`} data-testid="alarm"><i class="chip alarm flash">${t('console.unacknowledged')}</i>
      <button class="btn sm" onClick=${() => void acknowledge(item)}>${t('console.acknowledge')} <kbd>A</kbd></button></em>`
    }
  </div>`;
}

/** @param {{item: Incident}} props */
function CommandMenu({ item }) {
  if (ui.panel !== 'menu') return null;
  return html`<div class="menu" role="menu" data-testid="command-menu">
    <button role="menuitem" class="btn sm" onClick=${() => set({ panel: 'note' })}>${t('console.command.note')}</button>
    ${commandsFor(item.state, ui.me.permissions).map(
      (command) => html`<button role="menuitem" class="btn sm" key=${command.id} data-testid=${`command-${command.id}`}
      onClick=${() => (command.field ? set({ panel: 'ask', asking: command }) : void send(`/incidents/${item.id}/${command.id}`).then((done) => done && set({ panel: '' })))}>${t(`console.command.${command.id}`)}</button>`,
    )}
  </div>`;
}

/** One line for a command that needs a word. @param {{item: Incident}} props */
function Ask({ item }) {
  const [text, setText] = useState('');
  const command = ui.panel === 'note' ? { id: 'note', field: 'text', fixed: undefined, path: undefined } : ui.asking;
  if ((ui.panel !== 'ask' && ui.panel !== 'note') || !command?.field) return null;
  const { field } = command;
  const path = `/incidents/${item.id}/${command.path ?? command.id}`;
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    /** @type {unknown} */
    let value = text.trim();
    if (field === 'score') value = Number(value);
    if (field === 'into')
      value =
        Object.values(board().incidents).find((other) => other.code === value || other.code.endsWith(`-${value}`))
          ?.id ?? value;
    if (await send(path, { ...command.fixed, [field]: value })) {
      setText('');
      set({ panel: '', asking: null });
      void readTimeline(item.id);
    }
  };
  const choices = field === 'level' ? ['I', 'II', 'III', 'IV'] : field === 'score' ? ['5', '4', '3', '2', '1'] : null;
  return html`<form class="ask" onSubmit=${submit} data-testid="ask"><b>${t(`console.command.${command.id}`)}</b>
    ${
      choices
        ? choices.map(
            (choice) =>
              html`<button type="button" class="btn sm" onClick=${() => void send(path, { ...command.fixed, [field]: field === 'score' ? Number(choice) : choice }).then((done) => done && set({ panel: '', asking: null }))}>${field === 'level' ? t(`level.${choice}`) : choice}</button>`,
          )
        : html`<input required autofocus value=${text} placeholder=${t(`console.field.${field}`)} onInput=${(/** @type {any} */ e) => setText(e.target.value)} />
      <button class="btn sm">${t('console.ok')} <kbd>Enter</kbd></button>`
    }
  </form>`;
}

/** Second of the two closing actions. */
function Dispositions() {
  if (ui.panel !== 'close') return null;
  return html`<div class="menu close" role="group" aria-label=${t('console.close.title')} data-testid="dispositions"><span>${t('console.close.title')}</span>
    ${DISPOSITIONS.map((item, index) => html`<button class="btn sm" data-testid="disposition" disabled=${Boolean(ui.busy)} onClick=${() => void closeIncident(item)}><kbd>${index + 1}</kbd>${t(`console.disposition.${item}`)}</button>`)}
  </div>`;
}

const CIRCLED = '①②③④⑤⑥⑦⑧⑨';

/** The foot: the next step, filled, once. @param {{item: Incident}} props */
function Foot({ item }) {
  const busy = Boolean(ui.busy);
  const waiting = isWaiting(item);
  const list = ui.ranked?.items ?? [];
  const top = list[ui.choice];
  let main = null;
  let second = html`<button class="btn big" aria-expanded=${ui.panel === 'menu'} data-testid="more" onClick=${() => set({ panel: ui.panel === 'menu' ? '' : 'menu' })}>${t('console.more')} <kbd>O</kbd></button>`;
  let third = null;
  if (waiting && !isMine(item) && mayClaim()) {
    main = html`<button class="btn big primary" disabled=${busy} data-testid="claim-button" onClick=${() => void claim(item)}>${item.claimed_by ? t('console.take_over') : t('console.claim')} <kbd>Enter</kbd></button>`;
  } else if (waiting && mayDispatch() && top) {
    main = html`<button class="btn big primary" disabled=${busy} data-testid="dispatch-button" onClick=${() => void dispatchChosen()}>${t('console.dispatch')} ${CIRCLED[ui.choice]} ${top.name} <kbd>Enter</kbd></button>`;
    third = second;
    second = html`<button class="btn big" disabled=${busy || list.length < 2} data-testid="dispatch-both" onClick=${() => void dispatchChosen({ both: true })}>${t('console.dispatch_both')} <kbd>Shift Enter</kbd></button>`;
  } else if (waiting && item.state === 'reported' && !mayDispatch()) {
    main = html`<button class="btn big primary" disabled=${busy} data-testid="accept-button" onClick=${() => void send(`/incidents/${item.id}/accept`)}>${t('console.command.accept')}</button>`;
  } else if (may('incident.close') && ['dispatched', 'handling', 'handled'].includes(item.state)) {
    main = html`<button class="btn big primary" disabled=${busy} data-testid="close-button" aria-expanded=${ui.panel === 'close'} onClick=${() => set({ panel: ui.panel === 'close' ? '' : 'close' })}>${t(item.state === 'handled' ? 'console.check_pass' : 'console.close')} <kbd>X</kbd></button>`;
  }
  return html`<footer class="foot"><${FaultLine} />${(waiting ? isMine(item) || !mayClaim() : ui.panel === '') && html`<${OverrideReasons} />`}<${Dispositions} /><${CommandMenu} item=${item} /><${Ask} item=${item} />
    <div class=${`buttons n${[main, second, third].filter(Boolean).length}`}>${main}${second}${third}</div></footer>`;
}

/** @param {{id: string}} props */
export function IncidentDrawer({ id }) {
  const item = board().incidents[id];
  if (!item) return html`<div class="drawer-empty"><p>${t('console.incident.gone')}</p></div>`;
  const { rank } = levelOf(item.level);
  const waiting = isWaiting(item);
  const running = item.state === 'dispatched' || item.state === 'handling';
  return html`<header class="drawer-head"><span class=${`tag lv${rank}`}><${LevelMark} level=${item.level} hollow=${!waiting} size=${18} /> ${t(`level.${item.level}`)} · ${t(`state.${item.state}`)}</span>
      <span class="code">${item.code}</span>${item.exercise && html`<span class="chip stale">${t('console.exercise')}</span>`}
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body">
      <${Title} item=${item} />
      <${Claim} item=${item} />
      <${StageClocks} item=${item} /><${Facts} item=${item} />
      ${item.disposition && html`<p class="outcome">${t('console.disposition.is', { text: item.disposition })}</p>`}
      ${item.reason && html`<p class="outcome">${t('console.reason.is', { text: item.reason })}</p>`}
      <${Photos} item=${item} />
      <${Suspects} item=${item} />
      <${Crew} item=${item} />
      ${(waiting || running) && html`<${RankedList} title=${running ? t('console.ranked.more') : t('console.ranked')} note=${t('console.ranked.sorted')} dispatchable=${mayDispatch() && (!waiting || isMine(item) || !mayClaim())} />`}
      <${Timeline} item=${item} />
    </div>
    <${Foot} item=${item} />`;
}
