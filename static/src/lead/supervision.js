// The tab of instructions: what leaders said, of which case, and what came of it. A new one goes out from here.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { Dialog } from '../ui/dialog.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { LevelMark } from '../ui/shapes.js';
import { set, ui } from './state.js';

/** @import {Followed} from '../../types/lead.d.ts' */

const EVERY_MS = 20_000;
const GRADES = /** @type {const} */ (['normal', 'yellow', 'red']);
const FILTERS = /** @type {const} */ (['open', 'done', 'all']);
const OPEN = 'reported,accepted,dispatched,handling,suspended,handled';
const CLOSED = new Set(['closed', 'evaluated', 'revisited', 'archived', 'cancelled', 'merged', 'rejected']);

/** @param {string | null} at */
const moment = (at) => (at ? `${dayOf(at)} ${timeOfDay(at)}` : '—');

/** @param {{items: {id: string, code: string, title: string}[], incident: string, onDone: () => void, onClose: () => void}} props */
function Instruct({ items, incident, onDone, onClose }) {
  const [chosen, setChosen] = useState(incident);
  const [grade, setGrade] = useState(/** @type {string} */ ('normal'));
  const [text, setText] = useState('');
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      await call('POST', `/incidents/${encodeURIComponent(chosen)}/supervise`, { text: text.trim(), grade });
      onDone();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`${error && html`<span class="refused">${refusal(error)}</span>`}<button class="btn ghost" onClick=${onClose}>${t('lead.cancel')}</button>
    <button class="btn primary" disabled=${busy || !chosen || !text.trim()} onClick=${() => void send()} data-testid="instruct-send">${t('lead.instruct.send')}</button>`;
  return html`<${Dialog} title=${t('lead.instruct')} onClose=${onClose} foot=${foot} id="instruct"><div class="form">
    <label class="wide"><span>${t('lead.instruct.incident')}</span><select value=${chosen} onChange=${(/** @type {any} */ event) => setChosen(event.target.value)} data-testid="instruct-incident"><option value="">—</option>${items.map((one) => html`<option key=${one.id} value=${one.id}>${one.code} ${one.title}</option>`)}</select></label>
    <div class="wide field"><span>${t('lead.instruct.grade')}</span><div class="seg boxed" role="group">${GRADES.map((one) => html`<button key=${one} class=${grade === one ? 'on' : ''} aria-pressed=${grade === one} onClick=${() => setGrade(one)}>${t(`lead.grade.${one}`)}</button>`)}</div><small class="hint">${t('lead.instruct.hint')}</small></div>
    <label class="wide"><span>${t('lead.instruct.text')}</span><textarea rows="4" maxlength="2000" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} data-testid="instruct-text"></textarea></label></div><//>`;
}

/** @param {{row: Followed, now: number}} props */
function State({ row, now }) {
  if (row.closed_at) return html`<b class="good">${t(`state.${row.state}`)}</b><small>${moment(row.closed_at)}</small>`;
  if (CLOSED.has(row.state)) return html`<b>${t(`state.${row.state}`)}</b>`;
  const rest = row.due_at ? (Date.parse(row.due_at) - now) / 1000 : null;
  return html`<b>${t(`state.${row.state}`)}</b>${
    rest === null ? '' : html`<small class=${rest < 0 || row.overdue ? 'late' : ''}>${t(rest < 0 ? 'lead.due.over' : 'lead.due.left', { time: durationText(Math.abs(rest)) })}</small>`
  }`;
}

/** @param {{row: Followed, now: number, onInstruct: (id: string) => void}} props */
function Row({ row, now, onInstruct }) {
  const [more, setMore] = useState(false);
  const last = row.said.at(-1);
  const area = ui.rows.get(row.village ?? row.township ?? '');
  return html`<tr data-testid=${`followed-${row.code}`}><td class="when">${moment(last?.at ?? row.updated_at)}<small>${last?.by ?? row.updated_by}</small></td>
    <td>${row.supervision ? html`<span class=${`grade ${row.supervision}`}>${t(`lead.grade.${row.supervision}`)}</span>` : ''}${row.escalation_tier !== null ? html`<span class="chip">${t('lead.escalated', { tier: t(`lead.tier.${row.escalation_tier}`) })}</span>` : ''}</td>
    <td class="said">${(more ? row.said : row.said.slice(-1)).map((line, n) => html`<p key=${n}>${more && html`<small>${moment(line.at)} ${line.by} ${t(`lead.said.${line.what}`)}</small>`}${line.text}</p>`)}${row.said.length > 1 && html`<button class="link" onClick=${() => setMore(!more)}>${t(more ? 'lead.said.less' : 'lead.said.more', { n: row.said.length })}</button>`}</td>
    <td><span class="case"><${LevelMark} level=${row.level} hollow size=${16} /><span><b>${row.title}</b><small>${row.code} · ${row.address ?? area?.name ?? ''}</small></span></span></td>
    <td class="how"><${State} row=${row} now=${now} /></td>
    <td class="acts">${!CLOSED.has(row.state) && html`<button class="btn sm" onClick=${() => onInstruct(row.id)}>${t('lead.instruct.again')}</button>`}<button class="btn sm ghost" onClick=${() => set({ tab: 'replay', replayOf: row.id })} data-testid=${`replay-of-${row.code}`}>${t('lead.tab.replay')}</button></td></tr>`;
}

/** The sentence of the tab. */
export function supervisionStory() {
  const items = ui.followed;
  if (!items) return t('lead.reading');
  const open = items.filter((row) => !CLOSED.has(row.state));
  const late = open.filter((row) => row.overdue).length;
  if (items.length === 0) return t('lead.story.no_instructions');
  return t('lead.story.instructions', { n: items.length, open: open.length }) + (late ? t('lead.story.late', { n: late }) : '');
}

export function SupervisionTab() {
  const [filter, setFilter] = useState(/** @type {typeof FILTERS[number]} */ ('open'));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [form, setForm] = useState(/** @type {{incident: string, items: any[]} | null} */ (null));
  const read = async () => {
    const area = ui.chosen ? `?area=${encodeURIComponent(ui.chosen)}` : '';
    try {
      const { items } = await call('GET', `/supervision${area}`);
      set({ followed: items });
      setError(null);
    } catch (failure) {
      setError(failure);
    }
  };
  useEffect(() => {
    void read();
    const timer = window.setInterval(() => document.hidden || void read(), EVERY_MS);
    return () => window.clearInterval(timer);
  }, [ui.chosen]);
  /** @param {string} incident */
  const open = async (incident) => {
    try {
      const { items } = await call('GET', `/incidents?state=${OPEN}&limit=200`);
      setForm({ incident, items });
    } catch (failure) {
      setError(failure);
    }
  };
  const all = ui.followed ?? [];
  const isOpen = (/** @type {Followed} */ row) => !CLOSED.has(row.state);
  const rows = all.filter((row) => filter === 'all' || isOpen(row) === (filter === 'open'));
  const count = { open: all.filter(isOpen).length, done: all.length - all.filter(isOpen).length, all: all.length };
  return html`<section class="panel followed" aria-label=${t('lead.tab.supervision')}><header><div class="seg" role="group">${FILTERS.map((one) => html`<button key=${one} class=${filter === one ? 'on' : ''} aria-pressed=${filter === one} onClick=${() => setFilter(one)} data-testid=${`followed-${one}`}>${t(`lead.followed.${one}`)}<b>${count[one]}</b></button>`)}</div><small>${t('lead.followed.hint')}</small>
      <button class="btn sm primary" onClick=${() => void open('')} data-testid="instruct-open">${t('lead.instruct')}</button></header>
    ${error && html`<p class="refused" role="alert">${refusal(error)}</p>`}
    <div class="table-scroll"><table class="rows"><thead><tr><th>${t('lead.col.said_at')}</th><th>${t('lead.col.grade')}</th><th>${t('lead.col.said')}</th><th>${t('lead.col.case')}</th><th>${t('lead.col.how')}</th><th></th></tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.id} row=${row} now=${ui.feed.serverNow()} onInstruct=${(/** @type {string} */ id) => void open(id)} />`)}</tbody></table>
      ${ui.followed && rows.length === 0 && html`<div class="blank"><b>${t(`lead.followed.none.${filter}`)}</b><p>${t('lead.followed.none.hint')}</p></div>`}</div>
    ${form && html`<${Instruct} ...${form} onClose=${() => setForm(null)} onDone=${() => {
      setForm(null);
      void read();
    }} />`}</section>`;
}
