// The panels left and right: each answers one question with one large figure, each rate with its n and d.

import { t } from '../i18n.js';
import { hourOf, timeOfDay } from '../time.js';
import { html } from '../ui/h.js';
import { KindMark, LevelMark } from '../ui/shapes.js';
import { HourBars, LimitRow, RateText, StackedBar, Track } from './charts.js';
import { bothEnds, cameraRates, gaps, onDuty, openByVillage, percent, responseRows, stateGroups } from './figures.js';

/** @import {WallSummary} from '../../types/wire.d.ts' */
/** @import {Scene} from './view.js' */

/** Share of cameras that must be online (雪亮 key areas). */
const CAMERA_TARGET = 0.98;
const INTACT_TARGET = 0.95;
const LEAST_RANKED = 3;

/** @param {{summary: WallSummary, scene: Scene}} props */
export function TodayPanel({ summary, scene }) {
  const { today } = summary;
  const groups = stateGroups(today.by_state);
  return html`<section class="p today"><h2>${t('wall.today')}<small>${t('wall.today_span', { time: timeOfDay(scene.serverNow) })}</small></h2>
    <div class="lead"><b class="hero">${today.reported}</b>
      <div><p><span class="t2">${t('wall.closed_rate')}</span> <b>${percent(today.closed_of_accepted)}</b> <span class="nd">${today.closed_of_accepted.n}/${today.closed_of_accepted.d}</span></p>
      <p><span class="t2">${t('wall.on_time')}</span> <b>${percent(today.on_time)}</b> <span class="nd">${today.on_time.n}/${today.on_time.d}</span>　${today.overdue > 0 && html`<b class="inv">${t('wall.overdue', { n: today.overdue })}</b>`}</p></div></div>
    <${StackedBar} groups=${groups} />
    <div class="st">${groups.map((item) => html`<div key=${item.group}><i class=${`g-${item.group}`}></i><span>${t(`wall.group.${item.group}`)}</span><b>${item.n}</b></div>`)}</div>
  </section>`;
}

/** @param {{summary: WallSummary, scene: Scene}} props */
export function HoursPanel({ summary, scene }) {
  const { hours } = summary.today;
  const now = hourOf(scene.serverNow);
  const most = Math.max(...hours);
  const peak = hours.indexOf(most);
  return html`<section class="p hours"><h2>${t('wall.hours')}<small>${t('wall.hours_note')}</small></h2>
    <${HourBars} hours=${hours} now=${now} label=${(/** @type {number} */ hour) => t('wall.hour', { h: String(hour).padStart(2, '0') })} />
    <p class="nd">${most > 0 ? t('wall.hours_peak', { h: peak, n: most, now: hours[now] }) : t('wall.hours_none')}</p>
  </section>`;
}

/** @param {{scene: Scene}} props */
function OpenVillages({ scene }) {
  const rows = openByVillage(scene.board, 7);
  const most = Math.max(1, ...rows.map((row) => row.n));
  return html`<section class="p villages"><h2>${t('wall.villages_open')}<small>${t('wall.villages_open_note')}</small></h2>
    ${!rows.length && html`<p class="none">${t('wall.story.none')}</p>`}
    ${rows.map((row, index) => html`<div class="rk" key=${row.code}><span class="t2">${index + 1}</span><span class="nm">${scene.areaNames.get(row.code) ?? ''}</span>
      <${Track} n=${row.n} d=${most} tone="blue" /><span></span><b>${row.n}</b></div>`)}
  </section>`;
}

/** @param {{summary: WallSummary, scene: Scene}} props */
export function VillagePanel({ summary, scene }) {
  // One or two villages are no ranking.
  if (summary.villages.length < LEAST_RANKED) return html`<${OpenVillages} scene=${scene} />`;
  const { head, tail } = bothEnds(summary.villages, 4, 3);
  /** @param {(typeof head)[number]} item @param {string} tone */
  const line = ({ rank, row }, tone) => html`<div class="rk" key=${row.code}><span class="t2">${rank}</span><span class="nm">${row.name}</span>
    <${Track} n=${row.n} d=${row.d} tone=${tone} /><${RateText} n=${row.n} d=${row.d} /></div>`;
  return html`<section class="p villages"><h2>${t('wall.villages')}<small>${t('wall.villages_note', { n: summary.villages.length })}</small></h2>
    ${head.map((item) => line(item, 'blue'))}
    ${tail.length > 0 && html`<div class="gap"><span>${t('wall.villages_tail', { n: tail.length })}</span></div>`}
    ${tail.map((item) => line(item, 'pale'))}
  </section>`;
}

/** @param {{summary: WallSummary}} props */
export function DutyPanel({ summary }) {
  const duty = onDuty(summary.on_duty.by_kind, 3);
  return html`<section class="p duty"><h2>${t('wall.duty')}<small>${t('wall.duty_note')}</small></h2>
    <div class="lead"><b class="hero">${duty.on}</b>
      <div><p><span class="t2">${t('wall.online_rate')}</span> <b>${percent({ n: duty.online, d: duty.on })}</b> <span class="nd">${t('wall.on_duty_of', { online: duty.online, on: duty.on })}</span></p>
      <p class="nd">${t('wall.of_all', { rate: percent({ n: duty.on, d: duty.total }), n: duty.on, d: duty.total })}</p></div></div>
    ${duty.rows.map((row) => html`<div class="dt" key=${row.kind}><${KindMark} kind=${row.kind} size=${20} /><span class="nm">${t(`kind.${row.kind}`)}</span>
      <${Track} n=${row.online} d=${row.on} tone="blue" /><${RateText} n=${row.online} d=${row.on} /></div>`)}
  </section>`;
}

/** @param {{summary: WallSummary}} props */
export function StaffingPanel({ summary }) {
  const { staffing } = summary;
  const staffed = staffing.grids - staffing.vacant;
  const { rows, others, missingElsewhere } = gaps(staffing.by_township, 5);
  const widest = Math.max(1, ...rows.map((row) => row.grids));
  return html`<section class="p staffing"><h2>${t('wall.staffing')}<small>${t('wall.staffing_note')}</small></h2>
    <div class="lead"><b class="hero mid">${staffing.vacant}</b>
      <div><p>${t('wall.vacant')}</p><p><span class="t2">${t('wall.staffing_rate')}</span> <b>${percent({ n: staffed, d: staffing.grids })}</b> <span class="nd">${staffed}/${staffing.grids}</span></p></div></div>
    ${rows.map((row) => html`<div class="vc" key=${row.code}><span class="nm">${row.name}</span>
      <div class="track"><em style=${{ width: `${(row.grids / widest) * 100}%` }}></em><i class="blue" style=${{ width: `${(row.staffed / widest) * 100}%` }}></i></div>
      <span class="nd">${row.staffed}/${row.grids}</span><b>${row.missing > 0 ? t('wall.missing', { n: row.missing }) : ''}</b></div>`)}
    ${others > 0 && html`<p class="nd">${t('wall.missing_rest', { n: others, m: missingElsewhere })}</p>`}
  </section>`;
}

/** The two rates of the cameras: a picture comes, and the picture is as it should be. @param {{summary: WallSummary}} props */
export function CameraPanel({ summary }) {
  const { cameras } = summary;
  const { online, intact } = cameraRates(cameras);
  const rows = [{ word: 'online', rate: online, target: CAMERA_TARGET }, { word: 'intact', rate: intact, target: INTACT_TARGET }];
  const cut = rows.every(({ rate }) => rate.d > 0 && rate.n / rate.d >= 0.9);
  // Of cameras that nobody has asked yet no rate can be told.
  const told = (cameras.unknown ?? 0) < cameras.total;
  return html`<section class="p cameras"><h2>${t('wall.cameras')}<small>${t(cut ? 'wall.cameras_note_cut' : 'wall.cameras_note')}</small></h2>
    ${rows.map(({ word, rate, target }) => html`<div class="cm" key=${word} data-testid=${`camera-${word}`}><span>${t(`wall.camera_rate.${word}`)}</span>
      <${Track} n=${told ? rate.n : 0} d=${rate.d} from=${cut ? 0.9 : 0} target=${target} tone=${rate.d > 0 && rate.n / rate.d >= target ? 'met' : 'pale'} />
      ${told ? html`<${RateText} n=${rate.n} d=${rate.d} />` : html`<span class="nd">–/${rate.d}</span><b>–</b>`}</div>`)}
  </section>`;
}

/** @param {{summary: WallSummary}} props */
export function ResponsePanel({ summary }) {
  const rows = responseRows(summary.response, 3);
  /** @param {number} seconds */
  const minutes = (seconds) => String(Math.round(seconds / 6) / 10);
  return html`<section class="p response"><h2>${t('wall.response')}<small>${t('wall.response_note')}</small></h2>
    ${!rows.length && html`<p class="none">${t('wall.response_none')}</p>`}
    ${rows.map(({ stage, level, time }) => html`<div class="rs" key=${stage + level}><${LevelMark} level=${level} hollow size=${22} /><span>${t(`stage.${stage}`)}</span>
      <${LimitRow} median_s=${time.median_s} limit_s=${time.limit_s} />
      <b class=${time.median_s > time.limit_s ? 'inv' : ''}>${minutes(time.median_s)}<small>${t('wall.minutes_of', { time: '', limit: minutes(time.limit_s) })}</small></b></div>`)}
  </section>`;
}
