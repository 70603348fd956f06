// The community page: one click on the map answers who is there, who is responsible, what is open, and how to reach them.
import { compareUrgency } from '../board.js';
import { has, language, t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { html, useState } from '../ui/h.js';
import { isWaiting } from '../ui/levels.js';
import { KindMark, LevelMark } from '../ui/shapes.js';
import { callPerson, goBack, message, newIncident, openArea, openIncident, select } from './actions.js';
import { FaultLine } from './incident-parts.js';
import { RankedList } from './ranked.js';
import { board, ui } from './state.js';
import { cardClock, isRunning, pathOf, placeName } from './words.js';

/** @param {{value: {n: number, d: number} | undefined, label: string}} props */
function Cover({ value, label }) {
  // 0 of 0: not reckoned for so large an area.
  if (!value?.d) return null;
  const share = value.n / value.d;
  return html`<li><span>${label}</span><b>${value.n}/${value.d} ${t('console.area.grids')}</b>
    <progress class=${share < 0.9 ? 'low' : ''} max="1" value=${share}></progress></li>`;
}

/** 01、02、03、04 等: numbers of grids, known by code. @param {string[]} codes */
function gridList(codes) {
  const names = codes
    .slice(0, 4)
    .map((code) => /(\d+)\s*格?$/.exec(ui.areas.get(code)?.name ?? code)?.[1]?.slice(-2) ?? code);
  return names.join(t('join.list')) + (codes.length > 4 ? '…' : '');
}

/** A chief who also works a grid stands in the answer twice. @param {any[]} people */
function onceEach(people) {
  const seen = new Set();
  return people.filter((item) => {
    if (!item.responder_id) return true;
    const fresh = !seen.has(item.responder_id);
    seen.add(item.responder_id);
    return fresh;
  });
}

/** What somebody answers for: grids of their own, or the post where numbers would say nothing. @param {any} person @param {number} tier */
function duties(person, tier) {
  if (person.vacant) return '';
  if (person.kind === 'police' || tier < 3) return person.note ?? '';
  return person.grids?.length ? t('console.area.of_grids', { list: gridList(person.grids) }) : '';
}

/** @param {{person: any, tier: number}} props */
function Person({ person, tier }) {
  const responder = person.responder_id ? board().responders[person.responder_id] : undefined;
  const busy = responder ? Boolean(responder.assignment_id) : person.busy;
  const on = responder ? responder.on_duty : person.on_duty;
  const job = responder?.assignment_id ? board().assignments[responder.assignment_id] : undefined;
  const about = job ? board().incidents[job.incident_id]?.title : '';
  const duty = person.vacant ? 'none' : !on ? 'off' : busy ? 'busy' : 'on';
  const words = person.vacant
    ? person.note || t('console.fact.vacant')
    : duty === 'busy'
      ? [about, job && t(`assignment.${job.state}`)].filter(Boolean).join(t('join.clause'))
      : on && person.until
        ? t('console.until', { at: timeOfDay(person.until) })
        : !on
          ? t('console.area.off_note')
          : '';
  return html`<li class=${`person ${person.vacant ? 'vacant' : ''}`}><${KindMark} kind=${person.kind} hollow=${duty !== 'on'} size=${18} />
    <div><h4>${person.responder_id ? html`<button class="name" onClick=${() => select({ kind: 'responder', id: person.responder_id })}>${person.name}</button>` : person.name || t('console.fact.vacant')}
      <span>${[has(`kind.${person.role_label}`) ? t(`kind.${person.role_label}`) : person.role_label, duties(person, tier)].filter(Boolean).join(' · ')}</span></h4>
      <p><b class=${`duty ${duty}`}>${t(`console.duty.${duty === 'on' ? 'free' : duty}`)}</b> ${words}</p></div>
    ${
      person.responder_id &&
      html`<div class="acts row"><button class="btn sm" onClick=${() => void callPerson(person.responder_id)}>${t('console.call')}</button>
      <button class="btn sm ghost" onClick=${() => select({ kind: 'responder', id: person.responder_id })}>${t('console.message')}</button></div>`
    }
  </li>`;
}

const PEOPLE_SHOWN = 12;

/** The chief, then the gaps, then who is there: of a whole township the first of them. @param {{people: any[], tier: number}} props */
function People({ people, tier }) {
  const [all, setAll] = useState(false);
  const list = onceEach(people);
  const sorted = list.length > PEOPLE_SHOWN ? [...list].sort((a, b) => standing(a) - standing(b)) : list;
  const shown = all ? sorted : sorted.slice(0, PEOPLE_SHOWN);
  return html`<section class="people"><div class="sub"><h2>${t('console.area.people')}</h2><span>${t('console.area.people_note')}</span></div>
    <ul>${shown.map((person, index) => html`<${Person} person=${person} tier=${tier} key=${person.responder_id ?? `v${index}`} />`)}</ul>
    ${shown.length < list.length && html`<button class="more" data-testid="more-people" onClick=${() => setAll(true)}>${t('console.area.people_more', { n: list.length - shown.length })}</button>`}
    ${!list.length && html`<p class="empty">${t('console.area.no_people')}</p>`}</section>`;
}

/** @param {any} person */
const standing = (person) => (person.role_label === 'grid_chief' ? 0 : person.vacant ? 1 : person.on_duty ? 2 : 3);

/** One message to everybody of the area. @param {{code: string, n: number}} props */
function Broadcast({ code, n }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (await message({ area: code }, text.trim())) {
      setText('');
      setOpen(false);
    }
  };
  if (!open)
    return html`<button class="btn big" disabled=${!n} data-testid="broadcast" onClick=${() => setOpen(true)}>${t('console.area.message_all', { n })}</button>`;
  return html`<form class="ask wide" onSubmit=${submit}><input autofocus required value=${text} placeholder=${t('console.message.hint')} onInput=${(/** @type {any} */ e) => setText(e.target.value)} />
    <button class="btn sm">${t('console.send')}</button></form>`;
}

/** @param {{code: string}} props */
export function AreaDrawer({ code }) {
  const known = ui.areas.get(code);
  const data = ui.overview;
  const area = data?.area ?? known;
  const figures = data?.figures;
  const open = Object.values(board().incidents)
    .filter((item) => (isWaiting(item) || isRunning(item)) && pathOf(item.grid).some((part) => part.code === code))
    .sort(compareUrgency);
  const top = ui.ranked?.items[ui.choice];
  const parent = known?.parent ? ui.areas.get(known.parent) : undefined;
  return html`<header class="drawer-head"><span class="tag accent">${tierName(area)}</span>
      <span class="code">${parent && html`<button class="link plain" onClick=${() => openArea(parent.code)}>${parent.name}</button> · `}${[
        figures && (area?.tier ?? 4) < 4 && t('console.area.n_grids', { n: figures.grids }),
        area?.households && t('console.area.households', { n: area.households.toLocaleString() }),
      ]
        .filter(Boolean)
        .join(' · ')}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body area">
      <div class="title"><h1 data-testid="drawer-title">${area?.name ?? code}</h1>
        <p>${data?.beat && data.area.tier > 2 ? t('console.area.beat', { name: data.beat.name, station: data.beat.station ?? '' }) : ''}</p></div>
      ${
        figures
          ? html`<dl class="figures" data-testid="area-figures">
        <div><dt>${t('console.count.on_duty')}</dt><dd>${figures.on_duty}<s>/${figures.staff}</s></dd><small class=${figures.vacant_grids ? 'late' : ''}>${figures.vacant_grids ? t('console.area.vacant', { n: figures.vacant_grids }) : t('console.area.staffed')}</small></div>
        <div><dt>${t('console.area.fastest')}</dt><dd>${durationText(figures.fastest_s)}</dd><small>${t('console.area.by_road')}</small></div>
        <div><dt>${t('console.area.open')}</dt><dd>${open.length}</dd><small>${open[0] ? t('console.area.gravest', { level: t(`level.${open[0].level}`) }) : t('console.area.quiet')}</small></div>
        <div><dt>${t('console.count.cameras')}</dt><dd>${figures.cameras_online}<s>/${figures.cameras}</s></dd><small>${figures.cameras - figures.cameras_online ? t('console.area.cameras_off', { n: figures.cameras - figures.cameras_online }) : t('console.area.cameras_on')}</small></div>
      </dl>`
          : html`<div class="figures wait"></div>`
      }
      <${RankedList} title=${t('console.area.nearest')} note=${t(ui.selection?.whole ? 'console.area.nearest_centre' : 'console.area.nearest_note')} />
      ${data && html`<${People} people=${data.people} tier=${data.area.tier} />`}
      <section class="people"><div class="sub"><h2>${t('console.area.incidents')}</h2><span>${open.length}</span></div>
        <ul class="mini">${open.slice(0, 6).map(
          (item) =>
            html`<li key=${item.id}><button class="row" onClick=${() => openIncident(item.id)}><${LevelMark} level=${item.level} hollow=${!isWaiting(item)} size=${16} /><b>${item.title}</b><span>${placeName(
              item,
            )
              .replace(area?.name ?? '', '')
              .trim()} · ${cardClock(item).text}</span></button></li>`,
        )}</ul>
        ${!open.length && html`<p class="empty">${t('console.area.no_incidents')}</p>`}</section>
      ${data && html`<${Departments} own=${data.departments} all=${data.figures.grids} />`}
      ${
        data?.coverage &&
        html`<section><div class="sub"><h2>${t('console.area.coverage')}</h2><span>${t('console.now')}</span></div>
        <ul class="cover"><${Cover} value=${data.coverage.reach_5min} label=${t('console.area.reach')} /><${Cover} value=${data.coverage.seen} label=${t('console.area.seen')} /><${Cover} value=${data.coverage.staffed} label=${t('console.area.staffed_grids')} /></ul></section>`
      }
    </div>
    <footer class="foot"><${FaultLine} /><div class="buttons n2">
      <button class="btn big primary" disabled=${!top} data-testid="call-nearest" onClick=${() => top && void callPerson(top.responder_id)}>${t('console.area.call_nearest', { name: top?.name ?? '' })} <kbd>Enter</kbd></button>
      <${Broadcast} code=${code} n=${figures?.on_duty ?? 0} /></div>
      <button class="link" onClick=${() => newIncident({ lon: ui.selection?.lon, lat: ui.selection?.lat })}>${t('console.new.here')} <kbd>N</kbd></button></footer>`;
}

const OWN_SHOWN = 3;

/** The departments that have made this ground their own, each once: of a whole county the first of its grids.
 * @param {{own: {department: string, name: string, grids?: number}[], all?: number}} props
 */
function Departments({ own, all }) {
  /** @type {Map<string, typeof own>} */
  const by = new Map();
  for (const one of own) by.set(one.department, [...(by.get(one.department) ?? []), one]);
  if (!by.size) return null;
  return html`<section class="people" data-testid="departments"><div class="sub"><h2>${t('console.area.departments')}</h2><span>${t('console.area.departments_note')}</span></div>
    <ul class="offices">${[...by].map(([name, grids]) => {
      const names = grids.slice(0, OWN_SHOWN).map((one) => one.name).join(t('join.list')) + (grids.length > OWN_SHOWN ? '…' : '');
      return html`<li key=${name}><b>${name}</b><span title=${names}>${names}</span>${all ? html`<em>${t('console.area.departments_of', { n: grids.reduce((sum, one) => sum + (one.grids ?? 0), 0), all })}</em>` : ''}</li>`;
    })}</ul></section>`;
}

/** 社区 or 村, 镇 or 街道, as the district itself calls it. @param {any} area */
const tierName = (area) => (language() === 'zh-CN' && area?.label) || t(`console.tier.${area?.tier ?? 3}`);

/** A bare point: where it is, and who can be there when. */
export function PointDrawer() {
  const { located, selection } = ui;
  const areas = located?.areas ?? {};
  const top = ui.ranked?.items[ui.choice];
  const village = areas['3'];
  return html`<header class="drawer-head"><span class="tag accent">${t('console.point')}</span>
      <span class="code">${selection?.lon?.toFixed(5)}, ${selection?.lat?.toFixed(5)}</span>
      <button class="esc" onClick=${goBack} data-testid="drawer-close">Esc ✕</button></header>
    <div class="drawer-body"><div class="title"><h1 data-testid="drawer-title">${located?.address ?? village?.name ?? t('console.point')}</h1>
      <p>${['2', '3', '4']
        .map((tier) => areas[tier]?.name)
        .filter(Boolean)
        .join(
          ' › ',
        )}${located?.beat ? ` · ${t('console.area.beat', { name: located.beat.name, station: located.beat.station ?? '' })}` : ''}</p></div>
      <${RankedList} title=${t('console.ranked')} note=${t('console.area.nearest_note')} />
      ${located && html`<${Departments} own=${located.departments} />`}
      ${village && html`<p class="pad"><button class="btn" data-testid="open-area" onClick=${() => openArea(village.code)}>${t('console.point.open', { name: village.name })}</button></p>`}
    </div>
    <footer class="foot"><${FaultLine} /><div class="buttons n2">
      <button class="btn big primary" disabled=${!top} onClick=${() => top && void callPerson(top.responder_id)}>${t('console.area.call_nearest', { name: top?.name ?? '' })} <kbd>Enter</kbd></button>
      <button class="btn big" data-testid="new-here" onClick=${() => newIncident({ lon: selection?.lon, lat: selection?.lat })}>${t('console.new.here')} <kbd>N</kbd></button></div></footer>`;
}
