// Right above: what the file would bring in, over the basemap and what is in force.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../../ui/h.js';
import { readTheme } from '../../ui/theme.js';
import { ui } from '../state.js';
import { previewMap } from './preview-map.js';
import { POINT_PATHS } from './preview-style.js';
import { issueText, numberText, whyText } from './words.js';

/** @import {Draft, Issue, PreviewFeature} from '../../../types/imports.d.ts' */
/** @import {PreviewMap} from './preview-map.js' */

/** @typedef {{kind: 'feature', feature: PreviewFeature} | {kind: 'issue', issue: Issue, feature: PreviewFeature | null}} Chosen */

const LEVELS = /** @type {const} */ (['good', 'note', 'warning', 'error']);

/** The same patterns as on the map. @param {{of: string, point: boolean}} props */
const Swatch = ({ of, point }) =>
  point && of in POINT_PATHS
    ? html`<svg class=${`sw ${of}`} width="16" height="16" viewBox="0 0 20 20" aria-hidden="true"><path fill-rule="evenodd" d=${POINT_PATHS[/** @type {'good'} */ (of)]} /></svg>`
    : html`<i class=${`sw area ${of}`} aria-hidden="true"></i>`;

/** @param {{features: PreviewFeature[], point: boolean, showNow: boolean, hasNow: boolean, onNow: () => void}} props */
function Legend({ features, point, showNow, hasNow, onNow }) {
  const counts = useMemo(() => {
    /** @type {Record<string, number>} */
    const found = {};
    for (const { properties } of features) {
      const key = properties.kind ?? properties.worst ?? 'good';
      found[key] = (found[key] ?? 0) + 1;
    }
    return found;
  }, [features]);
  const faults = ['overlap', 'gap', 'hole'].filter((kind) => counts[kind]);
  return html`<div class="draft-legend" role="group" aria-label=${t('imports.legend')}>${[...LEVELS, ...faults].map(
    (key) => html`<span key=${key} class=${counts[key] ? '' : 'none'}><${Swatch} of=${key} point=${point} />${key in POINT_PATHS ? t(`imports.worst.${key}`) : issueText(key)}<b>${numberText(counts[key] ?? 0)}</b></span>`,
  )}${hasNow && html`<button aria-pressed=${showNow} onClick=${onNow} data-testid="show-now"><i class="sw now" aria-hidden="true"></i>${t('imports.legend.now')}<em>${showNow ? '✓' : ''}</em></button>`}</div>`;
}

/**
 * @param {{features: PreviewFeature[], draft: Draft, stale: boolean, chosen: Chosen | null, out: Set<number>, rowIssues: Issue[], taken: boolean | null,
 *          onChoose: (feature: PreviewFeature | null) => void, onTake: (taken: boolean) => void}} props
 */
export function PreviewPane({ features, draft, stale, chosen, out, rowIssues, taken, onChoose, onTake }) {
  const holder = useRef(/** @type {HTMLElement | null} */ (null));
  const tip = useRef(/** @type {HTMLElement | null} */ (null));
  const [map, setMap] = useState(/** @type {PreviewMap | null} */ (null));
  const [showNow, setShowNow] = useState(true);
  const [now, setNow] = useState(/** @type {object[]} */ ([]));
  const [fault, setFault] = useState('');
  const rows = useMemo(() => features.filter((feature) => feature.properties.kind === undefined), [features]);
  const tiers = useMemo(() => [...new Set(rows.map((feature) => feature.properties.tier ?? 0))].filter(Boolean).sort(), [rows]);
  const [wished, setTier] = useState(0);
  const tier = tiers.includes(wished) ? wished : (tiers.at(-1) ?? 0);
  const point = rows.some((feature) => feature.geometry?.type === 'Point') && !rows.some((feature) => feature.geometry?.type.endsWith('Polygon'));
  const theme = readTheme();
  const feature = chosen?.feature ?? null;

  useLayoutEffect(() => {
    let gone = false;
    /** @type {PreviewMap | null} */
    let mine = null;
    previewMap({ center: ui.district.center, bounds: ui.district.bounds, theme }).then(
      (made) => {
        if (gone || !holder.current) return;
        mine = made;
        made.attach(holder.current);
        setMap(made);
      },
      (error) => setFault(String(error?.message ?? error)),
    );
    return () => {
      gone = true;
      mine?.detach();
    };
  }, []);
  useEffect(() => map?.setTheme(theme), [map, theme]);
  useEffect(() => map?.setRows(features, tier), [map, features, tier]);
  useEffect(() => map?.setOut(out), [map, out]);
  const bounds = draft.bounds?.join() ?? '';
  const seen = useRef(false);
  useEffect(() => {
    if (!map || !draft.bounds) return;
    if (seen.current) map.reach(draft.bounds);
    else map.fit(draft.bounds);
    seen.current = true;
  }, [map, bounds]);
  useEffect(() => {
    // A row of another tier than the one that is filled is looked at in its own.
    const level = feature?.properties.tier ?? 0;
    if (level && level !== tier) setTier(level);
    if (!map) return;
    const place = chosen?.kind === 'issue' && chosen.issue.lon !== null && chosen.issue.lat !== null ? { lon: chosen.issue.lon, lat: chosen.issue.lat } : null;
    map.choose(feature ?? place);
    if (chosen?.kind === 'issue') map.show(feature, place);
  }, [map, chosen]);
  useEffect(() => {
    const abort = new AbortController();
    const asked = tier || 3;
    call('GET', `/areas.geojson?tier=${asked}`, undefined, { signal: abort.signal }).then(
      (found) => setNow(found.features),
      () => setNow([]),
    );
    return () => abort.abort();
  }, [tier]);
  useEffect(() => map?.setNow(showNow ? now : []), [map, now, showNow]);
  useEffect(() => {
    if (!map) return;
    map.onPick = onChoose;
    map.onHover = (hit, x, y) => {
      if (!tip.current) return;
      tip.current.hidden = !hit;
      if (!hit) return;
      tip.current.textContent = hit.properties.kind ? `${issueText(hit.properties.kind)}` : hit.properties.name || hit.properties.code || t('imports.row_n', { n: (hit.properties.row ?? 0) + draft.row_offset });
      tip.current.style.transform = `translate(${x + 14}px, ${y + 14}px)`;
    };
  }, [map, onChoose, draft]);

  const { properties } = feature ?? { properties: null };
  return html`<section class=${`preview ${stale ? 'stale' : ''}`} aria-label=${t('imports.preview')} data-testid="preview">
    <div class="map-holder" ref=${holder}></div>
    ${fault && html`<p class="refused map-fault" role="alert">${t('imports.no_map', { detail: fault })}</p>`}
    <div class="map-tip" ref=${tip} hidden></div>
    <div class="preview-top">${tiers.length > 1 && html`<div class="seg boxed" role="group" aria-label=${t('imports.preview.tier')}>${tiers.map((one) => html`<button key=${one} class=${one === tier ? 'on' : ''} aria-pressed=${one === tier} onClick=${() => setTier(one)} data-testid=${`preview-tier-${one}`}>${t(`imports.tier.${one}`)}</button>`)}</div>`}
      ${rows.length < draft.rows && rows.length > 0 && html`<span class="thin">${t('imports.preview.some', { n: numberText(rows.length), of: numberText(draft.rows) })}</span>`}</div>
    <div class="zoom"><button aria-label=${t('console.zoom.in')} onClick=${() => map?.map.zoomBy(1)}>＋</button><button aria-label=${t('console.zoom.out')} onClick=${() => map?.map.zoomBy(-1)}>－</button><button aria-label=${t('imports.preview.whole')} title=${t('imports.preview.whole')} onClick=${() => map?.fit(draft.bounds)} data-testid="preview-whole">◎</button></div>
    <${Legend} features=${features} point=${point} showNow=${showNow} hasNow=${now.length > 0} onNow=${() => setShowNow(!showNow)} />
    ${!rows.length && !stale && html`<div class="blank over"><b>${t('imports.preview.none')}</b><p>${t(draft.needs.length ? 'imports.preview.none_needs' : 'imports.preview.none_help')}</p></div>`}
    ${
      properties &&
      html`<aside class="row-card" data-testid="row-card" data-row=${properties.row ?? ''}><header><b>${properties.kind ? issueText(properties.kind) : properties.name || '—'}</b><button class="esc" aria-label=${t('admin.close')} onClick=${() => onChoose(null)}>✕</button></header>
      ${
        properties.kind
          ? html`<p>${whyText({ zh: properties.detail_zh ?? '', en: properties.detail_en ?? '' })}</p>`
          : html`<p class="meta">${t('imports.row_n', { n: (properties.row ?? 0) + draft.row_offset })}${properties.code && ` · ${properties.code}`}${properties.tier ? ` · ${t(`imports.tier.${properties.tier}`)}` : ''}</p>
            ${rowIssues.length > 0 ? html`<ul>${rowIssues.slice(0, 6).map((issue, index) => html`<li key=${index} class=${`sev ${issue.severity}`}><i aria-label=${t(`imports.severity.${issue.severity}`)}></i><span><b>${issueText(issue.issue)}</b>${whyText({ zh: issue.detail_zh, en: issue.detail_en })}</span></li>`)}</ul>` : html`<p class="good">✓ ${t('imports.row_good')}</p>`}
            ${taken !== null && html`<label class="tick"><input type="checkbox" checked=${taken} disabled=${properties.worst === 'error'} onChange=${(/** @type {any} */ event) => onTake(event.target.checked)} data-testid="take-row" /><span>${t(properties.worst === 'error' ? 'imports.row_cannot' : 'imports.row_take')}</span></label>`}`
      }</aside>`
    }</section>`;
}
