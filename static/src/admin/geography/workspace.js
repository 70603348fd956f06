// One import from upload to force: choices on the left, map and issues on the right, the decision on top.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useCallback, useEffect, useMemo, useRef, useState } from '../../ui/h.js';
import { sizeText } from '../files.js';
import { openTab, renameAreas, say, ui } from '../state.js';
import { ApplyDialog } from './apply-dialog.js';
import { ChoicesPane } from './choices-pane.js';
import { GOOD, bodyOf, inForce, isTaken, pick, rowsOf, repicked, takenCount } from './choices.js';
import { IssuesPane } from './issues-pane.js';
import { MOST_ISSUES, readIssues, withWorst, worstByRow } from './issues.js';
import { atWork, pathOf, readKinds, useJob } from './jobs.js';
import { kindOf, nowOf } from './kinds.js';
import { PreviewPane } from './preview-pane.js';
import { Progress } from './progress.js';
import { ResultPane } from './result-pane.js';
import { Take } from './take.js';
import { countText, failureText, importRefusal, kindText, momentText } from './words.js';

/** @import {Choices, ImportJob, Issue, KindRow, PreviewFeature} from '../../../types/imports.d.ts' */
/** @import {Chosen} from './preview-pane.js' */

const PAUSE_MS = 450;
/** @type {PreviewFeature[]} */
const NOTHING = [];
/** @type {Issue[]} */
const NO_ISSUES = [];
/** @type {Set<number>} */
const NONE = new Set();

/** Lists of cameras hold passwords: nothing of the file is kept once it is in force. @param {ImportJob} job */
const isErased = (job) => job.kind === 'cameras' && (job.state === 'applied' || job.state === 'undone');

/** What the service found, asked for again with each draft. @param {ImportJob | null} job */
function useFindings(job) {
  const [found, setFound] = useState(/** @type {{key: string, features: PreviewFeature[], issues: Issue[], loading: boolean}} */ ({ key: '', features: NOTHING, issues: NO_ISSUES, loading: true }));
  const shown = job?.draft && !atWork(job) && job.state !== 'cancelled' && !isErased(job);
  const key = shown ? JSON.stringify([job.id, { ...job.choices, rows: null }, job.draft?.counts, job.draft?.rows_by_worst]) : '';
  useEffect(() => {
    if (!key || !job) return undefined;
    const abort = new AbortController();
    setFound((old) => ({ ...old, loading: true }));
    const preview = call('GET', pathOf(job.id, '/preview.geojson'), undefined, { signal: abort.signal, timeoutMs: 60_000 }).then(
      (answer) => answer.features,
      () => NOTHING,
    );
    const issues = fetch(`/api/v1${pathOf(job.id, '/issues.csv')}`, { signal: abort.signal, cache: 'no-store' }).then(
      async (answer) => (answer.ok ? readIssues(await answer.text()) : NO_ISSUES),
      () => NO_ISSUES,
    );
    void Promise.all([preview, issues]).then(([features, list]) => !abort.signal.aborted && setFound({ key, features: withWorst(features, worstByRow(list)), issues: list, loading: false }));
    return () => abort.abort();
  }, [key]);
  return found;
}

/** Changes are sent once the hand has left the controls, and once what is being read has been read. @param {ImportJob | null} job @param {(job: ImportJob) => void} put */
function useEdits(job, put) {
  const [edits, setEdits] = useState(/** @type {Partial<Choices>} */ ({}));
  const [words, setWords] = useState('');
  const pending = Object.keys(edits).length > 0;
  useEffect(() => {
    if (!pending || !job || (job.state !== 'ready' && job.state !== 'failed')) return undefined;
    const timer = window.setTimeout(async () => {
      try {
        const next = await call('POST', pathOf(job.id, '/draft'), { choices: bodyOf(job.choices, edits) });
        setWords('');
        put(next);
      } catch (error) {
        setWords(importRefusal(error));
      }
      // Only what was sent is done with; what was changed meanwhile goes next.
      setEdits((now) => Object.fromEntries(Object.entries(now).filter(([name, value]) => edits[/** @type {'crs'} */ (name)] !== value)));
    }, PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [edits, job?.state]);
  const edit = useCallback((/** @type {Partial<Choices>} */ patch) => setEdits((old) => ({ ...old, ...patch })), []);
  return { edits, edit, words, pending };
}

/** @param {{id: string}} props */
export function Workspace({ id }) {
  const { job, fault, put } = useJob(id);
  const { edits, edit, words: editWords, pending } = useEdits(job, put);
  const found = useFindings(job);
  const [kinds, setKinds] = useState(/** @type {KindRow[]} */ ([]));
  const [picked, setPicked] = useState(GOOD);
  const [chosen, setChosen] = useState(/** @type {Chosen | null} */ (null));
  const [dialog, setDialog] = useState(false);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState('');
  const stopped = useRef(false);
  const draft = job?.draft ?? null;
  const { features, issues } = found;
  const worst = useMemo(() => worstByRow(issues), [issues]);
  const byRow = useMemo(() => new Map(features.filter((feature) => feature.properties.row !== undefined).map((feature) => [feature.properties.row, feature])), [features]);
  useEffect(() => {
    readKinds().then(setKinds, () => setKinds([]));
    if (job?.state === 'applied' || job?.state === 'undone') void renameAreas();
  }, [job?.state]);
  useEffect(() => {
    setChosen(null);
    setPicked((old) => repicked(old, worst));
  }, [found.key]);

  const settled = job !== null && draft !== null && (job.state === 'ready' || job.state === 'reading' || job.state === 'applying' || job.state === 'failed');
  const reading = job?.state === 'reading' || pending;
  // Beyond what the page keeps of the list it is not known here which rows have warnings.
  const known = issues.length < MOST_ISSUES;
  const mayPick = settled && known && job.state === 'ready' && !pending;
  const taken = draft ? takenCount(picked, draft, worst) : 0;
  const out = useMemo(() => {
    if (picked.mode !== 'chosen') return NONE;
    return new Set(features.flatMap((feature, index) => (feature.properties.row !== undefined && !isTaken(picked, feature.properties.row, worst.get(feature.properties.row)) ? [index + 1] : [])));
  }, [picked, features, worst]);
  const take = useCallback((/** @type {number[]} */ rows, /** @type {boolean} */ wanted) => setPicked((old) => pick(old, rows, wanted, worst)), [worst]);
  const chooseFeature = useCallback((/** @type {PreviewFeature | null} */ feature) => setChosen(feature ? { kind: 'feature', feature } : null), []);
  const chooseIssue = useCallback((/** @type {Issue} */ issue) => setChosen({ kind: 'issue', issue, feature: byRow.get(issue.row) ?? null }), [byRow]);

  if (!job) return html`<div class="blank">${fault ? html`<b role="alert">${fault}</b><button class="btn sm" onClick=${() => openTab('imports')}>${t('imports.back')}</button>` : html`<b>${t('video.loading')}</b>`}</div>`;

  const cancel = async () => {
    stopped.current = job.state === 'reading' && !draft;
    try {
      const next = await call('POST', pathOf(id, '/cancel'));
      if (stopped.current && next.state === 'cancelled') return await forget('imports.cancelled');
      put(next);
    } catch (error) {
      setWords(importRefusal(error));
    }
  };
  /** @param {string} said */
  const forget = async (said) => {
    try {
      await call('DELETE', pathOf(id));
      say(t(said));
      openTab('imports');
    } catch (error) {
      setWords(importRefusal(error));
    }
  };
  const apply = async () => {
    setBusy(true);
    setWords('');
    try {
      const next = await call('POST', pathOf(id, '/apply'), draft ? { rows: rowsOf(picked, draft, worst) } : {});
      setDialog(false);
      put(next);
    } catch (error) {
      setWords(importRefusal(error));
    }
    setBusy(false);
  };
  const { shape, byCode } = kindOf(job.kind);
  // A list of people or rules may say nothing of places; then there is no map to look at.
  const placeless = shape === 'table' && !draft?.bounds && !features.length;
  const needs = draft?.needs ?? [];
  const now = kinds.find((row) => row.kind === job.kind);
  const inForceCount = nowOf(kinds, job.kind);
  const inForceText = inForceCount === null || byCode ? '' : t('imports.now', { n: countText(inForceCount, job.kind) });
  const mode = inForce(job, edits).mode;
  const decide = () => /** @type {HTMLElement | null} */ (document.querySelector('.choice.needs'))?.scrollIntoView({ block: 'start', behavior: 'smooth' });
  const goes = job.state === 'ready' && !pending && (draft ? taken > 0 : shape === 'roads');
  const working = job.progress && job.state === 'applying' ? job.progress : job.state === 'reading' ? job.progress : null;

  return html`<div class="workspace" data-testid="workspace" data-state=${pending && job.state === 'ready' ? 'reading' : job.state}>
    <header class="draft-head"><button class="btn sm ghost" onClick=${() => openTab('imports')} data-testid="back">‹ ${t('imports.back')}</button>
      <div class="name"><h2 title=${job.filename}>${job.filename}</h2><p>${kindText(job.kind)} · ${sizeText(job.size)} · ${job.by_name} ${momentText(job.started_at)}</p></div>
      ${settled && html`<${Take} draft=${draft} picked=${picked} taken=${taken} worst=${worst} known=${known} locked=${found.loading} onPicked=${setPicked} />`}
      ${
        (settled || (job.state === 'ready' && !draft)) &&
        html`<div class="acts"><button class="btn ghost" onClick=${() => void forget('imports.forgotten')} disabled=${atWork(job)} data-testid="forget">${t('imports.forget')}</button>
        ${needs.length > 0 ? html`<button class="btn out" onClick=${decide} data-testid="decide">${t('imports.decide', { what: needs.map((one) => t(`imports.choice.${one}`)).join(t('join.list')) })}</button>` : html`<button class="btn primary" disabled=${!goes} onClick=${() => setDialog(true)} data-testid="apply">${draft ? t('imports.apply', { n: countText(taken, job.kind) }) : t('imports.apply.roads_go')}</button>`}</div>`
      }</header>
    ${(draft || job.state === 'applying') && atWork(job) && html`<div class="draft-working"><${Progress} progress=${working} slim onCancel=${() => void cancel()} /></div>`}
    <div class="draft-strip">${
      atWork(job)
        ? null
        : job.error
          ? html`<p class="refused" role="alert" data-testid="job-error"><span>${t(job.state === 'ready' ? 'imports.apply_failed' : 'imports.failed')}${t('join.colon')}${failureText(job.error)}</span></p>`
          : (words || editWords || fault) && html`<p class="refused" role="alert"><span>${words || editWords || fault}</span></p>`
    }</div>
    ${
      job.state === 'reading' && !draft
        ? html`<div class="draft-first"><h3>${t('imports.reading')}</h3><${Progress} progress=${job.progress} onCancel=${() => void cancel()} /><p class="hint">${t('imports.reading_help')}</p></div>`
        : job.state === 'failed' && !draft
          ? html`<div class="blank"><b>${t('imports.failed')}</b><p>${t('imports.failed_help')}</p><button class="btn sm out" onClick=${() => void forget('imports.forgotten')} data-testid="other-file">${t('imports.other_file')}</button></div>`
          : !draft && job.state === 'ready'
            ? html`<div class="blank"><b>${t('imports.roads_ready')}</b><p>${t('imports.roads_help')}</p></div>`
            : job.state === 'cancelled'
              ? html`<div class="blank"><b>${t('imports.cancelled')}</b><button class="btn sm out" onClick=${() => void forget('imports.forgotten')}>${t('imports.other_file')}</button></div>`
              : html`<div class=${`draft-body ${!draft || isErased(job) ? 'alone' : ''}`}>
        ${settled ? html`<${ChoicesPane} job=${job} edits=${edits} edit=${edit} locked=${job.state === 'applying'} required=${(now?.fields ?? []).filter((field) => field.required).map((field) => field.name)} inForceText=${inForceText} />` : html`<${ResultPane} job=${job} put=${put} />`}
        ${draft && !isErased(job) ? html`<div class=${`draft-right ${placeless ? 'placeless' : ''}`}>${!placeless && html`<${PreviewPane} features=${features} draft=${draft} stale=${reading || found.loading} chosen=${chosen} out=${out} rowIssues=${chosen?.feature ? issues.filter((issue) => issue.row === chosen.feature?.properties.row) : NO_ISSUES}
          taken=${mayPick && chosen?.feature?.properties.row !== undefined ? isTaken(picked, chosen.feature.properties.row, worst.get(chosen.feature.properties.row)) : null} onChoose=${chooseFeature} onTake=${(/** @type {boolean} */ wanted) => take([chosen?.feature?.properties.row ?? 0], wanted)} />`}
          <${IssuesPane} jobId=${job.id} draft=${draft} issues=${issues} loading=${found.loading} chosen=${chosen?.kind === 'issue' ? chosen.issue : null} picked=${picked} worst=${worst} mayPick=${mayPick} onChoose=${chooseIssue} onTake=${take} /></div>` : ''}</div>`
    }
    ${dialog && html`<${ApplyDialog} job=${job} taken=${taken} mode=${mode} now=${now} words=${words} busy=${busy} onClose=${() => setDialog(false)} onApply=${() => void apply()} />`}
    ${ui.said && html`<p class="said-bar" role="status">${ui.said}</p>`}</div>`;
}
