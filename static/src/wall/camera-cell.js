// One tile of the wall: an uncropped picture with its number, name, township, state and the time its turn has run.
// The next camera plays behind it before its turn comes, so that the change is a cut from one live picture to another.
import { t } from '../i18n.js';
import { distance } from '../time.js';
import { onBeat } from '../video/clock.js';
import { element, say } from '../video/dom.js';
import { Player } from '../video/player.js';
import { NO_VIEW, shownState } from '../video/shown.js';
import { mayHaveStill, thumbnail } from '../video/thumbnail.js';
import { ageWords, noViewWords } from '../video/words.js';

/** @import {Camera, Incident} from '../../types/wire.d.ts' */
/** @import {Shown} from '../video/shown.js' */
/** @import {Slot} from './tour.js' */

/**
 * @typedef {object} CellView
 * @property {Slot} slot
 * @property {Camera} camera
 * @property {number} number
 * @property {string} place
 * @property {Incident | null} incident whose surroundings this is
 */

/** Without any picture for this long a camera gives up its place. */
const GIVE_UP_MS = 12_000;

export class CameraCell {
  element = element('section', 'v cam');
  #pic = element('div', 'cam-pic');
  #still = element('img', 'cam-still', { alt: '' });
  #why = element('div', 'cam-why');
  #plate = element('p', 'cam-plate');
  #number = element('i', 'nb');
  #name = element('h3');
  #place = element('p', 't2');
  #word = element('span');
  #age = element('span');
  #bar = element('i');
  /** @type {CellView | null} */ #view = null;
  /** @type {Player | null} */ #player = null;
  /** @type {Player | null} */ #next = null;
  #since = 0;
  #undo;
  #serverNow;

  /** @param {() => number} serverNow epoch ms */
  constructor(serverNow) {
    this.#serverNow = serverNow;
    this.element.dataset.testid = 'wall-camera';
    this.#why.append(element('b'), element('span'), element('span'));
    this.#still.hidden = true;
    this.#pic.append(this.#still, this.#why, this.#plate);
    const text = element('div', 'cam-text');
    const state = element('p', 'cam-state');
    state.append(this.#word, this.#age);
    const track = element('div', 'track');
    track.append(this.#bar);
    text.append(this.#number, this.#name, this.#place, state, track);
    this.element.append(this.#pic, text);
    this.#undo = onBeat(() => this.#beat());
  }

  /** @param {CellView} view */
  show(view) {
    const { slot, camera } = view;
    if (this.#view?.slot.id !== slot.id) {
      const ready = this.#next?.cameraId === slot.id ? this.#next : null;
      if (ready) this.#next = null;
      this.#player?.close();
      this.#player = ready ?? this.#open(slot.id, slot.pinned?.incidentId ?? null);
      this.#player.element.classList.remove('behind');
      this.#since = performance.now();
      if (!ready) this.#showStill(camera);
    }
    if (this.#next && this.#next.cameraId !== slot.next) {
      this.#next.close();
      this.#next = null;
    }
    if (slot.next !== null && !this.#next) {
      this.#next = this.#open(slot.next, null);
      this.#next.element.classList.add('behind');
    }
    this.#view = view;
    this.element.dataset.id = camera.id;
    say(this.#number, String(view.number));
    say(this.#name, camera.name);
    say(this.#place, view.place);
    this.#plate.hidden = !view.incident;
    this.#plate.className = `cam-plate lv${view.incident?.level ?? 'none'}`;
    say(this.#plate, view.incident && slot.pinned ? t('wall.camera.near', { title: view.incident.title, distance: distance(slot.pinned.distance_m) }) : '');
    this.#beat();
  }

  /** Until the first live picture: the last one of the sweep, dimmed. @param {Camera} camera */
  #showStill(camera) {
    this.#still.hidden = true;
    if (!mayHaveStill(camera)) return;
    void thumbnail(camera.id).then((found) => {
      if (!found || this.#view?.slot.id !== camera.id || this.#player?.age_s !== null) return;
      this.#still.src = found.url;
      this.#still.hidden = false;
    });
  }

  /** @param {string} cameraId @param {string | null} incidentId */
  #open(cameraId, incidentId) {
    const player = new Player({ cameraId, purpose: incidentId ? 'incident' : 'tour', incidentId });
    this.#pic.prepend(player.element);
    return player.start();
  }

  /** Does the picture of this camera stand behind the tile? @param {string} cameraId */
  isReady(cameraId) {
    return this.#next?.cameraId === cameraId && this.#next.age_s !== null && this.#next.age_s < 3;
  }

  /** The session that had ended was renewed. */
  revive() {
    if (this.#player?.stop === 'signed_out') this.#player.start();
  }

  /** A camera that never gave a picture, or null. */
  get givenUp() {
    const silent = this.#player !== null && this.#player.age_s === null;
    return silent && performance.now() - this.#since > GIVE_UP_MS ? this.#player?.cameraId ?? null : null;
  }

  /** @returns {Shown | null} */
  #shown() {
    const player = this.#player;
    if (!player || !this.#view) return null;
    const { camera } = this.#view;
    return shownState({
      age_s: player.age_s, server: player.server, link: player.link, stop: player.stop, unplayable: player.unplayable,
      status: camera.status, fault: camera.fault, source: camera.source,
    });
  }

  #beat() {
    const shown = this.#shown();
    const view = this.#view;
    if (!shown || !view) return;
    const age_s = this.#player?.age_s ?? null;
    const dark = NO_VIEW.has(shown.kind);
    if (age_s !== null) this.#still.hidden = true;
    this.element.dataset.state = shown.kind;
    this.#why.hidden = !dark;
    if (dark) {
      const words = noViewWords(shown, age_s, this.#player?.server ?? null);
      [words.title, words.last, words.why].forEach((text, index) => say(this.#why.children[index], text));
    }
    // A late picture is told as 画面 12 秒前: the word for live would be wrong and the age alone easily missed.
    say(this.#word, shown.kind === 'late' ? `△ ${t('wall.camera.picture')}` : t(`camera.state.${shown.kind}`));
    say(this.#age, age_s !== null && !dark ? ageWords(age_s) : '');
    const { since, until } = view.slot;
    const share = until === null ? 0 : Math.max(0, Math.min(1, (this.#serverNow() - since) / Math.max(1, until - since)));
    this.#bar.style.width = `${Math.round(share * 100)}%`;
  }

  close() {
    this.#undo();
    this.#player?.close();
    this.#next?.close();
    this.element.remove();
  }
}
