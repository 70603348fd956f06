// A list of cameras: choose it, see what it would do, take the bad rows back to whoever made it, bring it in.
import { call } from '../api.js';
import { has, t } from '../i18n.js';
import { Dialog } from '../ui/dialog.js';
import { html, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { download } from '../video/snapshot.js';
import { columnRows, errorCounts, errorsCsv, fileFault, wordsOf } from './import-report.js';
import { say } from './state.js';

/** @import {ImportAnswer} from '../../types/video.d.ts' */

const TIMEOUT_MS = 300_000;
const MOST_SHOWN = 200;
const DATUMS = ['', 'GCJ-02', 'BD-09'];

/** @param {string} name */
const fieldName = (name) => (has(`admin.field.${name}`) ? t(`admin.field.${name}`) : has(`admin.source.${name}`) ? t(`admin.source.${name}`) : name);

/** @param {{answer: ImportAnswer, name: string}} props */
function Report({ answer, name }) {
  const columns = columnRows(answer.columns);
  const total = answer.errors_total ?? answer.errors.length;
  const save = () => {
    const text = errorsCsv(answer.errors, [t('admin.import.row'), t('admin.import.column'), t('admin.import.reason')]);
    download({ blob: new Blob([text], { type: 'text/csv;charset=utf-8' }), name: `${name.replace(/\.[^.]*$/, '')}_${t('admin.import.errors_file')}.csv` });
  };
  /** @type {[string, number | undefined, string][]} */
  const figures = [
    ['taken', answer.taken, ''],
    ['new', answer.new, ''],
    ['known', answer.known, ''],
    ['with_source', answer.with_source, ''],
    ['errors', total, total ? 'late' : ''],
  ];
  return html`<dl class="figures">${figures.filter(([, n]) => n !== undefined).map(([key, n, tone]) => html`<div key=${key} class=${tone}><dt>${t(`admin.import.n.${key}`)}</dt><dd data-testid=${`import-${key}`}>${n}</dd></div>`)}</dl>
    <section class="mapping"><h3>${t('admin.import.columns')}</h3><ul>${columns.map(({ header, meaning }) => html`<li key=${header} class=${meaning ? '' : 'unused'}><span>${header}</span><i>→</i><b>${meaning ? fieldName(meaning) : t('admin.import.unused')}</b></li>`)}</ul></section>
    ${
      total > 0 &&
      html`<section class="bad-rows"><h3>${t('admin.import.bad_rows', { n: total })}<span>${errorCounts(answer.errors)
        .slice(0, 4)
        .map(({ column, n }) => `${column || '—'} ${n}`)
        .join(' · ')}</span><button class="btn sm" onClick=${save} data-testid="import-errors-csv">${t('admin.import.download')}</button></h3>
      <div class="table-scroll"><table class="rows"><thead><tr><th class="num">${t('admin.import.row')}</th><th>${t('admin.import.column')}</th><th>${t('admin.import.reason')}</th></tr></thead>
      <tbody>${answer.errors.slice(0, MOST_SHOWN).map((error, index) => html`<tr key=${index} data-testid="import-error"><td class="num">${error.row}</td><td>${error.column ?? ''}</td><td>${wordsOf(error)}</td></tr>`)}</tbody></table></div>
      ${total > MOST_SHOWN && html`<p class="hint">${t('admin.import.more', { n: total - MOST_SHOWN })}</p>`}</section>`
    }`;
}

/** @param {{onClose: () => void, onDone: () => void}} props */
export function ImportDialog({ onClose, onDone }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [datum, setDatum] = useState('');
  const [answer, setAnswer] = useState(/** @type {ImportAnswer | null} */ (null));
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState('');
  const [done, setDone] = useState(false);
  const [over, setOver] = useState(false);
  /** @param {File} chosen @param {string} crs @param {boolean} dry */
  const send = async (chosen, crs, dry) => {
    setBusy(dry ? 'dry' : 'real');
    setWords('');
    const body = new FormData();
    body.append('file', chosen);
    try {
      const query = new URLSearchParams({ dry_run: String(dry), ...(crs ? { crs } : {}) });
      const result = await call('POST', `/cameras/import?${query}`, body, { timeoutMs: TIMEOUT_MS });
      setAnswer(result);
      if (!dry) {
        setDone(true);
        say(t('admin.import.done', { n: result.taken }));
        onDone();
      }
    } catch (error) {
      setWords(refusal(error));
    }
    setBusy('');
  };
  /** @param {File | null | undefined} chosen */
  const choose = (chosen) => {
    if (!chosen || busy) return;
    setFile(chosen);
    setAnswer(null);
    setDone(false);
    const fault = fileFault(chosen);
    if (fault) setWords(t(fault));
    else void send(chosen, datum, true);
  };
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}
    <button class="btn ${done ? 'primary' : ''}" onClick=${onClose}>${t(done ? 'admin.close' : 'console.cancel')}</button>
    ${!done && html`<button class="btn primary" disabled=${!answer?.taken || Boolean(busy)} onClick=${() => file && void send(file, datum, false)} data-testid="import-go">${busy === 'real' ? t('admin.import.going') : answer ? t('admin.import.go', { n: answer.taken }) : t('admin.import')}</button>`}`;
  return html`<${Dialog} title=${t('admin.import')} onClose=${onClose} wide foot=${foot} id="import-dialog"><div class="import">
    <label class=${`drop ${over ? 'over' : ''} ${file ? 'small' : ''}`} onDragOver=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(true);
    }} onDragLeave=${() => setOver(false)} onDrop=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(false);
      choose(event.dataTransfer?.files[0]);
    }}><input type="file" class="voice" accept=".csv,.txt,.xlsx,.xls,.geojson,.json" onChange=${(/** @type {any} */ event) => {
      choose(event.target.files[0]);
      event.target.value = '';
    }} data-testid="import-file" />
      ${file ? html`<b>${file.name}</b><span class="link">${t('admin.import.other')}</span>` : html`<b>${t('admin.import.choose')}</b><span>${t('admin.import.kinds')}</span>`}</label>
    <label class="datum"><span>${t('admin.import.datum')}</span><select value=${datum} disabled=${Boolean(busy) || done} onChange=${(/** @type {any} */ event) => {
      setDatum(event.target.value);
      if (file && !fileFault(file)) void send(file, event.target.value, true);
    }} data-testid="import-datum">${DATUMS.map((one) => html`<option value=${one}>${one || t('admin.import.wgs84')}</option>`)}</select><small class="hint">${t('admin.import.datum_help')}</small></label>
    ${busy === 'dry' && html`<p class="hint" role="status">${t('admin.import.reading')}</p>`}
    ${done && html`<p class="probe ok" role="status" data-testid="import-done">✓ ${t('admin.import.done', { n: answer?.taken ?? 0 })}</p>`}
    ${answer && file && html`<${Report} answer=${answer} name=${file.name} />`}
    ${!file && html`<p class="hint">${t('admin.import.help')}</p>`}</div></${Dialog}>`;
}
