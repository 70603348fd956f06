// What is known of the chosen area and can be changed: facts, posts and people, history.
import { t } from '../../i18n.js';
import { html, useEffect, useMemo, useState } from '../../ui/h.js';
import { call } from '../../api.js';
import { ui } from '../state.js';
import { squareKm } from './mesh.js';
import { ed, edit, pieces, readSide, setField, staffGrid } from './store.js';

/** @import {AreaVersion, PostPerson} from '../../../types/areas.d.ts' */

/** @param {number} km2 */
export const areaWords = (km2) => (km2 < 0.1 ? `${Math.round(km2 * 1e6).toLocaleString()} m²` : `${km2.toFixed(km2 < 10 ? 3 : 1)} km²`);

/** What stands in a field: what is in force, or what is to be. @param {string} field */
function valueOf(field) {
  const mine = ed.fields[ed.code] ?? {};
  if (field in mine) return mine[field];
  return ed.detail ? /** @type {any} */ (ed.detail)[field] : undefined;
}

/** @param {{field: string, type?: string, wide?: boolean, empty?: boolean, list?: boolean, [attribute: string]: unknown}} props */
function Input({ field, type = 'text', wide = false, empty = false, list = false, ...rest }) {
  const value = valueOf(field);
  const changed = field in (ed.fields[ed.code] ?? {});
  const told = list ? (Array.isArray(value) ? value.join('、') : '') : String(value ?? '');
  // What is typed stays as it is typed; the value beside it is what it means.
  const [text, setText] = useState(told);
  useEffect(() => setText(told), [ed.detail, ed.code, changed]);
  /** @param {any} event */
  const take = (event) => {
    const raw = event.target.value;
    setText(raw);
    /** @type {unknown} */
    let next = raw;
    if (list) next = raw.split(/[,，、;；\s]+/).filter(Boolean);
    else if (type === 'number') next = raw === '' ? (empty ? null : undefined) : Math.max(0, Math.round(Number(raw)));
    else if (raw === '') next = empty ? null : undefined;
    const before = ed.detail ? /** @type {any} */ (ed.detail)[field] : undefined;
    setField(ed.code, field, JSON.stringify(next) === JSON.stringify(before) ? undefined : next);
  };
  return html`<label class=${`${wide ? 'wide' : ''} ${changed ? 'changed' : ''}`}><span>${t(`areas.field.${field}`)}</span><input type=${type} value=${text} onInput=${take} autocomplete="off" spellcheck=${false} data-testid=${`area-${field}`} ...${rest} /></label>`;
}

/** @param {{field: string, options: {value: string, label: string}[]}} props */
function Choice({ field, options }) {
  const value = String(valueOf(field) ?? '');
  const changed = field in (ed.fields[ed.code] ?? {});
  const before = ed.detail ? /** @type {any} */ (ed.detail)[field] : undefined;
  return html`<label class=${changed ? 'changed' : ''}><span>${t(`areas.field.${field}`)}</span><select value=${value} data-testid=${`area-${field}`} onChange=${(/** @type {any} */ event) => setField(ed.code, field, event.target.value === before ? undefined : event.target.value)}>${options.map((one) => html`<option key=${one.value} value=${one.value} selected=${one.value === value}>${one.label}</option>`)}</select></label>`;
}

function Facts() {
  const tier = (ed.detail ?? pieces().get(ed.code))?.tier ?? 4;
  const parents = useMemo(
    () => [...ui.areas.values()].filter((area) => area.tier < tier && area.tier === parentTier(tier)).sort((a, b) => (a.code < b.code ? -1 : 1)).map((area) => ({ value: area.code, label: area.name })),
    [ui.areas, tier],
  );
  const extras = Object.entries(ed.detail?.extras ?? {});
  return html`<div class="form area-form">
    <${Input} field="name" wide maxlength="60" />
    <${Input} field="label" maxlength="60" placeholder=${t('areas.label_hint')} />
    ${parents.length > 0 && html`<${Choice} field="parent" options=${parents} />`}
    ${tier === 4 && html`<${Choice} field="kind" options=${['general', 'dedicated'].map((value) => ({ value, label: t(`areas.kind.${value}`) }))} />
      <${Input} field="posts" type="number" min="0" max="50" />
      <${Input} field="households" type="number" min="0" empty />
      <${Input} field="beat" maxlength="40" empty />`}
    <${Input} field="chief" maxlength="60" empty placeholder=${t('areas.chief_hint')} />
    ${tier === 4 && html`<${Input} field="workers" list placeholder=${t('areas.workers_hint')} />`}
    <${Input} field="valid_from" type="date" empty /><${Input} field="valid_to" type="date" empty />
    <p class="hint wide">${t('areas.valid_hint')}</p></div>
    ${extras.length > 0 && html`<section class="extras" data-testid="area-extras"><h3>${t('areas.extras')}</h3><dl>${extras.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`}`;
}

/** The tier above, as it is in this district. @param {number} tier */
function parentTier(tier) {
  const tiers = new Set([...ui.areas.values()].map((area) => area.tier));
  for (let above = tier - 1; above > 0; above -= 1) if (tiers.has(above)) return above;
  return 0;
}

/** @param {{person: PostPerson, onDrop?: () => void}} props */
function Person({ person, onDrop }) {
  const many = person.grids.length > 1;
  return html`<li><div><b>${person.name}</b><small>${t(`kind.${person.kind}`)} · ${t(`areas.employment.${person.employment}`)}${many ? ` · ${t('areas.holds', { n: person.grids.length })}` : ''}</small></div>
    ${onDrop && html`<button class="btn sm" onClick=${onDrop} data-testid="post-drop">${t('areas.drop')}</button>`}</li>`;
}

/** @param {{kind: 'grid_worker' | 'grid_chief', taken: PostPerson[]}} props */
function Add({ kind, taken }) {
  const [words, setWords] = useState('');
  const [found, setFound] = useState(/** @type {PostPerson[]} */ ([]));
  const [at, setAt] = useState(false);
  useEffect(() => {
    if (!at) return undefined;
    const timer = setTimeout(() => {
      call('GET', `/staffing/people?kind=${kind}&q=${encodeURIComponent(words)}`).then(({ items }) => setFound(items), () => setFound([]));
    }, 150);
    return () => clearTimeout(timer);
  }, [words, at, kind]);
  const ids = taken.map((one) => one.responder_id);
  const offered = found.filter((one) => !ids.includes(one.responder_id)).slice(0, 8);
  return html`<div class="add-person"><input placeholder=${t(`areas.add.${kind}`)} value=${words} onFocus=${() => setAt(true)} onBlur=${() => setTimeout(() => setAt(false), 200)} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} data-testid=${`add-${kind}`} />
    ${at && html`<ul class="pop">${offered.map((one) => html`<li key=${one.responder_id}><button onClick=${() => {
      setWords('');
      void staffGrid(kind === 'grid_worker' ? { workers: [...ids, one.responder_id] } : { chiefs: [...ids, one.responder_id] });
    }} data-testid="add-person"><b>${one.name}</b><small>${one.grids.length ? t('areas.holds', { n: one.grids.length }) : t('areas.free')}</small></button></li>`)}${!offered.length && html`<li class="hint">${t('areas.nobody')}</li>`}</ul>`}</div>`;
}

function Posts() {
  const { staff } = ed;
  const mayStaff = ui.me.permissions.includes('responders.manage');
  if (ui.areas.get(ed.code)?.tier !== 4) return html`<p class="hint">${t('areas.posts_below')}</p>`;
  if (!staff) return html`<p class="hint">${t('video.loading')}</p>`;
  const ids = (/** @type {PostPerson[]} */ list, /** @type {string} */ but) => list.map((one) => one.responder_id).filter((id) => id !== but);
  return html`<div class="posts">
    <section><h3>${t('areas.chiefs')}<span class=${staff.headless ? 'warn' : ''}>${staff.headless ? t('areas.vacant') : ''}</span></h3>
      <ul>${staff.chief && !staff.chiefs.some((one) => one.name === staff.chief) && html`<li><div><b>${staff.chief}</b><small>${t('areas.not_on_roster')}</small></div></li>`}
      ${staff.chiefs.map((one) => html`<${Person} key=${one.responder_id} person=${one} onDrop=${mayStaff ? () => void staffGrid({ chiefs: ids(staff.chiefs, one.responder_id) }) : undefined} />`)}</ul>
      ${mayStaff && html`<${Add} kind="grid_chief" taken=${staff.chiefs} />`}</section>
    <section><h3>${t('areas.workers')}<span class=${staff.missing ? 'warn' : 'ok'}>${t('areas.filled', { n: staff.filled, of: staff.posts })}</span></h3>
      <ul>${staff.workers.map((one) => html`<${Person} key=${one.responder_id} person=${one} onDrop=${mayStaff ? () => void staffGrid({ workers: ids(staff.workers, one.responder_id) }) : undefined} />`)}
      ${Array.from({ length: staff.missing }, (_, n) => html`<li class="vacant" key=${`vacant-${n}`}><div><b>${t('areas.vacant')}</b><small>${t('areas.vacant_hint')}</small></div></li>`)}</ul>
      ${mayStaff && html`<${Add} kind="grid_worker" taken=${staff.workers} />`}</section>
    ${(staff.stand_ins.length > 0 || (staff.missing > 0 && staff.chiefs.length > 0)) && html`<section><h3>${t('areas.stand_ins')}</h3><ul>${[...(staff.missing ? staff.chiefs : []), ...staff.stand_ins].map((one) => html`<${Person} key=${one.responder_id} person=${one} />`)}</ul></section>`}
    <p class="hint">${t('areas.posts_hint')}</p></div>`;
}

/** @param {AreaVersion} version */
const period = (version) => {
  if (!version.valid_from && !version.valid_to) return t('areas.always');
  return t('areas.period', { from: version.valid_from ?? t('areas.ever'), to: version.valid_to ?? t('areas.on') });
};

/** @param {AreaVersion | null} before @param {AreaVersion | null} after @param {string[]} fields */
export function differences(before, after, fields) {
  if (!before) return [t('areas.was_new')];
  if (!after) return [t('areas.was_removed')];
  return fields.flatMap((field) => {
    if (field === 'source_crs') return []; // how it was drawn is nothing to look at here
    if (field === 'extra') return extraDifferences(before.extras, after.extras);
    if (field === 'geometry') return t('areas.area_changed', { a: areaWords(before.area_km2), b: areaWords(after.area_km2) });
    const [a, b] = [before, after].map((one) => wordsOf(field, /** @type {any} */ (one)[field]));
    return `${t(`areas.field.${field}`)} ${a} → ${b}`;
  });
}

/** What else the file said, before and after. @param {Record<string, string>} before @param {Record<string, string>} after */
const extraDifferences = (before, after) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]).map((name) => `${name} ${before[name] ?? '—'} → ${after[name] ?? '—'}`);

/** @param {string} field @param {any} value */
function wordsOf(field, value) {
  if (value === null || value === undefined || value === '') return '—';
  if (field === 'kind') return t(`areas.kind.${value}`);
  if (field === 'parent') return ui.areas.get(value)?.name ?? value;
  return Array.isArray(value) ? value.join('、') || '—' : String(value);
}

function History() {
  const { history } = ed;
  if (!ui.areas.has(ed.code)) return html`<p class="hint">${t('areas.new_here')}</p>`;
  if (!history) return html`<p class="hint">${t('video.loading')}</p>`;
  const locale = document.documentElement.lang === 'en' ? 'en-GB' : 'zh-CN';
  const at = (/** @type {string} */ text) => new Date(text).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
  return html`<div class="area-history">
    <section><h3>${t('areas.versions')}</h3><ul>${history.versions.toReversed().map((version) => {
      const now = (!version.valid_from || version.valid_from <= history.today) && (!version.valid_to || history.today <= version.valid_to);
      const shown = ed.older === version.geometry;
      return html`<li key=${version.valid_from ?? ''} class=${now ? 'now' : ''}><div><b>${period(version)}</b><small>${version.name} · ${areaWords(version.area_km2)}</small></div>${now ? html`<span class="chip">${t('areas.in_force')}</span>` : html`<button class=${`btn sm ${shown ? 'on' : ''}`} onClick=${() => edit({ older: shown ? null : version.geometry })}>${t('areas.show')}</button>`}</li>`;
    })}</ul></section>
    <section><h3>${t('areas.changes')}</h3>${!history.changes.length && html`<p class="hint">${t('areas.no_changes')}</p>`}<ul>${history.changes.map((change) => {
      const old = change.before?.geometry ?? null;
      const shown = old !== null && ed.older === old;
      return html`<li key=${change.revision}><div><b>${at(change.at)} · ${change.by_name}</b><small>${change.note}</small>${differences(change.before, change.after, change.fields).map((line) => html`<small class="line" key=${line}>${line}</small>`)}</div>${old && (change.fields.includes('geometry') || !change.after) && html`<button class=${`btn sm ${shown ? 'on' : ''}`} onClick=${() => edit({ older: shown ? null : old })}>${t('areas.show_before')}</button>`}</li>`;
    })}</ul></section></div>`;
}

export function Panel() {
  const piece = pieces().get(ed.code);
  const area = ed.detail?.code === ed.code ? ed.detail : piece;
  if (!area) return html`<aside class="area-panel"><div class="blank">${ed.busy === 'reading' ? t('video.loading') : html`<b>${t('areas.choose')}</b><p>${t('areas.choose_help')}</p>`}</div></aside>`;
  const path = [];
  for (let at = area.parent ? ui.areas.get(area.parent) : undefined; at && path.length < 9; at = at.parent ? ui.areas.get(at.parent) : undefined) path.unshift(at.name);
  const name = String(ed.fields[ed.code]?.name ?? area.name);
  return html`<aside class="area-panel" data-testid="area-panel"><header><h2>${name}</h2><p>${path.join(' › ')}</p><p class="code">${area.code}<span>${areaWords(squareKm((piece ?? area).geometry))}</span></p></header>
    <nav class="seg boxed" role="tablist">${/** @type {const} */ (['facts', 'posts', 'history']).map((side) => html`<button key=${side} role="tab" aria-selected=${ed.side === side} class=${ed.side === side ? 'on' : ''} onClick=${() => void readSide(side)} data-testid=${`side-${side}`}>${t(`areas.side.${side}`)}</button>`)}</nav>
    <div class="area-body">${ed.side === 'facts' ? html`<${Facts} key=${ed.code} />` : ed.side === 'posts' ? html`<${Posts} key=${ed.code} />` : html`<${History} key=${ed.code} />`}</div></aside>`;
}
