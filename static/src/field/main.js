// The field page: ties the feed, the outbox, the duty and the screens together.

import { ApiError, call, goToSignIn, signOut } from '../api.js';
import { renewBasemap } from '../basemap.js';
import { messagesOf } from '../board.js';
import { connectFeed } from '../feed.js';
import { has, language, setLanguage, t } from '../i18n.js';
import { metresBetween } from '../map/sphere.js';
import { html, render } from '../ui/h.js';
import * as actions from './actions.js';
import { alertWhile, allowSound, buzz } from './alert.js';
import { Duty } from './duty.js';
import { FieldMap } from './field_map.js';
import { jobOf, needsAnswer, ownPart } from './job.js';
import { forget, keepBoard, keepPage, readKeptBoard, whoAmI } from './kept.js';
import { nearClosure, nextTurn, progressAlong, secondsLeft } from './navigation.js';
import { Outbox } from './outbox.js';
import { openStore, sendEntry } from './outbox_store.js';
import { shrinkPhoto } from './photo.js';
import { App } from './view.js';

/** @import {Board, Closure, EtaItem, Responder, Route, RouteStep, Session} from '../../types/wire.d.ts' */
/** @import {Feed} from '../feed.js' */
/** @import {Job} from './job.js' */
/** @import {Entry} from './outbox.js' */

/**
 * @typedef {object} Model everything the screens read
 * @property {Session} session
 * @property {Board} board
 * @property {Responder | null} responder
 * @property {Job | null} job
 * @property {Duty} duty
 * @property {string} feedState
 * @property {number | null} offlineS
 * @property {readonly Entry[]} entries
 * @property {Entry[]} waiting without receipts and positions
 * @property {Map<string, EtaItem>} etas
 * @property {Route | null} route
 * @property {{step: RouteStep, in_m: number} | null} turn
 * @property {number | null} etaS
 * @property {number | null} leftM
 * @property {string | null} etaMethod
 * @property {string | null} safety
 * @property {Closure | null} closed the closed road nearest to me or my way, if it is near
 * @property {number} unread
 * @property {string | null} sheet
 * @property {string | null} flash
 * @property {boolean} helpArmed
 * @property {HTMLElement} mapElement
 * @property {() => void} mapResized
 * @property {boolean} mapTouched
 * @property {FieldMap['base'] | null} base what lies under the map
 * @property {number} now our clock, epoch ms
 * @property {number} serverNow server clock, epoch ms
 */

const SHOW_OFFLINE_AFTER_MS = 3_000;
const ROUTE_EVERY_MS = 30_000;
const OFF_ROUTE_M = 60;
const FLASH_MS = 4_000;
const HELP_ARMED_MS = 3_000;

const root = /** @type {HTMLElement} */ (document.getElementById('field'));

class FieldPage {
  /** @type {string | null} */ #sheet = null;
  /** @type {string | null} */ #flash = null;
  /** @type {number | undefined} */ #flashTimer;
  #helpArmed = false;
  /** @type {Route | null} */ #route = null;
  #routeFor = '';
  #routeAt = -Infinity;
  #routing = false;
  /** @type {FieldMap | null} */ #map = null;
  #mapElement = document.createElement('div');
  /** Epoch ms since when the feed is not live. @type {number | null} */ #downSince = Date.now();
  #drawn = false;
  #keptBoard;

  /** @param {Session} found @param {Outbox} outbox */
  constructor(found, outbox) {
    this.session = found;
    this.outbox = outbox;
    this.me = found.user.responder_id;
    this.duty = new Duty(outbox, () => this.draw(), () => this.feed?.serverOffsetMs ?? 0);
    this.#keptBoard = readKeptBoard(found.user.id);
    /** @type {Feed} */
    this.feed = connectFeed({ page: 'field', topics: ['incidents', 'responders', 'messages'] });
    this.act = this.#makeActions();
    this.#mapElement.className = 'map';
    outbox.subscribe(() => this.draw());
    this.feed.subscribe((changes) => {
      if (changes.state && this.feed.state === 'live') {
        void outbox.flush();
        if (this.#map?.broken) void this.#openMap();
      }
      if (changes.board && this.me) keepBoard(found.user.id, ownPart(this.board, this.me));
      if (changes.board || changes.state || changes.etas) this.#follow();
    });
    this.feed.onEvent((frame) => {
      if (frame.type === 'message.sent') buzz();
      if (frame.type.startsWith('closure.')) this.#routeAt = -Infinity; // the way may lead elsewhere now
    });
    window.setInterval(() => this.#tick(), 1000);
    addEventListener('online', () => void outbox.flush());
    this.#follow();
    void this.#openMap();
  }

  async #openMap() {
    if (this.#map) {
      this.#map.remove();
      this.#map = null;
      renewBasemap();
    }
    try {
      this.#map = await FieldMap.open(this.#mapElement, this.session.district, this.session.user.id, () => this.draw());
      this.#map.onMoved(() => this.draw());
    } catch (error) {
      console.error(error); // without WebGL the page still dispatches; the line of text says where to go
    }
    this.draw();
  }

  /** The board; before the first snapshot what this phone saw last of its own work. */
  get board() {
    return this.feed.seq === null ? this.#keptBoard : this.feed.board;
  }

  get responder() {
    return (this.me && this.board.responders[this.me]) || null;
  }

  get job() {
    return this.me ? jobOf(this.board, this.me, this.outbox.entries) : null;
  }

  /** What must happen by itself when the board changed. */
  #follow() {
    const { job } = this;
    this.duty.set(Boolean(this.responder?.on_duty));
    if (job && job.assignment.state === 'dispatched') void actions.command(this.outbox, job.assignment, 'deliver');
    for (const message of this.#incoming()) {
      if (!message.receipts[/** @type {string} */ (this.me)]?.delivered_at) void actions.acknowledge(this.outbox, message, 'delivered');
    }
    this.draw();
  }

  /** Messages to me. */
  #incoming() {
    return this.me ? messagesOf(this.board, this.me).filter((item) => item.to.includes(/** @type {string} */ (this.me))) : [];
  }

  #tick() {
    this.duty.tick();
    void this.outbox.tick();
    void this.#findRoute();
    this.draw();
  }

  async #findRoute() {
    const { job } = this;
    const here = this.duty.position;
    if (!job || !here || job.state === 'on_scene') {
      if (!job) this.#route = null;
      return;
    }
    const { incident } = job;
    const off = this.#route ? (progressAlong(this.#route.coordinates, [here.lon, here.lat])?.off_m ?? Infinity) : Infinity;
    const another = this.#routeAt === -Infinity || this.#routeFor !== `${incident.id} ${incident.lon} ${incident.lat}`;
    const pause = Date.now() - this.#routeAt;
    if (this.#routing || pause < 3_000 || (!another && off < OFF_ROUTE_M && pause < ROUTE_EVERY_MS)) return;
    this.#routing = true;
    this.#routeAt = Date.now();
    const query = new URLSearchParams({
      from_lon: String(here.lon), from_lat: String(here.lat), to_lon: String(incident.lon), to_lat: String(incident.lat),
      profile: this.responder?.profile ?? 'motorcycle',
    });
    try {
      /** @type {Route} */
      const found = await call('GET', `/route?${query}`, undefined, { redirect: false });
      // Where no road leads the line is straight, and says so by its method.
      this.#route = { ...found, coordinates: found.coordinates ?? [[here.lon, here.lat], [incident.lon, incident.lat]] };
      this.#routeFor = `${incident.id} ${incident.lon} ${incident.lat}`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the last route stays; without one the straight line is told
    } finally {
      this.#routing = false;
    }
  }

  /** @returns {Model} */
  #model() {
    const now = Date.now();
    const { job, feed } = this;
    if (feed.state === 'live') this.#downSince = null;
    else this.#downSince ??= feed.lastMessageAt ?? now;
    const down = this.#downSince === null ? 0 : now - this.#downSince;
    const here = this.duty.position;
    const route = job && this.#routeFor.startsWith(job.incident.id) ? this.#route : null;
    const progress = route && here ? progressAlong(route.coordinates, [here.lon, here.lat]) : null;
    const onLine = progress && progress.off_m < OFF_ROUTE_M * 2;
    const eta = job ? feed.etas.get(job.assignment.id) : undefined;
    const straightM = job && here ? metresBetween([here.lon, here.lat], [job.incident.lon, job.incident.lat]) : null;
    const told = job?.assignment.eta_at_dispatch_s ?? null;
    const safetyKey = job ? `field.safety.${job.incident.category}` : '';
    return {
      session: this.session,
      board: this.board,
      responder: this.responder,
      job,
      duty: this.duty,
      feedState: feed.state,
      offlineS: down > SHOW_OFFLINE_AFTER_MS ? down / 1000 : null,
      entries: this.outbox.entries,
      waiting: this.outbox.waiting.filter((entry) => entry.kind !== 'receipt' && now - entry.createdAt > 1_500),
      etas: feed.etas,
      route,
      turn: route && here && onLine ? nextTurn(route, [here.lon, here.lat]) : null,
      etaS: route && progress && onLine ? secondsLeft(route, progress) : (eta?.eta_s ?? told),
      leftM: progress && onLine ? progress.left_m : (eta?.distance_m ?? straightM),
      etaMethod: route?.eta_method ?? eta?.eta_method ?? null,
      safety: job && has(safetyKey) ? t(safetyKey) : null,
      closed: nearClosure(Object.values(this.board.closures ?? {}), here && [here.lon, here.lat], job && progress ? progress.ahead : []),
      unread: this.#incoming().filter((item) => !item.receipts[this.me ?? '']?.read_at).length,
      sheet: this.#sheet,
      flash: this.#flash,
      helpArmed: this.#helpArmed,
      mapElement: this.#mapElement,
      mapResized: () => this.#map?.resize(),
      mapTouched: this.#map?.touched ?? false,
      base: this.#map?.base ?? null,
      now,
      serverNow: now + feed.serverOffsetMs,
    };
  }

  /** Draw soon; many wishes in one frame are one drawing. */
  draw() {
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => {
      this.#drawn = false;
      const model = this.#model();
      render(html`<${App} model=${model} act=${this.act} />`, root);
      const here = this.duty.position;
      const progress = model.route && here ? progressAlong(model.route.coordinates, [here.lon, here.lat]) : null;
      this.#map?.show({
        me: here,
        incident: model.job?.incident ?? null,
        line: progress && model.job?.state !== 'on_scene' ? progress.ahead : null,
        closures: this.board.closures ?? {},
        nowMs: model.serverNow,
        revision: this.board.geography?.district?.revision ?? 0,
        close: model.job?.state === 'en_route' && (model.turn?.in_m ?? Infinity) < 200,
      });
      alertWhile(model.job !== null && needsAnswer(model.job));
    });
  }

  /** @param {string} text */
  say(text) {
    this.#flash = text;
    window.clearTimeout(this.#flashTimer);
    this.#flashTimer = window.setTimeout(() => {
      this.#flash = null;
      this.draw();
    }, FLASH_MS);
    this.draw();
  }

  #makeActions() {
    const { outbox } = this;
    /** @param {(job: Job) => unknown} fn */
    const withJob = (fn) => {
      const { job } = this;
      if (job) fn(job);
      this.draw();
    };
    const close = () => {
      this.#sheet = null;
      this.draw();
    };
    return {
      touched: allowSound,
      close,
      say: (/** @type {string} */ text) => this.say(text),
      open: (/** @type {string} */ sheet) => {
        this.#sheet = sheet;
        this.draw();
      },
      dismiss: (/** @type {string} */ key) => void outbox.dismiss(key),
      chooseBase: () => {
        const next = this.#map?.base.next;
        if (next) this.#map?.chooseBase(next);
      },
      recentre: () => {
        this.#map?.recentre();
        this.draw();
      },
      shift: (/** @type {boolean} */ on) => {
        if (this.me) void actions.shift(outbox, this.me, on);
        close();
      },
      accept: () => withJob((job) => actions.acceptAndGo(outbox, job.assignment)),
      step: (/** @type {'en_route' | 'on_scene'} */ step) => withJob((job) => actions.command(outbox, job.assignment, step)),
      notYet: () => withJob((job) => actions.notYet(outbox, job.assignment)),
      decline: (/** @type {string} */ reason) => {
        withJob((job) => actions.command(outbox, job.assignment, 'decline', { reason }));
        close();
      },
      finish: (/** @type {string} */ feedback, /** @type {{name: string, blob: Blob}[]} */ photos) => {
        withJob(async (job) => {
          for (const file of photos) await actions.photo(outbox, job.incident, file);
          await actions.command(outbox, job.assignment, 'finish', { feedback });
        });
        close();
      },
      photo: async (/** @type {any} */ event) => {
        const { job } = this;
        const file = event.target.files?.[0];
        event.target.value = '';
        if (!job || !file) return;
        try {
          await actions.photo(outbox, job.incident, await shrinkPhoto(file));
        } catch {
          this.say(t('field.photo_failed'));
        }
      },
      report: (/** @type {{title: string, description: string, category: string, lon: number, lat: number}} */ report, /** @type {{name: string, blob: Blob}[]} */ photos) => {
        const source = this.responder?.kind === 'police' ? 'police' : 'grid_worker';
        void actions.reportIncident(outbox, { ...report, source }, report.title, photos);
        close();
        this.say(t('field.report_kept'));
      },
      reply: (/** @type {string} */ body) => void actions.reply(outbox, body, this.job?.incident.id ?? null),
      readMessages: () => {
        for (const message of this.#incoming()) {
          if (!message.receipts[this.me ?? '']?.read_at) void actions.acknowledge(outbox, message, 'read');
        }
      },
      askHelp: () => {
        if (this.#helpArmed) {
          this.#helpArmed = false;
          withJob((job) => actions.reply(outbox, t('field.ask_help_body', { title: job.incident.title }), job.incident.id));
          this.say(t('field.ask_help_sent'));
          return;
        }
        this.#helpArmed = true;
        window.setTimeout(() => {
          this.#helpArmed = false;
          this.draw();
        }, HELP_ARMED_MS);
        this.draw();
      },
      callCentre: () => {
        // The wish to be called travels through the outbox like all else, so it also leaves a dead spot.
        const { job } = this;
        void actions.reply(outbox, t('field.call_me'), job?.incident.id ?? null);
        if (this.me) {
          call('POST', '/calls', { responder_id: this.me, ...(job ? { incident_id: job.incident.id } : {}) }, { redirect: false })
            .catch(() => {}); // only the log of calls; the message above is what reaches the centre
        }
        this.#sheet = 'call';
        this.draw();
      },
      switchLanguage: () => {
        setLanguage(language() === 'en' ? 'zh-CN' : 'en');
        close();
      },
      signOut: async () => {
        forget();
        try {
          await signOut();
        } catch {
          goToSignIn();
        }
      },
    };
  }
}

/** @typedef {FieldPage['act']} Do */

async function start() {
  let found;
  try {
    found = await whoAmI();
  } catch (error) {
    const words = error instanceof ApiError && error.unreachable ? t('error.unreachable') : t('field.loading');
    render(html`<p class="boot">${words}</p>`, root);
    if (error instanceof ApiError && error.unreachable) window.setTimeout(start, 3000);
    return;
  }
  if (!found.user.responder_id) {
    render(html`<p class="boot">${t('field.no_responder')}</p>`, root);
    return;
  }
  render(null, root);
  const outbox = new Outbox({ store: await openStore(found.user.id), send: sendEntry });
  await outbox.open();
  new FieldPage(found, outbox);
}

keepPage();
void start();
