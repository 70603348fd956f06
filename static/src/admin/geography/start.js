// Where an import begins: what it is, the file; and what was brought in before.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useEffect, useRef, useState } from '../../ui/h.js';
import { ExportButton, mayTakeOut } from '../../ui/export-menu.js';
import { download } from '../../video/snapshot.js';
import { Drop, Sending, send, sizeText } from '../files.js';
import { openTab, say, set, ui } from '../state.js';
import { atWork, pathOf, useImports } from './jobs.js';
import { fileFault, kindsFor, endingOf, nowOf } from './kinds.js';
import { countText, countsText, failureText, fieldText, importRefusal, kindText, momentText, numberText, stageText, stateText } from './words.js';
import { shapefileParts, zipOf } from './zip.js';

/** @import {ImportJob, KindRow} from '../../../types/imports.d.ts' */
/** @import {Underway} from '../files.js' */

/** @param {{path: string}} props */
const KindMark = ({ path }) => html`<svg class="kind-mark" width="24" height="24" viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;

/** What became of it, in a few words. @param {ImportJob} job */
function outcome(job) {
  if (atWork(job)) return `${stageText(job.progress?.stage ?? 'waiting')} ${Math.round((job.progress?.share ?? 0) * 100)}%`;
  if (job.state === 'failed' && job.error) return failureText(job.error);
  if (job.state === 'applied' || job.state === 'undone') return countsText(job.counts);
  if (!job.draft) return '';
  const { good, warning, error } = job.draft.rows_by_worst;
  return [t('imports.sum.rows', { n: numberText(job.draft.rows) }), t('imports.sum.good', { n: numberText(good) }), warning ? t('imports.sum.warning', { n: numberText(warning) }) : '', error ? t('imports.sum.error', { n: numberText(error) }) : ''].filter(Boolean).join(' · ');
}

/** @param {{job: ImportJob, onGone: () => void}} props */
function JobRow({ job, onGone }) {
  const open = () => openTab('imports', job.id);
  const forget = async () => {
    try {
      await call('DELETE', pathOf(job.id));
      onGone();
    } catch (error) {
      say(importRefusal(error));
    }
  };
  return html`<tr tabindex="0" onClick=${open} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && event.target === event.currentTarget && open()} data-testid="import-row" data-state=${job.state}>
    <td><span class=${`job-state ${job.state}`}><i aria-hidden="true"></i>${stateText(job.state)}</span></td><td><b>${job.filename}</b><small>${kindText(job.kind)} · ${sizeText(job.size)}</small></td><td class="out">${outcome(job)}</td><td>${job.by_name}<small>${momentText(job.finished_at ?? job.started_at)}</small></td>
    <td class="acts"><button class="link plain" onClick=${(/** @type {Event} */ event) => {
      event.stopPropagation();
      open();
    }}>${t(job.state === 'ready' ? 'imports.go_on' : 'imports.open')}</button>${!atWork(job) && html`<button class="link plain" onClick=${(/** @type {Event} */ event) => {
      event.stopPropagation();
      void forget();
    }}>${t('imports.drop')}</button>`}</td></tr>`;
}

/** What a table's headers may be called. @param {{row: KindRow | undefined}} props */
function KnownColumns({ row }) {
  if (!row?.fields) return null;
  const fields = row.fields.filter(({ name }) => name !== 'wkt' && name !== 'lonlat');
  const table = () => download({ blob: new Blob([`\ufeff${fields.map(({ header }) => header).join(',')}\r\n`], { type: 'text/csv;charset=utf-8' }), name: `${kindText(row.kind)}.csv` });
  return html`<div class="known"><h3>${t('imports.columns.known')}${row.kind !== 'areas' && html`<button class="btn sm" onClick=${table} data-testid="template">${t('imports.template')}</button>`}</h3>
    <p>${fields.map(({ name, header, required }) => html`<span key=${name} class="chip" title=${fieldText(name)}>${header}${required ? html`<i class="must">*</i>` : ''}</span>`)}</p><p class="hint">${t('imports.columns.known_help')}</p></div>`;
}

/** @param {string} kind @param {Blob} file @param {string} name */
function formOf(kind, file, name) {
  const form = new FormData();
  form.append('kind', kind);
  form.append('file', file, name);
  return form;
}

/** @param {{kinds: KindRow[], onBegun: () => void}} props */
function Begin({ kinds, onBegun }) {
  const allowed = kindsFor(ui.me.permissions);
  const kind = allowed.find((one) => one.id === ui.kind) ?? allowed[0];
  const [sending, setSending] = useState(/** @type {Underway | null} */ (null));
  const [words, setWords] = useState('');
  const abort = useRef(/** @type {AbortController | null} */ (null));
  const marks = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => () => abort.current?.abort(), []);
  /** @param {File[]} files */
  const bring = async (files) => {
    if (!files.length || sending) return;
    setWords('');
    let chosen = kind.id;
    let [file, name] = [/** @type {Blob} */ (files[0]), files[0].name];
    const parts = shapefileParts(files);
    if (parts.length > 1) {
      const read = await Promise.all(parts.map(async (part) => ({ name: part.name, bytes: new Uint8Array(await part.arrayBuffer()) })));
      file = zipOf(read);
      name = `${parts[0].name.replace(/\.[^.]*$/, '')}.zip`;
    } else if (files.length > 1) return setWords(t('imports.bad.many'));
    if (endingOf(name) === 'pbf' && allowed.some((one) => one.id === 'roads')) chosen = 'roads';
    if (chosen !== kind.id) set({ kind: chosen });
    const fault = fileFault({ name, size: file.size }, chosen);
    if (fault) return setWords(t(fault));
    abort.current = new AbortController();
    setSending({ name, size: file.size, share: 0 });
    try {
      /** @type {ImportJob} */
      const job = await send('/imports', formOf(chosen, file, name), { signal: abort.current.signal, onProgress: (share) => setSending((old) => old && { ...old, share }) });
      onBegun();
      openTab('imports', job.id);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) setWords(importRefusal(error));
    }
    setSending(null);
    return undefined;
  };
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 3, ArrowUp: -3 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = allowed[Math.max(0, Math.min(allowed.length - 1, allowed.indexOf(kind) + step))];
    set({ kind: next.id });
    /** @type {HTMLElement | null | undefined} */ (marks.current?.querySelector(`[data-kind="${next.id}"]`))?.focus();
  };
  return html`<section class="begin"><h2><i>1</i>${t('imports.step.kind')}</h2>
    <div class="kinds" role="radiogroup" aria-label=${t('imports.step.kind')} ref=${marks} onKeyDown=${move}>${allowed.map((one) => {
      const now = nowOf(kinds, one.id);
      return html`<button role="radio" key=${one.id} aria-checked=${one.id === kind.id} tabindex=${one.id === kind.id ? 0 : -1} class=${one.id === kind.id ? 'on' : ''} data-kind=${one.id} disabled=${Boolean(sending)} onClick=${() => set({ kind: one.id })} data-testid=${`kind-${one.id}`}><${KindMark} path=${one.path} /><b>${kindText(one.id)}</b><small>${now === null ? t(`imports.kind.${one.id}.short`) : now ? t('imports.now', { n: countText(now, one.id) }) : t('imports.now_none')}</small></button>`;
    })}</div>
    <p class="what-for">${t(`imports.kind.${kind.id}.help`)}</p>
    <h2><i>2</i>${t('imports.step.file')}</h2>
    ${
      sending
        ? html`<${Sending} file=${sending} then=${t('imports.sent_all')} onCancel=${() => abort.current?.abort()} />`
        : html`<${Drop} multiple title=${t('imports.drop_here')} help=${t(`imports.formats.${kind.shape === 'roads' ? 'roads' : kind.endings.includes('gpkg') ? 'all' : 'tables'}`)} onFiles=${(/** @type {File[]} */ files) => void bring(files)} testid="import-file" />`
    }
    ${words && html`<p class="refused" role="alert" data-testid="file-fault">${words}</p>`}
    <p class="hint">${t('imports.dry')}</p>
    <${KnownColumns} row=${kinds.find((row) => row.kind === kind.id)} /></section>`;
}

export function Start() {
  const { jobs, kinds, fault, again } = useImports();
  return html`<div class="imports"><${Begin} kinds=${kinds} onBegun=${again} />
    <section class="past"><header class="filters"><p class="lead"><b>${t('imports.past')}</b></p>${ui.said && html`<span class="said" role="status">${ui.said}</span>`}<span></span>${mayTakeOut(ui.me) && html`<${ExportButton} />`}</header>
      ${fault && html`<p class="refused" role="alert">${fault} <button class="btn sm" onClick=${again}>${t('console.retry')}</button></p>`}
      <div class="table-scroll"><table class="rows"><thead><tr><th>${t('imports.col.state')}</th><th>${t('imports.col.file')}</th><th>${t('imports.col.outcome')}</th><th>${t('imports.col.who')}</th><th></th></tr></thead><tbody>${(jobs ?? []).map((job) => html`<${JobRow} key=${job.id} job=${job} onGone=${again} />`)}</tbody></table>
      ${!jobs?.length && !fault && html`<div class="blank" data-testid="imports-empty"><b>${t(jobs ? 'imports.none' : 'video.loading')}</b>${jobs && html`<p>${t('imports.none_help')}</p>`}</div>`}</div></section></div>`;
}
