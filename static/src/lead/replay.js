// The tab of replay: one incident as it went, on the map, with a slider. What is shown is the past and says so.
import { call } from '../api.js';
import { has, t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { clockText, distanceText } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';
import { KindMark, LevelMark } from '../ui/shapes.js';
import { eventAt, lengthOfWay, placeAt, wayTo } from './replay-time.js';
import { set, ui } from './state.js';

/** @import {Replay} from '../../types/lead.d.ts' */
/** @import {ReplayMap} from './replay-map.js' */

const SPEEDS = [1, 10, 30, 60];
const MOST = 200;
const STEP_S = 10;

/** The whole of it in half a minute or so, at a speed one can choose. @param {number} length_s */
const speedFor = (length_s) => SPEEDS.find((speed) => length_s / speed <= 40) ?? SPEEDS[SPEEDS.length - 1];

/** @param {string} type */
const eventWord = (type) => (has(`console.event.${type}`) ? t(`console.event.${type}`) : type);

/** Hours with days where it took so long. @param {string} at */
const moment = (at) => timeOfDay(at, { seconds: true });

function IncidentList() {
  const [items, setItems] = useState(/** @type {any[] | null} */ (null));
  const [query, setQuery] = useState('');
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const params = new URLSearchParams({ limit: String(MOST) });
    if (ui.chosen) params.set('area', ui.chosen);
    if (query.trim()) params.set('q', query.trim());
    const wait = window.setTimeout(async () => {
      try {
        setItems((await call('GET', `/incidents?${params}`)).items);
        setError(null);
      } catch (failure) {
        setError(failure);
      }
    }, query ? 250 : 0);
    return () => window.clearTimeout(wait);
  }, [query, ui.chosen]);
  useEffect(() => {
    // Something that has gone somewhere is worth a look without asking.
    const first = items?.find((item) => item.arrived_at) ?? items?.find((item) => item.assignments.length);
    if (!ui.replayOf && first) set({ replayOf: first.id });
  }, [items]);
  return html`<section class="panel replay-list" aria-label=${t('lead.replay.incidents')}><header><h2>${t('lead.replay.incidents')}</h2><input type="search" placeholder=${t('lead.replay.search')} value=${query} onInput=${(/** @type {any} */ event) => setQuery(event.target.value)} data-testid="replay-search" /></header>
    ${error && html`<p class="refused" role="alert">${refusal(error)}</p>`}
    <ul class="list">${(items ?? []).map((item) => html`<li key=${item.id}><button class=${item.id === ui.replayOf ? 'on' : ''} aria-pressed=${item.id === ui.replayOf} onClick=${() => set({ replayOf: item.id })} data-testid=${`replay-${item.code}`}><${LevelMark} level=${item.level} hollow size=${16} /><span class="two"><b>${item.title}</b><small>${item.code} · ${dayOf(item.reported_at)} ${timeOfDay(item.reported_at)}</small></span><em>${t(`state.${item.state}`)}</em></button></li>`)}</ul>
    ${items?.length === 0 && html`<p class="empty">${t('lead.replay.none')}</p>`}</section>`;
}

/** @param {{replay: Replay, at: number, onSeek: (at: number) => void}} props */
function Timeline({ replay, at, onSeek }) {
  const now = eventAt(replay, at);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    box.current?.querySelector('.now')?.scrollIntoView({ block: 'nearest' });
  }, [now]);
  const start = Date.parse(replay.start);
  return html`<section class="panel replay-events" aria-label=${t('lead.replay.events')}><header><h2>${t('lead.replay.events')}</h2><small>${replay.over ? '' : t('lead.replay.running')}</small></header>
    <ol ref=${box}>${replay.events.map((event, n) => html`<li key=${n} class=${n === now ? 'now' : n < now ? 'past' : 'next'}><button onClick=${() => onSeek((Date.parse(event.at) - start) / 1000)}><b>${moment(event.at)}</b><span>${eventWord(event.type)}${event.unit ? ` · ${event.unit}` : ''}<small>${[event.by, event.note].filter(Boolean).join('：')}</small></span></button></li>`)}</ol>
    <h3>${t('lead.replay.units')}</h3>
    <ul class="replay-units">${replay.units.map((unit) => {
      const place = placeAt(unit.points, at);
      return html`<li key=${unit.assignment_id}><${KindMark} kind=${unit.kind} size=${16} /><b>${unit.name}</b><span>${t(`kind.${unit.kind}`)}</span><em>${
        unit.points.length === 0 ? t('lead.replay.no_track') : !place ? t('lead.replay.not_yet') : place.silent ? t('lead.replay.silent') : distanceText(lengthOfWay(wayTo(unit.points, at)))
      }</em></li>`;
    })}${replay.units.length === 0 && html`<li class="empty">${t('lead.replay.nobody')}</li>`}</ul></section>`;
}

export function ReplayTab() {
  const [replay, setReplay] = useState(/** @type {Replay | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(10);
  const [map, setMap] = useState(/** @type {ReplayMap | null} */ (null));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const length = replay ? Math.max(1, (Date.parse(replay.end) - Date.parse(replay.start)) / 1000) : 1;
  useEffect(() => {
    /** @type {ReplayMap | null} */
    let opened = null;
    let left = false;
    void (async () => {
      const { ReplayMap } = await import('./replay-map.js');
      if (left || !box.current) return;
      opened = await ReplayMap.open(box.current, ui.district, ui.outlines);
      if (left) opened.remove();
      else setMap(opened);
    })().catch(setError);
    return () => {
      left = true;
      opened?.remove();
    };
  }, []);
  useEffect(() => {
    const wanted = ui.replayOf;
    setReplay(null);
    setPlaying(false);
    if (!wanted) return;
    call('GET', `/incidents/${encodeURIComponent(wanted)}/replay`).then(
      (found) => {
        if (ui.replayOf !== wanted) return;
        setError(null);
        setReplay(found);
        setAt(0);
        setSpeed(speedFor((Date.parse(found.end) - Date.parse(found.start)) / 1000));
      },
      (failure) => ui.replayOf === wanted && setError(failure),
    );
  }, [ui.replayOf]);
  useEffect(() => {
    if (map && replay) map.load(replay);
  }, [map, replay]);
  useEffect(() => {
    if (map && replay) map.show(replay, at);
  }, [map, replay, at]);
  useEffect(() => {
    if (!playing) return undefined;
    let before = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      const gone = ((now - before) / 1000) * speed;
      before = now;
      setAt((old) => {
        const next = Math.min(length, old + gone);
        if (next >= length) setPlaying(false);
        return next;
      });
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, length]);
  const seek = (/** @type {number} */ to) => setAt(Math.max(0, Math.min(length, to)));
  const play = () => {
    if (!playing && at >= length) setAt(0);
    setPlaying(!playing);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== 'range') return;
    if (event.key === ' ') play();
    else if (event.key === 'ArrowLeft') seek(at - STEP_S);
    else if (event.key === 'ArrowRight') seek(at + STEP_S);
    else return;
    event.preventDefault();
  };
  const when = replay ? Date.parse(replay.start) + at * 1000 : null;
  const start = replay ? Date.parse(replay.start) : 0;
  return html`<div class="replay" onKeyDown=${key}><${IncidentList} />
    <section class="panel replay-stage" aria-label=${t('lead.tab.replay')}>
      <p class="replay-banner" role="status" data-testid="replay-banner"><b>${t('lead.replay.banner')}</b>${replay && when !== null ? html`<span>${dayOf(when)} ${timeOfDay(when, { seconds: true })}</span><span class="name">${replay.incident.code} ${replay.incident.title}</span>` : ''}<em>${t('lead.replay.not_live')}</em></p>
      <div class="replay-map"><div class="map" ref=${box} data-testid="replay-map"></div>${error && html`<p class="refused" role="alert">${refusal(error)}</p>`}</div>
      <div class="replay-bar"><button class="btn primary" disabled=${!replay} aria-pressed=${playing} onClick=${play} data-testid="replay-play">${t(playing ? 'lead.replay.pause' : 'lead.replay.play')}</button>
        <div class="seg boxed" role="group" aria-label=${t('lead.replay.speed')}>${SPEEDS.map((one) => html`<button key=${one} class=${one === speed ? 'on' : ''} aria-pressed=${one === speed} onClick=${() => setSpeed(one)}>${one}×</button>`)}</div>
        <span class="slide"><span class="ticks">${replay ? replay.events.map((event, n) => html`<i key=${n} class=${event.type.startsWith('assignment.on_scene') ? 'there' : ''} style=${`left:${((Date.parse(event.at) - start) / 1000 / length) * 100}%`} title=${`${moment(event.at)} ${eventWord(event.type)}`}></i>`) : ''}</span>
          <input type="range" min="0" max=${length} step="any" value=${at} disabled=${!replay} aria-label=${t('lead.replay.when')} onInput=${(/** @type {any} */ event) => seek(Number(event.target.value))} data-testid="replay-slider" /></span>
        <em>${clockText(at)} / ${clockText(length)}</em></div>
    </section>
    ${replay ? html`<${Timeline} replay=${replay} at=${at} onSeek=${seek} />` : html`<section class="panel replay-events"><p class="empty">${ui.replayOf && !error ? t('lead.reading') : t('lead.replay.choose')}</p></section>`}</div>`;
}
