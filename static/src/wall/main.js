// The wall: nobody touches it. It starts before the server does, outlives its restarts, and says when it is behind.

import { ApiError, call, goToSignIn, session } from '../api.js';
import { renewBasemap } from '../basemap.js';
import { connectFeed } from '../feed.js';
import { t } from '../i18n.js';
import { html, render } from '../ui/h.js';
import { setClock } from '../video/clock.js';
import { CameraShow } from './camera-show.js';
import { MINUTES as COVER_MINUTES, classesByGrid } from './coverage.js';
import { openAlarms, tickOf, ticksOfBoard, withTick } from './figures.js';
import { choiceOf, choiceOfKey, themeAt } from './themes.js';
import { Wall } from './view.js';
import { WallMap } from './wall_map.js';

/** @import {Session, WallSummary} from '../../types/wire.d.ts' */
/** @import {Feed} from '../feed.js' */
/** @import {Tick} from './figures.js' */

const STAGE = { width: 1920, height: 1080 };
/** The open window of the stage that the map fills, stage px. */
const MAP = { left: 480, top: 76, width: 960, height: 734 };
const RETRY_MS = 3_000;
const SUMMARY_EVERY_MS = 15_000;
const SUMMARY_AFTER_EVENT_MS = 2_000;
const SESSION_RETRY_MS = 15_000;
const BASEMAP_RETRY_MS = 60_000;
const PLACES = 3;
const COVER_EVERY_MS = 30_000;
const CHOICE = 'yiping.wall.theme';

const root = /** @type {HTMLElement} */ (document.getElementById('stage'));
const mapBox = /** @type {HTMLElement} */ (document.getElementById('map'));

/** Fit the stage into the window, centred; the map gets its place in real pixels. @returns {number} scale */
function place() {
  const scale = Math.min(innerWidth / STAGE.width, innerHeight / STAGE.height);
  const left = (innerWidth - STAGE.width * scale) / 2;
  const top = (innerHeight - STAGE.height * scale) / 2;
  root.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
  Object.assign(mapBox.style, {
    left: `${left + MAP.left * scale}px`, top: `${top + MAP.top * scale}px`,
    width: `${MAP.width * scale}px`, height: `${MAP.height * scale}px`,
  });
  return scale;
}

/** What was chosen on this screen before; storage may be blocked. */
function kept() {
  try {
    return choiceOf(localStorage.getItem(CHOICE));
  } catch {
    return null;
  }
}

class WallPage {
  /** @type {WallSummary | null} */ #summary = null;
  #summaryDue = 0;
  #asking = false;
  /** @type {Tick[]} */ #ticks = [];
  /** @type {WallMap | null} */ #map = null;
  #mapScale = 0;
  #opening = false;
  #retrySessionAt = 0;
  #renewAt = 0;
  /** @type {Map<string, string>} */ #areaNames = new Map();
  #wished = false;
  /** @type {import('../../types/lead.d.ts').Cover | null} */ #cover = null;
  /** @type {{classes: Map<string, number>, gaps: object} | null} */ #drawnCover = null;
  #coverDue = 0;
  /** @type {import('./themes.js').Choice} */ #choice = choiceOf(new URLSearchParams(location.search).get('theme')) ?? kept() ?? 'overview';

  /** @param {Session} found */
  constructor(found) {
    this.session = found;
    /** @type {Feed} */
    this.feed = connectFeed({ page: 'wall', topics: ['incidents', 'responders', 'cameras', 'telemetry'] });
    setClock(() => this.feed.serverNow());
    this.show = new CameraShow(this.feed);
    this.feed.subscribe((changes) => {
      if (changes.board && !this.#ticks.length) this.#ticks = ticksOfBoard(this.feed.board, PLACES);
      if (changes.board || changes.state || changes.etas) this.draw();
    });
    this.feed.onEvent((frame, after) => {
      const tick = tickOf(frame);
      if (tick) this.#ticks = withTick(this.#ticks, tick, PLACES);
      this.#summaryDue = Math.min(this.#summaryDue, Date.now() + SUMMARY_AFTER_EVENT_MS);
      const incident = frame.type === 'incident.reported' && tick ? after.incidents[tick.incidentId] : null;
      if (incident && (incident.level === 'I' || incident.level === 'II')) this.#map?.lookAt(incident);
    });
    addEventListener('resize', () => this.#fit());
    addEventListener('keydown', (event) => {
      const choice = choiceOfKey(event.key);
      if (choice) this.#choose(choice);
    });
    window.setInterval(() => this.#tick(), 1000);
    void this.#nameAreas();
    this.#fit();
    this.#tick();
  }

  #fit() {
    const scale = place();
    if (this.#map && Math.abs(scale / this.#mapScale - 1) > 0.05) {
      // Label sizes belong to the style: another size of wall is another map.
      this.#map.remove();
      this.#map = null;
    }
    if (this.#map) this.#map.resize(scale);
    else void this.#openMap(scale);
  }

  /** @param {number} scale */
  async #openMap(scale) {
    if (this.#opening) return;
    this.#opening = true;
    try {
      this.#map = await WallMap.open(mapBox, this.feed, this.session.district, scale);
      this.#mapScale = scale;
    } catch (error) {
      console.error(error);
      window.setTimeout(() => this.#fit(), SESSION_RETRY_MS);
    }
    this.#opening = false;
    this.draw();
  }

  async #nameAreas() {
    try {
      for (const tier of [2, 3]) {
        const { items } = await call('GET', `/areas?tier=${tier}`, undefined, { redirect: false });
        for (const item of items) this.#areaNames.set(item.code, item.name);
      }
      this.draw();
    } catch {
      window.setTimeout(() => void this.#nameAreas(), SESSION_RETRY_MS);
    }
  }

  /** @param {import('./themes.js').Choice} choice */
  #choose(choice) {
    this.#choice = choice;
    try {
      localStorage.setItem(CHOICE, choice);
    } catch {
      // see kept
    }
    this.#coverDue = 0;
    this.#tick();
  }

  get #theme() {
    return themeAt(this.#choice, this.feed.serverNow(), openAlarms(this.feed.board).count > 0);
  }

  async #askCover() {
    this.#coverDue = Date.now() + COVER_EVERY_MS;
    try {
      this.#cover = await call('GET', `/coverage?minutes=${COVER_MINUTES}`, undefined, { redirect: false });
      this.#drawnCover = this.#cover && { classes: classesByGrid(this.#cover), gaps: this.#cover.gaps };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the last figures stay, with their time on them
    }
    this.draw();
  }

  #tick() {
    const now = Date.now();
    if (this.#theme === 'coverage' && now >= this.#coverDue) void this.#askCover();
    if (now >= this.#summaryDue) void this.#askSummary();
    this.show.tick();
    // A wall whose session was ended is asked for again: its token may have been renewed on the server.
    if (this.feed.state === 'signed_out' && now >= this.#retrySessionAt) {
      this.#retrySessionAt = now + SESSION_RETRY_MS;
      session({ redirect: false }).then(() => this.feed.restart(), () => {});
    }
    if (this.#map?.fault && this.feed.state === 'live' && now >= this.#renewAt) {
      this.#renewAt = now + BASEMAP_RETRY_MS;
      this.#map.remove();
      this.#map = null;
      renewBasemap();
      this.#fit();
    }
    this.draw();
  }

  async #askSummary() {
    if (this.#asking) return;
    this.#asking = true;
    this.#summaryDue = Date.now() + SUMMARY_EVERY_MS;
    try {
      this.#summary = await call('GET', '/wall/summary', undefined, { redirect: false });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the last figures stay; the banner says how old all is
    } finally {
      this.#asking = false;
    }
  }

  draw() {
    if (this.#wished) return;
    this.#wished = true;
    requestAnimationFrame(() => {
      this.#wished = false;
      const { feed } = this;
      const now = Date.now();
      const serverNow = feed.serverNow();
      const stale = feed.state !== 'live' && feed.state !== 'connecting';
      const theme = this.#theme;
      render(html`<${Wall} scene=${{
        district: this.session.district, board: feed.board, etas: feed.etas, summary: this.#summary,
        ticks: this.#ticks, feedState: feed.state, fault: feed.fault,
        lastMessageAt: feed.lastMessageAt, now, serverNow, stale, areaNames: this.#areaNames,
        metresPerPixel: this.#map?.metresPerPixel ?? null, mapFault: this.#map?.fault ?? '', show: this.show,
        theme, choice: this.#choice, choose: (/** @type {import('./themes.js').Choice} */ choice) => this.#choose(choice), cover: this.#cover,
      }} />`, root);
      this.#map?.setCover(theme === 'coverage' ? this.#drawnCover : null);
      this.#map?.sync(feed.board, serverNow, !stale, this.show.pins());
    });
  }
}

async function start() {
  place();
  try {
    const found = await session({ redirect: false });
    render(null, root);
    new WallPage(found);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) goToSignIn();
    else {
      render(html`<p class="boot">${t('wall.boot')}</p>`, root);
      window.setTimeout(start, RETRY_MS);
    }
  }
}

void start();
