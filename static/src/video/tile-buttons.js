// The small buttons of a tile, shown while the pointer or the focus is there.
import { t } from '../i18n.js';
import { element, icon } from './dom.js';

/** @typedef {'ptz' | 'keep' | 'snapshot' | 'sound' | 'fullscreen'} Act */

const ICONS = {
  fullscreen: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  snapshot: 'M2 5h3l1-2h4l1 2h3v8H2ZM8 7a2.4 2.4 0 1 0 .01 0Z',
  sound: 'M2 6h3l4-3v10l-4-3H2ZM11.5 5.5a3.5 3.5 0 0 1 0 5',
  silent: 'M2 6h3l4-3v10l-4-3H2ZM11 6l4 4M15 6l-4 4',
  ptz: 'M8 1 6 3.4h4ZM8 15l2-2.4H6ZM1 8l2.4 2V6ZM15 8l-2.4-2v4ZM8 6.4a1.6 1.6 0 1 0 .01 0Z',
  keep: 'M4 2h8v12l-4-3-4 3Z',
};

export class TileButtons {
  /** @type {Record<Act, HTMLButtonElement>} */ of;
  #sounding = false;

  /** @param {HTMLElement} bar @param {Record<Act, () => void>} acts */
  constructor(bar, acts) {
    const made = /** @type {[Act, () => void][]} */ (Object.entries(acts)).map(([name, act]) => {
      const button = element('button', '', { type: 'button' });
      button.dataset.testid = `tile-${name}`;
      button.append(icon(ICONS[name]));
      button.addEventListener('click', (event) => {
        event.stopPropagation();
        act();
      });
      button.addEventListener('dblclick', (event) => event.stopPropagation());
      bar.append(button);
      return [name, button];
    });
    this.of = Object.fromEntries(made);
  }

  /** Words in the page's language, as things stand. @param {{steering: boolean, sounding: boolean}} now */
  name({ steering, sounding }) {
    this.#say('ptz', steering ? 'ptz_off' : 'ptz', steering);
    this.#say('keep', 'keep');
    this.#say('snapshot', 'snapshot');
    this.#say('sound', sounding ? 'sound_off' : 'sound_on', sounding);
    this.#say('fullscreen', 'fullscreen');
    if (sounding === this.#sounding) return;
    this.#sounding = sounding;
    this.of.sound.replaceChildren(icon(sounding ? ICONS.silent : ICONS.sound));
  }

  /** @param {Act} name @param {string} word @param {boolean} [pressed] */
  #say(name, word, pressed) {
    const button = this.of[name];
    button.title = t(`camera.act.${word}`);
    button.setAttribute('aria-label', button.title);
    if (pressed !== undefined) button.setAttribute('aria-pressed', String(pressed));
  }
}
