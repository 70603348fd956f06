// Under the map: the grids that lack something, where one more would help, and what opens up if somebody is sent away.
import { t } from '../i18n.js';
import { html, useMemo } from '../ui/h.js';
import { LACKS, pathTo, reachOf, wanting, within } from './figures.js';
import { sendAway, setSiting } from './read.js';
import { choose, placed, set, ui } from './state.js';
import { lengthOf, minutesOf, percent } from './words.js';

const MOST = 200;

export function Wanting() {
  const { rows, chosen, minutes } = ui;
  const lists = useMemo(() => {
    const inside = within(rows, chosen);
    return new Map(/** @type {const} */ (['any', ...LACKS]).map((lack) => [lack, wanting(inside, minutes, lack)]));
  }, [rows, chosen, minutes]);
  const found = lists.get(ui.lack) ?? [];
  return html`<section class="panel wanting" aria-label=${t('lead.wanting')}>
    <header><h2>${t('lead.wanting')}</h2><div class="seg" role="group">${/** @type {const} */ (['any', ...LACKS]).map(
      (lack) => html`<button key=${lack} class=${ui.lack === lack ? 'on' : ''} aria-pressed=${ui.lack === lack} onClick=${() => set({ lack })} data-testid=${`lack-${lack}`}>${t(`lead.lack.${lack}`)}<b>${lists.get(lack)?.length}</b></button>`,
    )}</div></header>
    <div class="heads"><span>${t('lead.col.grid')}</span><span>${t('lead.col.lacks')}</span><em>${t('lead.n_minutes', { n: ui.minutes })}</em><em>P90</em></div>
    <ul class="list">${found.slice(0, MOST).map(({ row, lacks }) => {
      const path = pathTo(ui.rows, row.code);
      return html`<li key=${row.code}><button class=${row.code === ui.chosen ? 'on' : ''} onClick=${() => choose(row.code)}><b>${row.name}</b><span class="where">${path.at(-3)?.name ?? ''}</span>
        <span class="chips">${lacks.map((lack) => html`<i class=${`chip lack-${lack}`} key=${lack}>${t(`lead.lack.${lack}`)}</i>`)}</span>
        <em>${percent(reachOf(row, ui.minutes), 0)}</em><em>${minutesOf(row.p90_s)}</em></button></li>`;
    })}</ul>
    ${found.length === 0 && ui.cover && html`<p class="empty">${t('lead.wanting.none')}</p>`}</section>`;
}

const COUNTS = [1, 3, 5, 10];
const PLACED = /** @type {const} */ (['responder', 'camera']);

/** How good the places are: quick, best, or so far from the best. */
function Verdict() {
  const { siting, posts } = ui;
  if (!siting) return html`<p class="verdict" role="status">${posts === null ? t('lead.away.asking') : t('lead.siting.greedy_only')}</p>`;
  if (siting.items.length === 0) return null;
  const more = siting.gain_m - siting.greedy_m;
  const text =
    siting.state === 'running' ? t('lead.siting.running')
    : siting.gap === null ? t('lead.siting.greedy_only')
    : siting.proven ? t('lead.siting.exact') + (more > 0 ? t('lead.siting.better', { length: lengthOf(more, siting.method) }) : t('lead.siting.same'))
    : t('lead.siting.bounded', { gap: percent(siting.gap) });
  return html`<p class="verdict" role="status" data-testid="siting"><b>${t(siting.state === 'done' && siting.proven ? 'lead.siting.tag.exact' : 'lead.siting.tag.greedy')}</b>${text}<em title=${t(`lead.one_more.hint.${siting.what}`, { m: siting.minutes })}>${t(`lead.siting.gain.${siting.what}`, { length: lengthOf(siting.gain_m, siting.method) })}</em></p>`;
}

export function OneMore() {
  const { posts, cover, minutes, placing, postsWanted } = ui;
  return html`<section class="panel one-more" aria-label=${t('lead.one_more')}>
    <header><div class="seg" role="group" aria-label=${t('lead.one_more')}>${PLACED.map((one) => html`<button key=${one} class=${one === placing ? 'on' : ''} aria-pressed=${one === placing} onClick=${() => setSiting({ placing: one })} data-testid=${`placing-${one}`}>${t(`lead.placing.${one}`)}</button>`)}</div>
      <label>${t('lead.one_more.count')}<select value=${postsWanted} onChange=${(/** @type {any} */ event) => setSiting({ postsWanted: Number(event.target.value) })} data-testid="posts-wanted">${COUNTS.map((n) => html`<option key=${n} value=${n}>${n}</option>`)}</select></label></header>
    <${Verdict} />
    <ol class="list">${(posts ?? []).map((post, n) => html`<li key=${n}><button onClick=${() => choose(post.grids[0]?.code ?? '')}><i class="no">${n + 1}</i><b>${post.address ?? post.grids[0]?.name ?? ''}</b>
      <span class="where">${t('lead.one_more.grids', { n: post.grids.length, name: post.grids[0]?.name ?? '' })}</span><em>+${lengthOf(post.gain_m, cover?.method ?? 'road')}</em></button></li>`)}</ol>
    ${posts?.length === 0 && html`<p class="empty">${t(cover?.method === 'straight_line' ? 'lead.one_more.no_roads' : placing === 'camera' ? 'lead.one_more.none.camera' : 'lead.one_more.none', { m: minutes })}</p>`}
    <${SentAway} /></section>`;
}

function SentAway() {
  const { without, person, cover, minutes } = ui;
  const known = placed();
  const grids = (without?.items ?? []).filter((item) => item.tier === 4 && item.lost_m > 0);
  return html`<div class="away"><label>${t('lead.away')}<select value=${person} onChange=${(/** @type {any} */ event) => {
    if (event.target.value !== person) sendAway(event.target.value || person);
  }} data-testid="away"><option value="">${t('lead.away.nobody')}</option>${known.map((one) => html`<option value=${one.id} key=${one.id}>${one.name} · ${t(`kind.${one.kind}`)}</option>`)}</select></label>
    <p>${
      !person ? t('lead.away.hint')
      : !without ? t('lead.away.asking')
      : !without.counted ? t('lead.away.not_counted')
      : without.lost_m < 1 ? t('lead.away.nothing', { m: minutes })
      : html`<b class="gap">${lengthOf(without.lost_m, cover?.method ?? 'road')}</b> ${t('lead.away.lost', { m: minutes, n: grids.length, name: grids[0]?.name ?? '' })}`
    }</p></div>`;
}
