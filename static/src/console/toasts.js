// Bottom right of the map: what needs a yes or no (an arrival the system proposes), and short answers of this desk.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { dropNote, notes, openIncident, select, send } from './actions.js';
import { board, nowMs, ui } from './state.js';

/** Another desk's incident is that desk's to answer for. @param {string} incidentId */
function concerns(incidentId) {
  const owner = board().incidents[incidentId]?.claimed_by ?? null;
  return owner === null || owner === ui.me.id || ui.selection?.id === incidentId;
}

export function Toasts() {
  const now = nowMs();
  const arrivals = Object.values(board().assignments)
    .filter(
      (job) =>
        concerns(job.incident_id) &&
        job.arrival_proposed_at &&
        !job.on_scene_at &&
        (job.state === 'en_route' || job.state === 'signed' || job.state === 'delivered'),
    )
    .sort((a, b) => String(a.arrival_due_at).localeCompare(String(b.arrival_due_at)));
  return html`<div class="toasts" aria-live="polite">
    ${notes.map(
      (
        note,
      ) => html`<div class="toast note" key=${note.id} data-testid="note"><div><b>${note.title}</b><span>${note.text}</span></div>
      ${
        note.responderId &&
        html`<button class="btn sm" onClick=${() => {
          dropNote(note);
          select({ kind: 'responder', id: String(note.responderId) });
        }}>${t('console.reply')}</button>`
      }
      ${
        note.open &&
        html`<button class="btn sm" onClick=${() => {
          dropNote(note);
          note.open?.();
        }}>${t('closure.look')}</button>`
      }
      ${note.tel && html`<a class="btn sm" href=${`tel:${note.tel}`}>${t('console.call.dial')}</a>`}
      <button class="btn sm ghost" aria-label=${t('console.dismiss')} onClick=${() => dropNote(note)}>✕</button></div>`,
    )}
    ${arrivals.slice(0, 3).map((job) => {
      const left = job.arrival_due_at ? Math.max(0, Math.ceil((Date.parse(job.arrival_due_at) - now) / 1000)) : null;
      const name = board().responders[job.responder_id]?.name ?? '';
      return html`<div class="toast" key=${job.id} data-testid="arrival-toast"><div><b>${t('console.arrival.title', { name })}</b>
        <span><button class="link plain" onClick=${() => openIncident(job.incident_id)}>${board().incidents[job.incident_id]?.title ?? ''}</button>${left !== null ? t('console.arrival.auto', { s: left }) : ''}</span></div>
        <button class="btn" data-testid="arrival-yes" onClick=${() => void send(`/assignments/${job.id}/on_scene`)}>${t('console.arrival.yes')}</button>
        <button class="btn ghost" data-testid="arrival-no" onClick=${() => void send(`/assignments/${job.id}/not_on_scene`)}>${t('console.arrival.no')}</button></div>`;
    })}
  </div>`;
}
