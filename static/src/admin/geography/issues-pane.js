// Right below: what is wrong, row by row. Only what is in view stands in the document, however long the list.
import { t } from '../../i18n.js';
import { html, useEffect, useMemo, useRef, useState } from '../../ui/h.js';
import { isTaken } from './choices.js';
import { MOST_ISSUES, SEVERITIES, codeCounts, severityCounts, shownIssues, windowOf } from './issues.js';
import { detailText, issueText, numberText } from './words.js';

/** @import {Draft, Issue, Severity} from '../../../types/imports.d.ts' */
/** @import {Picked} from './choices.js' */

const ROW_PX = 34;

/**
 * @param {{jobId: string, draft: Draft, issues: Issue[], loading: boolean, chosen: Issue | null, picked: Picked, worst: ReadonlyMap<number, Severity>, mayPick: boolean,
 *          onChoose: (issue: Issue) => void, onTake: (rows: number[], taken: boolean) => void}} props
 */
export function IssuesPane({ jobId, draft, issues, loading, chosen, picked, worst, mayPick, onChoose, onTake }) {
  const [severity, setSeverity] = useState('');
  const [code, setCode] = useState('');
  const [view, setView] = useState({ top: 0, height: 400 });
  const [at, setAt] = useState(0);
  const scroll = useRef(/** @type {HTMLElement | null} */ (null));
  const counts = useMemo(() => severityCounts(issues), [issues]);
  const codes = useMemo(() => codeCounts(issues, severity), [issues, severity]);
  const wanted = codes.some((one) => one.code === code) ? code : '';
  const shown = useMemo(() => shownIssues(issues, { severity, code: wanted }), [issues, severity, wanted]);
  const { first, last } = windowOf(shown.length, view.top, view.height, ROW_PX);
  useEffect(() => {
    const box = scroll.current;
    if (!box) return undefined;
    const watch = new ResizeObserver(() => setView((old) => ({ ...old, height: box.clientHeight })));
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (scroll.current) scroll.current.scrollTop = 0;
    setAt(0);
  }, [severity, wanted]);
  /** @param {number} next */
  const go = (next) => {
    const index = Math.max(0, Math.min(shown.length - 1, next));
    const box = scroll.current;
    if (!box) return;
    const top = index * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + 2 * ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * ROW_PX - box.clientHeight;
    setAt(index);
    // The row may only come to stand in the document by the scrolling.
    window.setTimeout(() => /** @type {HTMLElement | null} */ (box.querySelector(`[data-index="${index}"]`))?.focus({ preventScroll: true }), 30);
  };
  const takeable = useMemo(() => [...new Set(shown.filter((issue) => issue.row > 0 && worst.get(issue.row) !== 'error').map((issue) => issue.row))], [shown, worst]);
  const inCount = takeable.filter((row) => isTaken(picked, row, worst.get(row))).length;
  /** @param {KeyboardEvent} event @param {number} index @param {Issue} issue */
  const key = (event, index, issue) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 });
    if (steps[event.key]) go(index + steps[event.key]);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(shown.length - 1);
    else if (event.key === 'Enter') onChoose(issue);
    else if (event.key === ' ' && mayPick && issue.row > 0 && worst.get(issue.row) !== 'error') onTake([issue.row], !isTaken(picked, issue.row, worst.get(issue.row)));
    else return;
    event.preventDefault();
  };
  const total = SEVERITIES.reduce((sum, one) => sum + (draft.counts[one] ?? 0), 0);
  return html`<section class="issues" aria-label=${t('imports.issues')}><header>
      <h3>${t('imports.issues')}</h3>
      <div class="seg" role="group" aria-label=${t('imports.issues.severity')}><button class=${severity ? '' : 'on'} aria-pressed=${!severity} onClick=${() => setSeverity('')}>${t('imports.issues.all')} <b>${numberText(issues.length)}</b></button>${SEVERITIES.map(
        (one) => html`<button key=${one} class=${`sev ${one} ${severity === one ? 'on' : ''}`} aria-pressed=${severity === one} disabled=${!counts[one]} onClick=${() => setSeverity(severity === one ? '' : one)} data-testid=${`severity-${one}`}><i aria-hidden="true"></i>${t(`imports.severity.${one}`)} <b>${numberText(counts[one])}</b></button>`,
      )}</div>
      <select aria-label=${t('imports.issues.code')} value=${wanted} disabled=${!issues.length} onChange=${(/** @type {any} */ event) => setCode(event.target.value)} data-testid="issue-code"><option value="">${t('imports.issues.every_code')}</option>${codes.map((one) => html`<option key=${one.code} value=${one.code} selected=${one.code === wanted}>${issueText(one.code)}（${numberText(one.n)}）</option>`)}</select>
      ${total > 0 && html`<a class="btn sm" href=${`/api/v1/imports/${encodeURIComponent(jobId)}/issues.csv`} download data-testid="issues-csv">${t('imports.issues.download')}</a>`}</header>
    <div class="table-scroll" ref=${scroll} onScroll=${(/** @type {any} */ event) => setView({ top: event.target.scrollTop, height: event.target.clientHeight })} aria-busy=${loading}>
      <table class="rows" aria-rowcount=${shown.length}><thead><tr>
        <th class="pick">${mayPick && takeable.length > 0 && html`<input type="checkbox" aria-label=${t('imports.issues.take_all')} title=${t('imports.issues.take_all')} checked=${inCount === takeable.length} indeterminate=${inCount > 0 && inCount < takeable.length} onChange=${(/** @type {any} */ event) => onTake(takeable, event.target.checked)} data-testid="take-listed" />`}</th>
        <th class="num">${t('imports.issues.row')}</th><th>${t('imports.issues.area_code')}</th><th>${t('imports.issues.name')}</th><th>${t('imports.issues.severity')}</th><th>${t('imports.issues.code')}</th><th>${t('imports.issues.detail')}</th></tr></thead>
      <tbody>${first > 0 && html`<tr class="gap" style=${{ height: `${first * ROW_PX}px` }}></tr>`}
      ${shown.slice(first, last).map((issue, offset) => {
        const index = first + offset;
        const severe = worst.get(issue.row);
        return html`<tr key=${index} data-index=${index} tabindex=${index === Math.min(at, shown.length - 1) ? 0 : -1} class=${issue === chosen ? 'on' : ''} aria-rowindex=${index + 1} onFocus=${() => setAt(index)} onClick=${() => onChoose(issue)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => key(event, index, issue)} data-testid="issue" data-row=${issue.row}>
          <td class="pick">${mayPick && issue.row > 0 && html`<input type="checkbox" tabindex="-1" aria-label=${t('imports.issues.take', { n: issue.row + draft.row_offset })} title=${severe === 'error' ? t('imports.row_cannot') : ''} checked=${isTaken(picked, issue.row, severe)} disabled=${severe === 'error'} onClick=${(/** @type {Event} */ event) => event.stopPropagation()} onChange=${(/** @type {any} */ event) => onTake([issue.row], event.target.checked)} data-testid="take" />`}</td>
          <td class="num">${issue.row ? issue.row + draft.row_offset : '—'}</td><td class="digits">${issue.code}</td><td title=${issue.name}>${issue.name || (issue.row ? '' : html`<i>${t('imports.issues.whole')}</i>`)}</td>
          <td><span class=${`sev ${issue.severity}`}><i aria-hidden="true"></i>${t(`imports.severity.${issue.severity}`)}</span></td><td>${issueText(issue.issue)}</td><td title=${detailText(issue)}>${detailText(issue)}</td></tr>`;
      })}
      ${last < shown.length && html`<tr class="gap" style=${{ height: `${(shown.length - last) * ROW_PX}px` }}></tr>`}</tbody></table>
      ${!shown.length && !loading && html`<div class="blank" data-testid="issues-empty"><b>${t(issues.length ? 'imports.issues.none_here' : 'imports.issues.none')}</b>${!issues.length && html`<p>${t('imports.issues.none_help')}</p>`}</div>`}
      ${loading && !issues.length && html`<div class="blank"><b>${t('video.loading')}</b></div>`}</div>
    ${issues.length === MOST_ISSUES && html`<p class="hint">${t('imports.issues.more', { n: numberText(total - issues.length) })}</p>`}</section>`;
}
