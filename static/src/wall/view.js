// The wall as one stage of 1920×1080: header, story line, panels left and right, tiles and ticker below. The map lies
// underneath, where the stage is open.

import { t } from '../i18n.js';
import { clock, dayOf, duration, timeOfDay, weekday } from '../time.js';
import { cutText } from '../ui/format.js';
import { html, useLayoutEffect, useRef } from '../ui/h.js';
import { LevelMark } from '../ui/shapes.js';
import { CoverPanels, coverStory } from './coverage.js';
import { openAlarms, story, urgentTiles } from './figures.js';
import { Legend } from './legend.js';
import { CameraPanel, DutyPanel, HoursPanel, ResponsePanel, StaffingPanel, TodayPanel, VillagePanel } from './panels.js';
import { THEMES } from './themes.js';

/** @import {Board, EtaItem, Incident, District, WallSummary} from '../../types/wire.d.ts' */
/** @import {CameraShow} from './camera-show.js' */
/** @import {Progress, Tick} from './figures.js' */
/** @import {Cover} from '../../types/lead.d.ts' */
/** @import {Choice, Theme} from './themes.js' */
/** @import {Slot} from './tour.js' */

/**
 * @typedef {object} Scene
 * @property {District} district
 * @property {Board} board
 * @property {Map<string, EtaItem>} etas
 * @property {WallSummary | null} summary
 * @property {Tick[]} ticks
 * @property {string} feedState
 * @property {string | null} fault
 * @property {number | null} lastMessageAt our clock, epoch ms
 * @property {number} now our clock, epoch ms
 * @property {number} serverNow epoch ms
 * @property {boolean} stale
 * @property {Map<string, string>} areaNames
 * @property {number | null} metresPerPixel
 * @property {string} mapFault
 * @property {CameraShow} show the cameras in the tiles
 * @property {Theme} theme
 * @property {Choice} choice what somebody chose; the theme may be another while there is an alarm, or take turns
 * @property {(choice: Choice) => void} choose
 * @property {Cover | null} cover read while the theme is coverage
 */

const TILES = 4;
const STORY_LENGTH = 13;

/** @param {{scene: Scene}} props */
export function Wall({ scene }) {
  const told = story(scene.board, scene.etas);
  const { slots } = scene.show;
  const cameras = slots.filter(Boolean).length;
  const tiles = urgentTiles(scene.board, scene.etas, scene.serverNow, TILES - cameras);
  let nth = 0;
  const { summary } = scene;
  return html`<div class=${scene.stale ? 'wall is-stale' : 'wall'}>
    <${Header} scene=${scene} />
    ${scene.theme === 'coverage' && scene.cover ? html`<p class="story">${coverStory(scene.cover)}</p>` : html`<${StoryLine} told=${told} scene=${scene} />`}
    ${scene.theme === 'coverage' && html`<${CoverPanels} scene=${scene} />`}
    ${summary && html`
      ${scene.theme === 'overview' && html`<${TodayPanel} summary=${summary} scene=${scene} />
      <${HoursPanel} summary=${summary} scene=${scene} />
      <${VillagePanel} summary=${summary} scene=${scene} />`}
      <${DutyPanel} summary=${summary} />
      <${StaffingPanel} summary=${summary} />
      <${CameraPanel} summary=${summary} />
      <${ResponsePanel} summary=${summary} />
    `}
    <${Legend} scene=${scene} />
    <div class="tiles">
      ${slots.map((slot, index) => {
        if (slot && scene.show.cell(index)) return html`<${CameraTile} key=${`camera${index}`} slot=${slot} index=${index} scene=${scene} />`;
        // A tile without a camera tells of the next urgent incident; numbers belong to cameras while there are any.
        const tile = tiles[nth] ?? null;
        nth += 1;
        return html`<${Tile} key=${`incident${index}`} number=${cameras ? null : index + 1} tile=${tile} scene=${scene} />`;
      })}
    </div>
    <${Ticker} scene=${scene} />
    <${StaleBar} scene=${scene} />
  </div>`;
}

/** @param {{scene: Scene}} props */
function Header({ scene }) {
  const { now, serverNow, lastMessageAt, feedState } = scene;
  const live = feedState === 'live';
  const drill = Object.values(scene.board.incidents).some((item) => item.exercise && item.state === 'handling');
  return html`<header>
    <h1>${t('wall.title', { district: scene.district.name })}</h1>
    <nav>${THEMES.map((theme) => html`<button key=${theme} class=${theme === scene.theme ? 'on' : ''} aria-pressed=${theme === scene.theme} onClick=${() => scene.choose(theme)} data-testid=${`theme-${theme}`}>${t(`wall.theme.${theme}`)}</button>`)}${scene.choice === 'rotate' && html`<small>${t('wall.theme.rotate')}</small>`}${drill && html`<b class="inv">${t('wall.exercise')}</b>`}</nav>
    <div class="cn">
      <svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true"><path class=${live ? 'sound' : 'broken'} d=${live ? 'M2 8l4 5 8-10' : 'M3 3l10 10M13 3 3 13'} /></svg>
      <p>${live ? t('feed.live') : t('wall.reconnecting')}
      <small>${lastMessageAt === null ? t('wall.data_none') : t('wall.data_age', { time: duration(Math.max(0, (now - lastMessageAt) / 1000)) })}</small></p>
    </div>
    <div class="ck"><b>${timeOfDay(serverNow, { seconds: true })}</b><p>${dayOf(serverNow)}<small>${weekday(serverNow)}</small></p></div>
  </header>`;
}

/** @param {{scene: Scene}} props */
function StaleBar({ scene }) {
  const { feedState, lastMessageAt, now, fault } = scene;
  if (feedState === 'signed_out' || feedState === 'forbidden') return html`<div class="stale-bar" role="alert">${t('wall.signed_out')}</div>`;
  if (fault) return html`<div class="stale-bar" role="alert">${t('feed.fault')}</div>`;
  if (!scene.stale) return null;
  const words = lastMessageAt === null
    ? t('wall.stale_never')
    : t('wall.stale', { at: timeOfDay(lastMessageAt + (scene.serverNow - now), { seconds: true }), time: duration((now - lastMessageAt) / 1000) });
  return html`<div class="stale-bar" role="alert">${words}</div>`;
}

/**
 * How far help has come, in words.
 * @param {Progress} progress
 */
function stepWords(progress) {
  if (progress.step === 'asked') return t('wall.step.asked', { n: progress.people.length });
  if (progress.step === 'en_route' && progress.eta_s !== null) return t('wall.step.en_route_eta', { time: duration(progress.eta_s) });
  return t(`wall.step.${progress.step}`);
}

/**
 * Where, as a wall says it: the township, else the address.
 * @param {Incident} incident @param {Scene} scene
 */
const placeOf = (incident, scene) =>
  (incident.village && scene.areaNames.get(incident.village)) ||
  (incident.township && scene.areaNames.get(incident.township)) || incident.address || '';

/** @param {{told: ReturnType<typeof story>, scene: Scene}} props */
function StoryLine({ told, scene }) {
  const { top, progress } = told;
  if (!top || !progress) return html`<p class="story">${t('wall.story.none')}</p>`;
  return html`<p class="story">${t('wall.story.open', { n: told.open })}${t('wall.story.comma')}<b class=${`lv${top.level}`}>${top.exercise && `${t('wall.exercise')} `}${t('wall.story.level', { level: t(`level.${top.level}`), n: told.sameLevel })}</b>${t('wall.story.colon')}${placeOf(top, scene)}${cutText(top.title, STORY_LENGTH)}${t('wall.story.comma')}${stepWords(progress)}</p>`;
}

/** A place for a picture that keeps its own elements. @param {{slot: Slot, index: number, scene: Scene}} props */
function CameraTile({ slot, index, scene }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const camera = scene.board.cameras[slot.id];
  const cell = scene.show.cell(index);
  useLayoutEffect(() => {
    if (!cell || !camera) return;
    if (cell.element.parentElement !== box.current) box.current?.replaceChildren(cell.element);
    const incident = (slot.pinned && scene.board.incidents[slot.pinned.incidentId]) || null;
    const township = camera.grid ? scene.areaNames.get(`${camera.grid.slice(0, 9)}000`) : '';
    cell.show({ slot, camera, number: index + 1, place: township ?? '', incident });
  });
  return html`<div class="cam-box" ref=${box}></div>`;
}

/** @param {{number: number | null, tile: ReturnType<typeof urgentTiles>[number] | null, scene: Scene}} props */
function Tile({ number, tile, scene }) {
  if (!tile) return html`<section class="v empty"><p>${t('wall.tile.none')}</p></section>`;
  const { incident, progress, clock: running, age_s } = tile;
  const attended = progress.step !== 'waiting';
  const steps = ['waiting', 'asked', 'signed', 'en_route', 'on_scene'];
  const reached = progress.step === 'handled' ? steps.length : Math.max(0, steps.indexOf(progress.step));
  return html`<section class=${`v lv${incident.level}`}>
    <header>
      <${LevelMark} level=${incident.level} hollow=${attended} size=${34} />
      <div><h3>${incident.exercise && html`<b class="inv">${t('wall.exercise')}</b> `}${incident.title}</h3>
      <p>${placeOf(incident, scene)}　${t(`state.${incident.state}`)}${running && !scene.stale && html`　${t('wall.tile.age', { time: duration(age_s) })}`}</p></div>
      ${number && html`<i class="nb">${number}</i>`}
    </header>
    <div class="clock">
      ${running && !scene.stale
        ? html`<small>${t(running.over ? 'wall.tile.over' : 'wall.tile.left', { stage: t(`stage.${running.stage}`) })}</small>
            <b class=${running.over ? 'inv' : running.used >= 0.8 ? 'warn' : ''}>${clock(running.left_s)}</b>
            <div class="track"><i style=${{ width: `${Math.min(100, running.used * 100)}%` }} class=${running.over ? 'late' : running.used >= 0.8 ? 'warn' : ''}></i></div>`
        : !scene.stale && html`<small>${t('wall.tile.since')}</small><b>${clock(age_s)}</b>`}
    </div>
    <ol class="way">${steps.map((step, index) => html`<li key=${step} class=${index <= reached ? 'done' : ''}></li>`)}<span>${stepWords(progress)}</span></ol>
    <ul class="who">
      ${!progress.people.length && html`<li class="t2">${t('wall.tile.nobody')}</li>`}
      ${progress.people.slice(0, 2).map(({ assignment, responder, eta_s }) => html`<li key=${assignment.id}>
        <span>${responder ? `${t(`kind.${responder.kind}`)} ${responder.name}` : ''}</span>
        <b>${eta_s === null || scene.stale ? t(`assignment.${assignment.state}`) : t('wall.tile.eta', { time: duration(eta_s, { fine: true }) })}</b></li>`)}
      ${progress.people.length > 2 && html`<li class="t2">${t('wall.tile.more', { n: progress.people.length - 2 })}</li>`}
    </ul>
  </section>`;
}

/** @param {{scene: Scene}} props */
function Ticker({ scene }) {
  const { first, count } = openAlarms(scene.board);
  const age = first ? (scene.serverNow - Date.parse(first.reported_at)) / 1000 : 0;
  return html`<div class="tk">
    ${first
      ? html`<div class=${`un lv${first.level}`}><div class=${scene.stale ? '' : 'flash unack'}><${LevelMark} level=${first.level} size=${24} />
          ${t(`level.${first.level}`)}<span>${placeOf(first, scene)} ${first.title}</span>${!scene.stale && html`<b>${t('wall.alarm', { time: duration(age) })}</b>`}${count > 1 && html`<b>${t('wall.alarm_more', { n: count - 1 })}</b>`}</div></div>`
      : html`<div class="t2">${t('wall.no_alarm')}</div>`}
    ${[0, 1, 2].map((index) => html`<${TickPlace} key=${index} tick=${scene.ticks[index] ?? null} scene=${scene} />`)}
  </div>`;
}

/** @param {{tick: Tick | null, scene: Scene}} props */
function TickPlace({ tick, scene }) {
  const incident = tick && scene.board.incidents[tick.incidentId];
  if (!tick || !incident) return html`<div class="t2">${tick ? '' : t('wall.tick.empty')}</div>`;
  const key = tick.what === 'escalated' ? 'wall.tick.escalated' : tick.what === 'signed' || tick.what === 'en_route' || tick.what === 'on_scene' ? `assignment.${tick.what}` : `state.${tick.what}`;
  return html`<div><${LevelMark} level=${incident.level} hollow size=${20} /> ${timeOfDay(tick.at)} ${placeOf(incident, scene)} ${incident.title} <span class="t2">${t(key)}</span></div>`;
}
