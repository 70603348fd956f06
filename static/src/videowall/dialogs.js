// The three forms of this page: a tour, a layout's name, and whether something may be deleted.
import { t } from '../i18n.js';
import { CameraMark } from '../ui/camera-mark.js';
import { Dialog } from '../ui/dialog.js';
import { html, useMemo, useState } from '../ui/h.js';
import { remove, saveLayout, saveTour } from './actions.js';
import { SPLITS } from './grid.js';
import { cameras, layouts, note, set, tours, ui } from './state.js';
import { draftFaults, draftOf, groupsOf } from './tours.js';
import { matching, nameOrder } from './tree.js';
import { placeText } from './words.js';

/** @import {Layout, Tour} from '../../types/wire.d.ts' */
/** @import {TourDraft} from './tours.js' */

const close = () => set({ dialog: null });
const MOST_LISTED = 60;
const inOrder = nameOrder();

/** @param {{words: string}} props */
const Refused = ({ words }) => (words ? html`<p class="refused" role="alert" data-testid="refused">${words}</p>` : null);

/** @param {{tour: Tour | null}} props */
function TourDialog({ tour }) {
  const [draft, setDraft] = useState(draftOf(tour));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState('');
  const groups = useMemo(() => groupsOf(Object.values(cameras())), []);
  const faults = draftFaults(draft, Object.values(tours()));
  /** @param {Partial<TourDraft>} patch */
  const edit = (patch) => setDraft({ ...draft, ...patch });
  /** @param {string} field */
  const fault = (field) => (tried && faults[field] ? html`<small class="fault-line" role="alert">${t(faults[field])}</small>` : null);
  const save = async () => {
    setTried(true);
    if (Object.keys(faults).length || busy) return;
    setBusy(true);
    const refused = await saveTour(draft);
    setBusy(false);
    if (refused) setWords(refused);
    else close();
  };
  const foot = html`<${Refused} words=${words} /><button class="btn" type="button" onClick=${close}>${t('console.cancel')}</button>
    <button class="btn primary" type="button" disabled=${busy} onClick=${() => void save()} data-testid="tour-submit">${t('video.save')}</button>`;
  return html`<${Dialog} title=${t(tour ? 'video.tour.edit' : 'video.tour.new')} onClose=${close} wide=${draft.kind === 'list'} foot=${foot} id="tour-dialog">
    <form class="form" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void save();
    }}>
      <label class="wide"><span>${t('video.tour.name')}</span><input value=${draft.name} maxlength="80" autofocus onInput=${(/** @type {any} */ e) => edit({ name: e.target.value })} data-testid="tour-name" />${fault('name')}</label>
      <div class="wide field"><span>${t('video.tour.cameras')}</span><div class="seg boxed" role="radiogroup">${/** @type {const} */ (['group', 'list']).map(
        (kind) => html`<button type="button" role="radio" aria-checked=${draft.kind === kind} class=${draft.kind === kind ? 'on' : ''} onClick=${() => edit({ kind })} data-testid=${`tour-by-${kind}`}>${t(`video.tour.by.${kind}`)}</button>`,
      )}</div></div>
      ${
        draft.kind === 'group'
          ? html`<label class="wide"><span>${t('video.tour.group')}</span>${
              groups.length
                ? html`<select value=${draft.group} onChange=${(/** @type {any} */ e) => edit({ group: e.target.value })} data-testid="tour-group"><option value="">${t('video.choose')}</option>${groups.map((group) => html`<option value=${group.name} selected=${draft.group === group.name}>${group.name}（${group.count}）</option>`)}</select>`
                : html`<p class="hint">${t('video.tour.no_groups')}</p>`
            }${fault('group')}</label>`
          : html`<div class="wide"><${CameraPicker} chosen=${draft.camera_ids} onChange=${(/** @type {string[]} */ camera_ids) => edit({ camera_ids })} />${fault('camera_ids')}</div>`
      }
      <label><span>${t('video.tour.dwell')}</span><span class="unit"><input value=${draft.dwell_s} inputmode="numeric" onInput=${(/** @type {any} */ e) => edit({ dwell_s: e.target.value })} data-testid="tour-dwell" />${t('video.seconds')}</span>${fault('dwell_s')}</label>
      <div class="field"><span>${t('video.split')}</span><div class="seg boxed" role="radiogroup">${SPLITS.map(
        (n) => html`<button type="button" role="radio" aria-checked=${draft.split === n} class=${draft.split === n ? 'on' : ''} onClick=${() => edit({ split: n })}>${n}</button>`,
      )}</div></div>
      <label class="check wide"><input type="checkbox" checked=${draft.windowed} onChange=${(/** @type {any} */ e) => edit({ windowed: e.target.checked })} data-testid="tour-windowed" />${t('video.tour.windowed')}</label>
      ${
        draft.windowed &&
        html`<div class="wide pair"><label><span>${t('video.tour.from')}</span><input type="time" value=${draft.from} onInput=${(/** @type {any} */ e) => edit({ from: e.target.value })} /></label>
        <label><span>${t('video.tour.to')}</span><input type="time" value=${draft.to} onInput=${(/** @type {any} */ e) => edit({ to: e.target.value })} /></label>
        <p class="hint">${fault('window') ?? (draft.from > draft.to ? t('video.tour.over_midnight') : '')}</p></div>`
      }
      <label class="check wide"><input type="checkbox" checked=${draft.enabled} onChange=${(/** @type {any} */ e) => edit({ enabled: e.target.checked })} />${t('video.tour.enabled')}</label>
    </form></${Dialog}>`;
}

/** Two lists: what there is, and what the tour shows in which order. @param {{chosen: string[], onChange: (ids: string[]) => void}} props */
function CameraPicker({ chosen, onChange }) {
  const [query, setQuery] = useState('');
  const all = cameras();
  const listed = inOrder(all);
  const found = query.trim() ? matching(listed, query, new Set()) : listed;
  const taken = new Set(chosen);
  const free = found.filter((camera) => !taken.has(camera.id));
  /** @param {number} at @param {number} by */
  const shift = (at, by) => {
    const next = [...chosen];
    const [id] = next.splice(at, 1);
    next.splice(at + by, 0, id);
    onChange(next);
  };
  const inGrid = ui.grid.cells.slice(0, ui.grid.split).filter((id) => id !== null && !taken.has(id) && all[id]);
  return html`<div class="picker"><section><header><input type="search" placeholder=${t('video.tree.search_short')} aria-label=${t('video.tree.search_short')} value=${query} onInput=${(/** @type {any} */ e) => setQuery(e.target.value)} data-testid="picker-search" />
      ${inGrid.length > 0 && html`<button type="button" class="btn sm" onClick=${() => onChange([...chosen, .../** @type {string[]} */ (inGrid)])}>${t('video.tour.add_shown', { n: inGrid.length })}</button>`}</header>
      <ul>${free.slice(0, MOST_LISTED).map((camera) => html`<li key=${camera.id}><button type="button" onClick=${() => onChange([...chosen, camera.id])} title=${placeText(camera)}><${CameraMark} status=${camera.status} /><b>${camera.name}</b><em>＋</em></button></li>`)}
        ${free.length > MOST_LISTED && html`<li class="more">${t('video.tour.narrow', { n: free.length - MOST_LISTED })}</li>`}</ul></section>
    <section><header><b>${t('video.tour.chosen', { n: chosen.length })}</b></header>
      <ol>${chosen.map((id, index) => html`<li key=${id}><span>${index + 1}</span><b>${all[id]?.name ?? t('video.cell.gone')}</b>
        <button type="button" aria-label=${t('video.up')} disabled=${index === 0} onClick=${() => shift(index, -1)}>↑</button><button type="button" aria-label=${t('video.down')} disabled=${index === chosen.length - 1} onClick=${() => shift(index, 1)}>↓</button>
        <button type="button" aria-label=${t('video.take_out')} onClick=${() => onChange(chosen.filter((one) => one !== id))}>✕</button></li>`)}
        ${!chosen.length && html`<li class="more">${t('video.tour.choose_left')}</li>`}</ol></section></div>`;
}

/** @param {{layout: Layout | null}} props null: save the grid under a new name */
function LayoutDialog({ layout }) {
  const [name, setName] = useState(layout?.name ?? '');
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const text = name.trim();
  const taken = Object.values(layouts()).some((one) => one.id !== layout?.id && one.name === text);
  const save = async () => {
    if (!text || taken || busy) return;
    setBusy(true);
    const refused = await saveLayout(layout, text, false);
    setBusy(false);
    if (refused) return setWords(refused);
    close();
    return note(t('video.layout.saved', { name: text }));
  };
  const foot = html`<${Refused} words=${words} /><button class="btn" type="button" onClick=${close}>${t('console.cancel')}</button>
    <button class="btn primary" type="button" disabled=${!text || taken || busy} onClick=${() => void save()} data-testid="layout-submit">${t('video.save')}</button>`;
  return html`<${Dialog} title=${t(layout ? 'video.layout.rename' : 'video.layout.save_as')} onClose=${close} foot=${foot} id="layout-dialog">
    <form class="form" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void save();
    }}><label class="wide"><span>${t('video.layout.name')}</span><input value=${name} maxlength="80" autofocus placeholder=${t('video.layout.example')} onInput=${(/** @type {any} */ e) => setName(e.target.value)} data-testid="layout-name-input" />
      ${taken && html`<small class="fault-line" role="alert">${t('video.layout.taken')}</small>`}</label>
      ${!layout && html`<p class="hint wide">${t('video.layout.what', { split: ui.grid.split, n: ui.grid.cells.slice(0, ui.grid.split).filter(Boolean).length })}</p>`}</form></${Dialog}>`;
}

/** @param {{what: 'tours' | 'layouts', id: string, name: string}} props */
function RemoveDialog({ what, id, name }) {
  const [words, setWords] = useState('');
  const go = async () => {
    const refused = await remove(what, id);
    if (refused) setWords(refused);
    else close();
  };
  const foot = html`<${Refused} words=${words} /><button class="btn" onClick=${close}>${t('console.cancel')}</button><button class="btn danger" autofocus onClick=${() => void go()} data-testid="remove-submit">${t('video.remove')}</button>`;
  return html`<${Dialog} title=${t('video.remove')} onClose=${close} foot=${foot} id="remove-dialog"><p>${t(`video.remove.${what}`, { name })}</p></${Dialog}>`;
}

export function Dialogs() {
  const { dialog } = ui;
  if (dialog?.kind === 'tour') return html`<${TourDialog} tour=${dialog.tour} key=${dialog.tour?.id ?? 'new'} />`;
  if (dialog?.kind === 'layout') return html`<${LayoutDialog} layout=${dialog.layout} key=${dialog.layout?.id ?? 'new'} />`;
  if (dialog?.kind === 'remove') return html`<${RemoveDialog} ...${dialog} />`;
  return null;
}
