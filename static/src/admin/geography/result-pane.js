// What came of an import that is done with, and the way back.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useState } from '../../ui/h.js';
import { openTab, say, ui } from '../state.js';
import { pathOf } from './jobs.js';
import { importRefusal, kindText, momentText, numberText, stateText } from './words.js';
import { UndoDialog } from './undo-dialog.js';

/** @import {ImportJob} from '../../../types/imports.d.ts' */

const ORDER = ['rows', 'taken', 'new', 'changed', 'left_out', 'length_km', 'edges_car', 'edges_motorcycle', 'edges_foot', 'buildings', 'addresses'];

/** @param {{job: ImportJob, put: (job: ImportJob) => void}} props */
export function ResultPane({ job, put }) {
  const [asks, setAsks] = useState(false);
  const [words, setWords] = useState('');
  const undone = job.state === 'undone';
  const undo = async () => {
    try {
      const next = await call('POST', pathOf(job.id, '/undo'));
      setAsks(false);
      say(t('imports.undone'));
      put(next);
    } catch (error) {
      setWords(importRefusal(error));
    }
  };
  const counts = ORDER.filter((name) => job.counts[name] !== undefined);
  return html`<div class="result" data-testid="result"><h3 class=${undone ? '' : 'good'}>${undone ? '↶' : '✓'} ${stateText(job.state)}</h3>
    <p>${t(undone ? 'imports.result.undone' : 'imports.result.applied', { kind: kindText(job.kind), at: momentText(job.finished_at ?? job.started_at) })}</p>
    ${counts.length > 0 && html`<dl>${counts.map((name) => html`<div key=${name}><dt>${t(`imports.result.${name}`)}</dt><dd data-testid=${`result-${name}`}>${numberText(job.counts[name])}</dd></div>`)}</dl>`}
    <div class="acts">${!undone && html`<button class="btn danger" onClick=${() => setAsks(true)} data-testid="undo">↶ ${t('imports.undo')}</button>`}
      ${job.revision !== null && ui.me.permissions.includes('areas.manage') && html`<button class="btn" onClick=${() => openTab('history')} data-testid="to-history">${t('imports.to_history', { n: job.revision })}</button>`}
      <button class="btn" onClick=${() => openTab('imports')}>${t('imports.another')}</button></div>
    ${asks && html`<${UndoDialog} what=${t('imports.undo.import', { file: job.filename, kind: kindText(job.kind) })} words=${words} onClose=${() => setAsks(false)} onUndo=${() => void undo()} />`}</div>`;
}
