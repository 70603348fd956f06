// What the thumb does, turned into entries of the outbox. Everything that changes something goes this way, online too:
// one path, so that a dead spot in the middle of a tap changes nothing but the time.

import { newKey } from '../api.js';
import { t } from '../i18n.js';

/** @import {Assignment, Incident, Message} from '../../types/wire.d.ts' */
/** @import {Outbox} from './outbox.js' */

/**
 * @param {Outbox} outbox
 * @param {Assignment} assignment
 * @param {string} command
 * @param {object} [body]
 */
export async function command(outbox, assignment, command, body = {}) {
  // Derived, not random: a second tap, tab or start of the page cannot repeat a step of this assignment.
  let key = `${command}-${assignment.id}`;
  const refused = outbox.entries.find((entry) => entry.key.startsWith(key) && entry.state === 'refused');
  if (refused) {
    await outbox.dismiss(refused.key);
    key = `${key}-${newKey()}`; // the server remembers its refusal under the old one
  }
  return outbox.put({
    key,
    kind: command === 'deliver' ? 'receipt' : 'command',
    label: t(`field.step.${command}`),
    method: 'POST',
    path: `/assignments/${assignment.id}/${command}`,
    body,
    about: { assignmentId: assignment.id, command },
  });
}

/** Not derived: "not yet there" may be said again. @param {Outbox} outbox @param {Assignment} assignment */
export const notYet = (outbox, assignment) =>
  outbox.put({
    kind: 'command', label: t('field.step.not_on_scene'), method: 'POST',
    path: `/assignments/${assignment.id}/not_on_scene`, body: {}, about: { assignmentId: assignment.id, command: 'not_on_scene' },
  });

/** @param {Outbox} outbox @param {Assignment} assignment */
export async function acceptAndGo(outbox, assignment) {
  await command(outbox, assignment, 'sign');
  await command(outbox, assignment, 'en_route');
}

/** @param {Outbox} outbox @param {string} responderId @param {boolean} onDuty */
export const shift = (outbox, responderId, onDuty) =>
  outbox.put({
    kind: 'shift', label: t(onDuty ? 'field.go_on_duty' : 'field.go_off_duty'), method: 'POST',
    path: `/responders/${responderId}/shift`, body: { on_duty: onDuty },
  });

/** @param {Outbox} outbox @param {string} body @param {string | null} incidentId */
export const reply = (outbox, body, incidentId) =>
  outbox.put({
    kind: 'message', label: body, method: 'POST', path: '/messages/reply',
    body: { body, ...(incidentId ? { incident_id: incidentId } : {}) },
  });

/** @param {Outbox} outbox @param {Message} message @param {'delivered' | 'read'} receipt */
export const acknowledge = (outbox, message, receipt) =>
  outbox.put({
    key: `${receipt}-${message.id}`, kind: 'receipt', label: '', method: 'POST',
    path: `/messages/${message.id}/${receipt}`, body: {}, about: { messageId: message.id, command: receipt },
  });

/** @param {Outbox} outbox @param {Incident} incident @param {{name: string, blob: Blob}} file */
export const photo = (outbox, incident, file) =>
  outbox.put({
    kind: 'photo', label: t('field.photo'), method: 'POST', path: `/incidents/${incident.id}/photos`, file,
  });

/**
 * Report an incident, with photos that follow it.
 * @param {Outbox} outbox
 * @param {object} report
 * @param {string} title
 * @param {{name: string, blob: Blob}[]} photos
 */
export async function reportIncident(outbox, report, title, photos) {
  const key = await outbox.put({ kind: 'report', label: title, method: 'POST', path: '/incidents', body: report });
  for (const file of photos) {
    await outbox.put({
      kind: 'photo', label: t('field.photo'), method: 'POST', path: '/incidents/{needs}/photos', file, needs: key,
    });
  }
}
