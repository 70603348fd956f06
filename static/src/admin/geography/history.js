// Every change of the district's files: who, when, what, how much; each can be taken back while nothing newer stands on it.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useCallback, useEffect, useState } from '../../ui/h.js';
import { openTab, renameAreas, say, ui } from '../state.js';
import { UndoDialog } from './undo-dialog.js';
import { countsText, importRefusal, momentText, whatText, whyNotText } from './words.js';

/** @import {RevisionRow} from '../../../types/imports.d.ts' */

export function History() {
  const [state, setState] = useState(/** @type {{items: RevisionRow[], fault: string, loading: boolean}} */ ({ items: [], fault: '', loading: true }));
  const [asked, setAsked] = useState(/** @type {RevisionRow | null} */ (null));
  const [words, setWords] = useState('');
  const read = useCallback(async () => {
    try {
      const { items } = await call('GET', '/geography/revisions');
      setState({ items, fault: '', loading: false });
    } catch (error) {
      setState((old) => ({ ...old, fault: importRefusal(error), loading: false }));
    }
  }, []);
  useEffect(() => void read(), []);
  const undo = async () => {
    if (!asked) return;
    try {
      await call('POST', `/geography/revisions/${asked.revision}/undo`);
      setAsked(null);
      say(t('imports.undone'));
      void renameAreas();
    } catch (error) {
      setWords(importRefusal(error));
    }
    void read();
  };
  const undone = new Set(state.items.map((item) => item.undoes).filter((n) => n !== null));
  return html`<div class="history"><header class="filters"><p class="lead">${t('imports.history.help')}</p>${ui.said && html`<span class="said" role="status">${ui.said}</span>`}</header>
    ${state.fault && html`<p class="refused" role="alert">${state.fault} <button class="btn sm" onClick=${() => void read()}>${t('console.retry')}</button></p>`}
    <div class="table-scroll"><table class="rows"><thead><tr><th class="num">${t('imports.history.revision')}</th><th>${t('imports.history.what')}</th><th>${t('imports.history.counts')}</th><th>${t('imports.history.who')}</th><th>${t('imports.history.when')}</th><th></th></tr></thead>
      <tbody>${state.items.map((item) => {
        const gone = undone.has(item.revision);
        return html`<tr key=${item.revision} class=${gone ? 'gone' : ''} data-testid="revision" data-revision=${item.revision}><td class="num"><b>${item.revision}</b></td>
        <td><b>${item.undoes !== null ? t('imports.history.undoes', { n: item.undoes, what: whatText(item.what) }) : whatText(item.what)}</b><small>${item.note}</small></td>
        <td>${item.undoes === null ? countsText(item.counts) : ''}</td><td>${item.by_name}</td><td class="digits">${momentText(item.at)}</td>
        <td class="acts">${gone ? html`<span class="hint">${t('imports.state.undone')}</span>` : item.undoable ? html`<button class="btn sm" onClick=${() => {
          setWords('');
          setAsked(item);
        }} data-testid="revision-undo">↶ ${t(item.undoes === null ? 'imports.undo' : 'imports.redo')}</button>` : html`<span class="hint">${whyNotText(item.why_not)}</span>`}</td></tr>`;
      })}</tbody></table>
      ${!state.items.length && !state.fault && html`<div class="blank" data-testid="history-empty"><b>${t(state.loading ? 'video.loading' : 'imports.history.none')}</b>${!state.loading && html`<p>${t('imports.history.none_help')}</p><button class="btn sm out" onClick=${() => openTab('imports')}>${t('imports.title')}</button>`}</div>`}</div>
    ${asked && html`<${UndoDialog} what=${t('imports.undo.revision', { n: asked.revision, what: `${whatText(asked.what)}${asked.note ? `（${asked.note}）` : ''}` })} words=${words} onClose=${() => setAsked(null)} onUndo=${() => void undo()} />`}</div>`;
}
