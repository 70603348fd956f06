// What can be asked of a camera, and refusals in words.
import { ApiError, call } from '../api.js';
import { t } from '../i18n.js';
import { refusal } from '../ui/refusal.js';

/** @import {Order} from './ptz.js' */

export const BEFORE_S = 30;
export const AFTER_S = 120;

/** @param {string} id */
const pathOf = (id) => `/cameras/${encodeURIComponent(id)}`;

/** @param {string} id @param {Order} order */
export const orderPtz = (id, order) => call('POST', `${pathOf(id)}/ptz`, order, { timeoutMs: 5_000 });

/** @param {string} id @returns {Promise<{preset: number, name: string | null}[]>} */
export async function presetsOf(id) {
  const answer = await call('GET', `${pathOf(id)}/presets`);
  return (Array.isArray(answer) ? answer : answer.items).map((/** @type {any} */ item) => ({
    preset: item.preset ?? item.id ?? item.number,
    name: item.name ?? null,
  }));
}

/** The last seconds and the next two minutes, from the ring. @param {string[]} cameraIds @param {string | null} [incidentId] */
export const keepClip = (cameraIds, incidentId = null) =>
  call('POST', '/clips', {
    camera_ids: cameraIds,
    before_s: BEFORE_S,
    after_s: AFTER_S,
    ...(incidentId ? { incident_id: incidentId } : {}),
  });

/** The present picture is how the camera should look. @param {string} id */
export const falseAlarm = (id) => call('POST', `${pathOf(id)}/false_alarm`);

/** @param {string} id */
export const checkNow = (id) => call('POST', `${pathOf(id)}/check`);

/** @param {unknown} error */
export const refusalOf = (error) =>
  error instanceof ApiError && error.status === 409 ? t('error.conflict', { detail: error.detail || error.error }) : refusal(error);
