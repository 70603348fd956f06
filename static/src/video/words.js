// What is said about a picture and a camera: ages, reasons, faults.
import { has, t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { momentOf } from './clock.js';

/** @import {Shown} from './shown.js' */
/** @import {ServerState} from './player.js' */

/** `0.4 秒`, from ten seconds on `18 秒前`. @param {number} age_s */
export const ageWords = (age_s) =>
  age_s < 10 ? t('camera.age', { age: age_s.toFixed(1) }) : t('camera.age.ago', { age: durationText(age_s) });

/** @param {number} age_s */
export const timeOfAge = (age_s) => timeOfDay(momentOf(age_s), { seconds: true });

/** Why there is no picture, or ''. @param {string | null} reason @param {ServerState | null} [server] */
export function reasonWords(reason, server = null) {
  if (reason && has(`camera.reason.${reason}`)) return t(`camera.reason.${reason}`);
  return server?.detail ?? reason ?? '';
}

/** @param {string | null | undefined} fault */
export const faultWords = (fault) => (fault ? (has(`camera.fault.${fault}`) ? t(`camera.fault.${fault}`) : fault) : '');

/** @param {string} status */
export const statusWords = (status) => (has(`camera.status.${status}`) ? t(`camera.status.${status}`) : status);

/**
 * The lines over a darkened picture.
 * @param {Shown} shown
 * @param {number | null} age_s of the last picture
 * @param {ServerState | null} server
 */
export function noViewWords(shown, age_s, server) {
  return {
    title: t(shown.kind === 'lost' ? 'camera.no_signal' : `camera.no_view.${shown.kind}`),
    last: age_s === null ? t('camera.no_picture') : t('camera.last_picture', { at: timeOfAge(age_s), age: durationText(age_s) }),
    why: reasonWords(shown.reason, server),
  };
}
