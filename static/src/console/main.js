// Start of the console: who is signed in, the feed, the page, the keys, the alarm tone.
import { ApiError, goToSignIn, session } from '../api.js';
import { connectFeed } from '../feed.js';
import { onLanguage, t } from '../i18n.js';
import { html, render } from '../ui/h.js';
import { isAlarm, isWaiting } from '../ui/levels.js';
import { openSound, soundState, startTone, stopTone } from '../ui/sound.js';
import { setClock } from '../video/clock.js';
import { select, toast } from './actions.js';
import { App } from './app.js';
import { listenForCameras } from './desk-link.js';
import { startKeys } from './keys.js';
import { spanText } from '../ui/closures.js';
import { noteClosure } from './closure-draft.js';
import { fixesChanged, forgetWays } from './map-bridge.js';
import { nextPreview } from './preview.js';
import { readCameras, readOverview, readRanked, readTimeline, startReading } from './reading.js';
import { board, onRedraw, redraw, selectedIncident, ui } from './state.js';

/** @import {Board, EventFrame} from '../../types/wire.d.ts' */

const TOPICS = ['incidents', 'responders', 'cameras', 'messages', 'telemetry', 'presence'];
const THEME = 'yiping.theme';

function readTheme() {
  try {
    const stored = localStorage.getItem(THEME);
    if (stored === 'light' || stored === 'contrast' || stored === 'dark') return stored;
  } catch {
    // storage may be blocked; the theme is then not remembered
  }
  return matchMedia('(prefers-contrast: more)').matches ? 'contrast' : 'dark';
}

function applyTheme() {
  document.documentElement.dataset.theme = ui.theme;
  ui.map?.setTheme(ui.theme);
  try {
    localStorage.setItem(THEME, ui.theme);
  } catch {
    // see readTheme
  }
}

/** Tone and page title follow the alarms nobody has acknowledged. */
function followAlarms() {
  const items = Object.values(board().incidents);
  const alarms = items.filter(isAlarm).length;
  if (alarms) startTone();
  else stopTone();
  const waiting = items.filter(isWaiting).length;
  document.title = `${alarms ? '▲ ' : ''}${waiting ? `(${waiting}) ` : ''}${t('app.name')} · ${t('console.title')}`;
}

/** With nothing chosen the drawer shows what is most urgent, so that its people and clocks are there before anybody asks.
 * Escape clears it until the next incident comes in. It never changes under the pointer or under somebody who works in it.
 */
function previewTop() {
  if (ui.selection && (!ui.preview || ui.panel || document.querySelector('.drawer:is(:hover, :focus-within)'))) return;
  const now = { shown: selectedIncident(), dismissed: ui.dismissed, me: ui.me.id };
  const top = nextPreview(Object.values(board().incidents), now);
  if (top) select({ kind: 'incident', id: top.id }, { preview: true });
}

/** Who is nearest may have changed; a road that another desk closed is told. @param {EventFrame} frame @param {Board} after */
function followClosures(frame, after) {
  forgetWays();
  void readRanked();
  if (ui.selection?.kind === 'area') void readOverview(ui.selection.id);
  if (frame.data.actor?.id === ui.me.id) return;
  for (const id of Object.keys(frame.data.changes.closures ?? {})) {
    const closure = after.closures[id];
    if (!closure) continue;
    const text = { reason: closure.reason, span: spanText(closure, feedNow()), by: frame.data.actor?.name ?? '' };
    noteClosure(frame.type.slice('closure.'.length), closure, t('closure.note.text', text));
  }
}

const feedNow = () => ui.feed.serverNow();

async function start() {
  const { user, district } = await session();
  ui.me = user;
  ui.district = district;
  ui.theme = readTheme();
  applyTheme();
  const feed = connectFeed({ page: 'console', topics: TOPICS });
  ui.feed = feed;
  setClock(() => feed.serverNow());
  let theme = ui.theme;
  feed.subscribe((changes) => {
    if (feed.state === 'signed_out') goToSignIn();
    if (changes.telemetry) fixesChanged();
    if (changes.board) {
      followAlarms();
      previewTop();
    }
    if (changes.board || changes.state || changes.presence || changes.etas) redraw();
  });
  feed.onEvent((frame, after) => {
    if (frame.type === 'message.sent') {
      for (const id of Object.keys(frame.data.changes.messages ?? {})) {
        const message = after.messages[id];
        if (
          !message?.from_responder ||
          (ui.selection?.kind === 'responder' && ui.selection.id === message.from_responder)
        )
          continue;
        toast({
          id: `message:${message.from_responder}`,
          title: after.responders[message.from_responder]?.name ?? message.from_name ?? '',
          text: message.body,
          responderId: message.from_responder,
        });
      }
    }
    if (frame.type.startsWith('closure.')) followClosures(frame, after);
    const { selection } = ui;
    if (selection?.kind === 'incident' && JSON.stringify(frame.data.changes).includes(`"${selection.id}"`))
      void readTimeline(selection.id);
  });
  onRedraw(() => {
    if (theme === ui.theme) return;
    theme = ui.theme;
    applyTheme();
  });
  onLanguage(redraw);
  window.setInterval(() => {
    followAlarms();
    redraw();
  }, 1000);
  // The first gesture opens the sound gate; until then the top bar says that nothing will be heard.
  const gate = () => {
    if (soundState() === 'off') void openSound().then(redraw);
  };
  window.addEventListener('pointerdown', gate, { once: true });
  window.addEventListener('keydown', gate, { once: true });
  startKeys();
  startReading();
  void readCameras();
  const root = /** @type {HTMLElement} */ (document.getElementById('app'));
  root.replaceChildren();
  render(html`<${App} />`, root);
  listenForCameras();
  Object.assign(window, {
    yiping: {
      feed,
      movers: feed.movers,
      ui,
      get map() {
        return ui.map?.gl;
      },
      get live() {
        return ui.map;
      },
    },
  });
}

start().catch((error) => {
  if (error instanceof ApiError && error.status === 401) return; // on the way to the sign-in page already
  console.error(error);
  const root = document.getElementById('app');
  if (root) root.textContent = `${t('error.unreachable')} ${error?.message ?? ''}`;
  window.setTimeout(() => location.reload(), 5000);
});
