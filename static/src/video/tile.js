// One camera's tile: the picture, its number, its age, its name, its state in a shape and in words, and what one can do.
//
// A tile is made of plain elements and follows the shared beat, so that sixteen of them cost a page nothing between
// pictures. `createTile` gives the element; `VideoTile` is the same for Preact pages.
import { t } from '../i18n.js';
import { html, useEffect, useRef } from '../ui/h.js';
import { momentOf, nowMs, onBeat } from './clock.js';
import { AFTER_S, BEFORE_S, keepClip, orderPtz, refusalOf } from './commands.js';
import { element, say, stateMark } from './dom.js';
import { Player } from './player.js';
import { PtzHandles } from './ptz-handles.js';
import { NO_STREAM, NO_VIEW, shownState } from './shown.js';
import { download, snapshotOf } from './snapshot.js';
import { TileButtons } from './tile-buttons.js';
import { mayHaveStill, snapshotStill, thumbnail } from './thumbnail.js';
import { ageWords, faultWords, noViewWords, timeOfAge } from './words.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {Shown} from './shown.js' */
/** @import {Still} from './thumbnail.js' */

/**
 * @typedef {Pick<Camera, 'id' | 'name'> & Partial<Camera>} TileCamera
 *
 * @typedef {object} TileOptions
 * @property {TileCamera} camera id, name and, where known, status, fault and ptz as on the board
 * @property {'watch' | 'incident' | 'tour'} [purpose] why it is watched; steering is told by the tile itself
 * @property {string | null} [incidentId]
 * @property {string} [note] a few words beside the name, such as the distance
 * @property {number | null} [number] badge, the same as on the map
 * @property {boolean} [live] false: only the last still picture, nothing is opened
 * @property {boolean} [big] more room: the whole picture instead of a crop, larger words
 * @property {boolean} [selected]
 * @property {boolean} [lowLatency]
 * @property {{start: string, end: string} | null} [playback]
 * @property {{ptz?: boolean, keep?: boolean}} [allow] what the account may do here
 * @property {(() => void) | null} [onSelect]
 * @property {(note: {id: string, title: string, text: string}) => void} [notify] a short message of the page
 */

const STILL_EVERY_MS = 30_000;
const SNAPSHOT_EVERY_MS = 10_000;
let made = 0;

export class Tile {
  element = element('figure', 'vt', { tabindex: '0', role: 'group' });
  /** @type {Player | null} */ player = null;
  #options;
  #id = `vt${(made += 1)}`;
  #pic = element('div', 'pic');
  #still = element('img', 'still', { alt: '', draggable: 'false' });
  #number = element('i', 'no');
  #age = element('em', 'age');
  #why = element('div', 'why');
  #acts = element('div', 'vacts', { role: 'toolbar' });
  #name = element('b');
  #note = element('span', 'vnote');
  #fault = element('span', 'vfault');
  #word = element('span');
  #state = element('span', 'st');
  #buttons;
  /** @type {PtzHandles | null} */ #ptz = null;
  /** @type {Still | null} */ #stillOf = null;
  #stillAt = -Infinity;
  /** @type {Shown | null} */ #shown = null;
  #keeping = false;
  #undo;

  /** @param {TileOptions} options */
  constructor(options) {
    this.#options = options;
    const { element: root } = this;
    root.dataset.testid = 'camera-tile';
    const caption = element('figcaption', '', { id: this.#id });
    this.#state.append(stateMark(), this.#word);
    caption.append(this.#name, this.#note, this.#fault, this.#state);
    this.#why.append(element('b'), element('span'), element('span'));
    this.#age.dataset.testid = 'camera-age';
    this.#pic.append(this.#still, this.#number, this.#age, this.#why, this.#acts);
    root.append(this.#pic, caption);
    this.#still.hidden = true;
    this.#still.onload = () => {
      this.#still.hidden = false;
    };
    this.#still.onerror = () => {
      this.#still.hidden = true;
    };
    this.#buttons = new TileButtons(this.#acts, {
      ptz: () => this.#togglePtz(),
      keep: () => void this.#keep(),
      snapshot: () => void this.#snapshot(),
      sound: () => this.#toggleSound(),
      fullscreen: () => void this.toggleFullscreen(),
    });
    root.addEventListener('click', () => this.#select());
    root.addEventListener('dblclick', () => void this.toggleFullscreen());
    root.addEventListener('keydown', (event) => this.#key(event));
    this.#open();
    this.#undo = onBeat(() => this.#beat());
    this.#draw();
  }

  /** @param {Partial<TileOptions>} change */
  update(change) {
    const before = this.#options;
    this.#options = { ...before, ...change };
    const now = this.#options;
    const another = now.camera.id !== before.camera.id || now.playback?.start !== before.playback?.start || now.playback?.end !== before.playback?.end;
    if (another || this.#playable() !== Boolean(this.player)) {
      this.#close();
      if (now.camera.id !== before.camera.id) {
        this.#still.hidden = true;
        this.#stillOf = null;
        this.#stillAt = -Infinity;
      }
      this.#open();
    }
    this.#tellReason();
    this.#draw();
  }

  #playable() {
    const { camera, live = true } = this.#options;
    return live && camera.status !== 'disabled' && camera.source !== null;
  }

  #tellReason() {
    const { purpose, incidentId } = this.#options;
    this.player?.setReason({ purpose: this.#ptz ? 'control' : purpose, incidentId });
  }

  #open() {
    const { camera, purpose, incidentId, lowLatency, playback } = this.#options;
    this.#askStill();
    if (!this.#playable()) return;
    this.player = new Player({ cameraId: camera.id, purpose, incidentId, lowLatency, playback, onChange: () => this.#beat() });
    this.#still.after(this.player.element);
    this.player.start();
  }

  #close() {
    this.#ptz?.close();
    this.#ptz = null;
    this.player?.close();
    this.player = null;
  }

  /** Stop everything and leave the page. */
  close() {
    this.#undo();
    this.#close();
    this.element.remove();
  }

  get camera() {
    return this.#options.camera;
  }

  // ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The still picture of the last sweep: under the first live one, and where there is none. */
  #askStill(now = false) {
    const { camera, playback } = this.#options;
    if (playback || (!now && !mayHaveStill(camera))) return;
    this.#stillAt = performance.now();
    void (now ? snapshotStill(camera.id, this.#options.incidentId ?? null) : thumbnail(camera.id)).then((found) => {
      if (!found || this.#options.camera.id !== camera.id) return;
      this.#stillOf = found;
      if (this.#still.src !== found.url) this.#still.src = found.url;
      this.#beat();
    });
  }

  #beat() {
    const { player } = this;
    const { live = true, camera } = this.#options;
    const age_s = player?.age_s ?? null;
    const shown = shownState({
      age_s,
      server: player?.server ?? null,
      link: player?.link ?? 'stopped',
      stop: player?.stop,
      unplayable: player?.unplayable,
      still: !live,
      status: camera.status,
      fault: camera.fault,
      source: camera.source,
    });
    const told = JSON.stringify(shown) !== JSON.stringify(this.#shown);
    this.#shown = shown;
    // The still picture stays under the live one; it is renewed while it is what one sees.
    const standIn = NO_STREAM.has(shown.kind);
    const seesStill = age_s === null || standIn;
    const due = performance.now() - this.#stillAt > (standIn ? SNAPSHOT_EVERY_MS : STILL_EVERY_MS);
    if (seesStill && due && !document.hidden) this.#askStill(standIn);
    const dark = NO_VIEW.has(shown.kind) && !(standIn && !this.#still.hidden);
    const picture_s = this.#pictureAge(age_s, seesStill);
    this.#pic.classList.toggle('stilled', seesStill);
    this.#pic.classList.toggle('standin', standIn);
    this.#pic.classList.toggle('dark', dark);
    if (told) {
      this.element.dataset.state = shown.kind;
      this.element.dataset.mark = shown.mark;
      say(this.#word, this.#stateWords(shown));
      this.#label();
    }
    this.#sayAge(shown, picture_s);
    this.#sayWhy(shown, picture_s, dark);
    this.#buttons.of.snapshot.disabled = !player?.frame();
    this.#buttons.of.sound.hidden = !player?.hasSound;
  }

  /** Age of what one sees. @param {number | null} age_s @param {boolean} seesStill */
  #pictureAge(age_s, seesStill) {
    if (!seesStill) return age_s;
    const takenAt = this.#stillOf?.takenAt;
    return takenAt ? Math.max(0, (nowMs() - takenAt) / 1000) : age_s;
  }

  /** @param {Shown} shown @param {number | null} age_s */
  #sayAge(shown, age_s) {
    const text = age_s === null || this.#options.playback ? '' : shown.kind === 'live' || shown.kind === 'late' ? ageWords(age_s) : timeOfAge(age_s);
    if (this.#age.textContent === text) return;
    say(this.#age, text);
    this.#age.hidden = text === '';
    this.#age.title = age_s === null ? '' : `${t('camera.age_label')} ${new Date(momentOf(age_s)).toISOString()}`;
  }

  /** @param {Shown} shown @param {number | null} age_s @param {boolean} dark */
  #sayWhy(shown, age_s, dark) {
    this.#why.hidden = !dark;
    if (!dark) return;
    const words = noViewWords(shown, age_s, this.player?.server ?? null);
    [words.title, words.last, words.why].forEach((text, index) => say(this.#why.children[index], text));
  }

  /** @param {Shown} shown */
  #stateWords(shown) {
    // A recording is never called live, however fresh its pictures are.
    const word = t(`camera.state.${this.#options.playback && shown.kind === 'live' ? 'playback' : shown.kind}`);
    return this.#ptz ? `${word} · ${t('camera.ptz.mine')}` : word;
  }

  #label() {
    const { camera, number } = this.#options;
    const state = this.#shown ? this.#stateWords(this.#shown) : '';
    this.element.setAttribute(
      'aria-label',
      number ? t('camera.tile', { n: number, name: camera.name, state }) : t('camera.tile.plain', { name: camera.name, state }),
    );
  }

  #draw() {
    const { camera, number, note = '', big = false, selected = false, allow = {}, onSelect } = this.#options;
    const { element: root } = this;
    root.dataset.id = camera.id;
    root.classList.toggle('big', big);
    root.classList.toggle('selected', selected);
    root.classList.toggle('choosable', Boolean(onSelect));
    say(this.#name, camera.name);
    this.#name.title = camera.name;
    say(this.#note, note);
    say(this.#fault, camera.status === 'degraded' ? faultWords(camera.fault) : '');
    this.#fault.hidden = this.#fault.textContent === '';
    say(this.#number, number ? String(number) : '');
    this.#number.hidden = !number;
    this.#acts.setAttribute('aria-label', t('camera.act'));
    const live = Boolean(this.player) && !this.#options.playback;
    const { of } = this.#buttons;
    of.ptz.hidden = !(allow.ptz && camera.ptz && live);
    of.keep.hidden = !(allow.keep && live);
    if (this.#ptz && of.ptz.hidden) this.#togglePtz();
    this.#buttons.name({ steering: Boolean(this.#ptz), sounding: this.player?.muted === false });
    this.#shown = null; // words may have changed
    this.#beat();
  }

  // ── What one can do ──────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {string} id @param {string} title @param {string} text */
  #notify(id, title, text) {
    this.#options.notify?.({ id: `camera:${id}:${this.camera.id}`, title, text });
  }

  #select() {
    if (!this.#ptz) this.#options.onSelect?.();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#ptz && event.key === 'Escape') this.#togglePtz();
    else if (event.target !== this.element) return;
    else if ((event.key === 'Enter' || event.key === ' ') && this.#options.onSelect && !this.#ptz) this.#select();
    else if (!this.#ptz?.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  async toggleFullscreen() {
    try {
      if (document.fullscreenElement === this.element) await document.exitFullscreen();
      else await this.element.requestFullscreen();
    } catch (error) {
      console.warn('fullscreen', error);
    }
  }

  #toggleSound() {
    this.player?.setMuted(!this.player.muted);
    this.#draw();
  }

  /** Pan, tilt and zoom by mouse and keys while this is on. */
  #togglePtz() {
    const { camera } = this.#options;
    const { player } = this;
    if (this.#ptz) {
      this.#ptz.close();
      this.#ptz = null;
      player?.setLowLatency(this.#options.lowLatency ?? false);
    } else {
      this.#ptz = new PtzHandles(this.element, this.#pic, (order) => orderPtz(camera.id, order), (error) =>
        this.#notify('ptz', camera.name, t('camera.ptz.failed', { detail: refusalOf(error) })));
      if (player?.muted) player.setLowLatency(true);
      this.element.focus({ preventScroll: true });
    }
    this.element.classList.toggle('steering', Boolean(this.#ptz));
    this.#tellReason();
    this.#draw();
  }

  async #snapshot() {
    const frame = this.player?.frame();
    const { camera } = this.#options;
    if (!frame) return;
    try {
      download(await snapshotOf(frame, { name: camera.name, id: camera.gb_id ?? camera.id, age_s: this.player?.age_s ?? 0 }));
    } catch (error) {
      this.#notify('snapshot', t('camera.snapshot.failed', { name: camera.name }), String(error));
    }
  }

  async #keep() {
    const { camera, incidentId } = this.#options;
    if (this.#keeping) return;
    this.#keeping = true;
    this.#buttons.of.keep.disabled = true;
    try {
      await keepClip([camera.id], incidentId);
      this.#notify('keep', t('camera.kept', { name: camera.name }), t('camera.kept.note', { before: BEFORE_S, after: AFTER_S }));
    } catch (error) {
      this.#notify('keep', t('camera.keep.failed', { name: camera.name }), refusalOf(error));
    }
    this.#keeping = false;
    this.#buttons.of.keep.disabled = false;
  }

  /** As the buttons of the tile, for pages with larger ones. @param {import('./tile-buttons.js').Act} what */
  act(what) {
    this.#buttons.of[what].click();
  }
}

/** @param {TileOptions} options */
export const createTile = (options) => new Tile(options);

/**
 * The tile inside a Preact page. Every option is a prop; `tileRef` is called with the tile and, at the end, with null.
 * @param {TileOptions & {tileRef?: (tile: Tile | null) => void}} props
 */
export function VideoTile({ tileRef, ...options }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const tile = useRef(/** @type {Tile | null} */ (null));
  useEffect(() => {
    const made_ = new Tile(options);
    tile.current = made_;
    box.current?.append(made_.element);
    tileRef?.(made_);
    return () => {
      tileRef?.(null);
      made_.close();
      tile.current = null;
    };
  }, []);
  useEffect(() => tile.current?.update(options));
  return html`<div class="vt-box" ref=${box}></div>`;
}
