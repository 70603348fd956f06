// Asking before something that is in force is taken back.
import { t } from '../../i18n.js';
import { Dialog } from '../../ui/dialog.js';
import { html } from '../../ui/h.js';

/** @param {{what: string, words: string, onClose: () => void, onUndo: () => void}} props */
export function UndoDialog({ what, words, onClose, onUndo }) {
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class="btn danger" autofocus onClick=${onUndo} data-testid="undo-go">${t('imports.undo')}</button>`;
  return html`<${Dialog} title=${t('imports.undo.title')} onClose=${onClose} foot=${foot} id="undo-dialog"><p>${what}</p><p class="hint">${t('imports.undo.help')}</p></${Dialog}>`;
}
