// Before something comes into force: what exactly will be replaced, what is left out, what would be lost.
import { t } from '../../i18n.js';
import { Dialog } from '../../ui/dialog.js';
import { html } from '../../ui/h.js';
import { tiersLost } from './choices.js';
import { kindOf } from './kinds.js';
import { countText, kindText, numberText } from './words.js';

/** @import {ImportJob, KindRow} from '../../../types/imports.d.ts' */

/** 2 个乡镇街道、11 个村社区. @param {Record<string, number>} tiers */
const tiersText = (tiers) =>
  Object.entries(tiers)
    .filter(([, n]) => n > 0)
    .map(([tier, n]) => t('imports.tier_n', { n: numberText(n), tier: t(`imports.tier.${tier}`) }))
    .join(t('join.list'));

/**
 * @param {{job: ImportJob, taken: number, mode: 'replace' | 'merge', now: KindRow | undefined, words: string, busy: boolean, onClose: () => void, onApply: () => void}} props
 */
export function ApplyDialog({ job, taken, mode, now, words, busy, onClose, onApply }) {
  const { draft } = job;
  const { byCode, shape } = kindOf(job.kind);
  const replaces = !byCode && mode === 'replace' && shape !== 'roads';
  const lost = replaces && draft && now?.tiers ? tiersLost(now.tiers, draft) : [];
  const left = draft ? draft.rows - taken : 0;
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class=${lost.length ? 'btn danger' : 'btn primary'} autofocus disabled=${busy} onClick=${onApply} data-testid="apply-go">${busy ? t('imports.apply.busy') : t(replaces ? 'imports.apply.replace_go' : 'imports.apply.go')}</button>`;
  return html`<${Dialog} title=${t('imports.apply.title', { kind: kindText(job.kind) })} onClose=${onClose} foot=${foot} id="apply-dialog"><ul class="will">
    <li><i>＋</i><span>${shape === 'roads' ? t('imports.apply.roads', { file: job.filename }) : t('imports.apply.take', { file: job.filename, n: countText(taken, job.kind) })}</span></li>
    ${replaces && html`<li data-testid="will-replace"><i>⇄</i><span>${now?.now === 0 ? t('imports.apply.none_now') : now?.now ? t('imports.apply.replace', { n: countText(now.now, job.kind) }) : t('imports.apply.replace_all', { kind: kindText(job.kind) })}${now?.tiers && now.now ? html`<small>${tiersText(now.tiers)}</small>` : ''}</span></li>`}
    ${!replaces && shape !== 'roads' && html`<li><i>⇄</i><span>${t(byCode ? `imports.mode.by_code.${job.kind}` : 'imports.mode.merge.help')}</span></li>`}
    ${left > 0 && html`<li class="left"><i>–</i><span>${t('imports.apply.left', { n: numberText(left) })}</span></li>`}
    <li class="calm"><i>↶</i><span>${t('imports.apply.undo')}</span></li></ul>
    ${lost.length > 0 && html`<p class="refused" role="alert" data-testid="tiers-lost">${t('imports.apply.lost', { what: lost.map(({ tier, n }) => t('imports.tier_n', { n: numberText(n), tier: t(`imports.tier.${tier}`) })).join(t('join.list')) })}</p>`}</${Dialog}>`;
}
