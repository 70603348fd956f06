// How far something is, with the way to stop it.
import { t } from '../../i18n.js';
import { html } from '../../ui/h.js';
import { numberText, stageText } from './words.js';

/** @import {Progress as Told} from '../../../types/imports.d.ts' */

/**
 * @param {{progress: Told | null, onCancel?: () => void, slim?: boolean}} props
 */
export function Progress({ progress, onCancel, slim = false }) {
  const share = progress?.share ?? 0;
  const stage = stageText(progress?.stage ?? 'waiting');
  const rows = progress && progress.total > 0 ? `${numberText(progress.done)} / ${numberText(progress.total)}` : '';
  return html`<div class=${`working ${slim ? 'slim' : ''}`} role="status" data-testid="working"><p><b>${stage}</b><span>${rows}</span><i>${Math.round(share * 100)}%</i></p>
    <div class="bar" role="progressbar" aria-label=${stage} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(share * 100)}><i style=${{ width: `${Math.max(1, share * 100)}%` }}></i></div>
    ${onCancel && html`<button class="btn sm" onClick=${onCancel} data-testid="cancel">${t('imports.cancel')}</button>`}</div>`;
}
