// The handles over a tile's picture while its camera is steered: arrows to hold, the picture to drag, keys.
import { t } from '../i18n.js';
import { element, icon } from './dom.js';
import { PtzDriver, motionOfDrag, motionOfKey } from './ptz.js';

/** @import {Motion, Order} from './ptz.js' */

const WHEEL_MS = 300;
const SPEED = 0.5;

/** @type {[string, string, Motion][]} name, icon, motion */
const ARROWS = [
  ['up', 'M8 4 13 11H3Z', { pan: 0, tilt: SPEED, zoom: 0 }],
  ['left', 'M4 8 11 3V13Z', { pan: -SPEED, tilt: 0, zoom: 0 }],
  ['right', 'M12 8 5 13V3Z', { pan: SPEED, tilt: 0, zoom: 0 }],
  ['down', 'M8 12 3 5H13Z', { pan: 0, tilt: -SPEED, zoom: 0 }],
  ['in', 'M7 3h2v4h4v2H9v4H7V9H3V7h4Z', { pan: 0, tilt: 0, zoom: SPEED }],
  ['out', 'M3 7h10v2H3Z', { pan: 0, tilt: 0, zoom: -SPEED }],
];

/**
 * A pad of buttons that move while they are held, by mouse, touch or key.
 * @param {PtzDriver} driver
 */
export function ptzPad(driver) {
  const pad = element('div', 'vpad', { role: 'group', 'aria-label': t('camera.ptz') });
  for (const [name, path, motion] of ARROWS) {
    const button = element('button', name, { type: 'button', 'aria-label': t(`camera.ptz.${name}`), title: t(`camera.ptz.${name}`) });
    button.dataset.testid = `ptz-${name}`;
    button.append(icon(path));
    button.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      button.setPointerCapture(event.pointerId);
      driver.hold(motion);
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture', 'blur', 'keyup']) {
      button.addEventListener(end, () => driver.release());
    }
    button.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      event.stopPropagation();
      driver.hold(motion);
    });
    for (const quiet of ['click', 'dblclick']) button.addEventListener(quiet, (event) => event.stopPropagation());
    pad.append(button);
  }
  return pad;
}

export class PtzHandles {
  #driver;
  #root;
  #pic;
  #pad;
  #abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #wheel;

  /**
   * @param {HTMLElement} root takes the keys
   * @param {HTMLElement} pic is dragged
   * @param {(order: Order) => Promise<unknown>} send
   * @param {(error: unknown) => void} failed
   */
  constructor(root, pic, send, failed) {
    this.#root = root;
    this.#pic = pic;
    this.#driver = new PtzDriver(send, failed);
    this.#pad = ptzPad(this.#driver);
    this.#pad.title = t('camera.ptz.hint');
    pic.append(this.#pad);
    const { signal } = this.#abort;
    root.addEventListener('keyup', () => this.#driver.release(), { signal });
    root.addEventListener('blur', () => this.#driver.release(), { signal });
    window.addEventListener('blur', () => this.#driver.release(), { signal });
    pic.addEventListener('pointerdown', (event) => this.#drag(event), { signal });
    pic.addEventListener('wheel', (event) => this.#zoom(event), { signal, passive: false });
  }

  /** @param {KeyboardEvent} event @returns {boolean} taken */
  key(event) {
    const motion = motionOfKey(event.key);
    if (!motion) return false;
    this.#driver.hold(motion);
    return true;
  }

  /** @param {PointerEvent} start */
  #drag(start) {
    if (start.button !== 0 || /** @type {HTMLElement} */ (start.target).closest('button')) return;
    const pic = this.#pic;
    pic.setPointerCapture(start.pointerId);
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#abort.signal]);
    pic.addEventListener('pointermove', (event) => {
      this.#driver.hold(motionOfDrag(event.clientX - start.clientX, event.clientY - start.clientY));
    }, { signal });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      pic.addEventListener(end, () => {
        ended.abort();
        this.#driver.release();
      }, { signal });
    }
    this.#root.focus({ preventScroll: true });
  }

  /** @param {WheelEvent} event */
  #zoom(event) {
    event.preventDefault();
    clearTimeout(this.#wheel);
    this.#driver.hold({ pan: 0, tilt: 0, zoom: event.deltaY < 0 ? SPEED : -SPEED });
    this.#wheel = setTimeout(() => this.#driver.release(), WHEEL_MS);
  }

  close() {
    clearTimeout(this.#wheel);
    this.#driver.release();
    this.#abort.abort();
    this.#pad.remove();
  }
}
