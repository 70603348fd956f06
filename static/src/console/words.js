// What incidents, people and areas are called on this page, and which clock of theirs runs.
import { t } from '../i18n.js';
import { runningClock } from '../board.js';
import { clockText } from '../ui/format.js';
import { isWaiting } from '../ui/levels.js';
import { board, nowMs, ui } from './state.js';

/** @import {Incident, PresenceUser, Responder} from '../../types/wire.d.ts' */

/** Waiting longer than this (s) tints the card, whatever the stage's own limit says. @type {Record<string, number>} */
const QUEUE_LIMIT_S = { I: 60, II: 300, III: 900, IV: 1800, none: 1800 };

/** @param {string | null | undefined} code */
export const areaName = (code) => (code ? (ui.areas.get(code)?.name ?? '') : '');

/** 桥头社区 03 格 @param {{grid: string | null, village: string | null, township?: string | null}} place */
export function placeName(place) {
  const village = areaName(place.village);
  const grid = place.grid ? ui.areas.get(place.grid) : undefined;
  if (!grid) return village || areaName(place.township) || '';
  if (grid.name.startsWith(village)) return grid.name;
  return `${village} ${grid.name}`.trim();
}

/** Codes from the county down. @param {string | null} code */
export function pathOf(code) {
  const path = [];
  for (let at = code ? ui.areas.get(code) : undefined; at; at = at.parent ? ui.areas.get(at.parent) : undefined)
    path.unshift(at);
  return path;
}

/** Somebody was sent and the work is not handed in, or it is on hold. @param {{state: string}} incident */
export const isRunning = (incident) => ['dispatched', 'handling', 'suspended'].includes(incident.state);

/** The desk number of a user, for "席 1 已认领". @param {string | null} userId */
export function deskOf(userId) {
  const users = /** @type {PresenceUser[]} */ (ui.feed.presence ?? []);
  return users.find((item) => item.user_id === userId && item.page === 'console')?.desk ?? null;
}

/** @param {Incident} incident */
export const isMine = (incident) => incident.claimed_by === ui.me.id;

/**
 * @typedef {object} CardClock
 * @property {string} text the large figure
 * @property {string} note what it is measured against
 * @property {number} used 0 … 1 and beyond
 * @property {'ok' | 'warn' | 'late' | 'idle'} tone
 * @property {0 | 1 | 2 | 3} ageing
 */

/** The clock of a queue card. @param {Incident} incident @returns {CardClock} */
export function cardClock(incident) {
  const now = nowMs();
  const elapsed_s = Math.max(0, (now - Date.parse(incident.reported_at)) / 1000);
  const running = runningClock(incident, now);
  const limit_s = QUEUE_LIMIT_S[incident.level] ?? 1800;
  const waiting = isWaiting(incident);
  const used = running ? running.used : waiting ? elapsed_s / limit_s : 0;
  const age = waiting ? Math.max(used, elapsed_s / limit_s) : used;
  const tone = used >= 1 ? 'late' : used >= 0.8 ? 'warn' : running || waiting ? 'ok' : 'idle';
  let note = '';
  if (running) {
    const stage = t(`stage.${running.stage}`);
    if (running.over) note = t('console.clock.over', { over: clockText(-running.left_s) });
    else if (isMine(incident)) note = t('console.clock.left', { stage, left: clockText(running.left_s) });
    else note = t('console.clock.limit', { stage, limit: clockText(running.limit_s ?? running.left_s) });
  } else if (waiting) {
    note =
      elapsed_s > limit_s
        ? t('console.clock.over', { over: clockText(elapsed_s - limit_s) })
        : t('console.clock.queue_limit', { limit: clockText(limit_s) });
  }
  return { text: clockText(elapsed_s), note, used, tone, ageing: age >= 1 ? 3 : age >= 0.8 ? 2 : age >= 0.5 ? 1 : 0 };
}

/** Is a limit of it overrun now? @param {Incident} incident */
export function isLate(incident) {
  if (isWaiting(incident)) return cardClock(incident).tone === 'late';
  return Boolean(runningClock(incident, nowMs())?.over);
}

/** The fix of a person as the telemetry has it. @param {Responder} responder */
export function fixOf(responder) {
  const { movers } = ui.feed;
  const row = movers.rowOf(responder.unit);
  if (row < 0) return null;
  return {
    lon: movers.lon[row],
    lat: movers.lat[row],
    age_s: movers.ageS(row, nowMs()),
    flags: movers.flags[row],
    speed: movers.speed[row],
  };
}

/** @param {Responder | undefined} responder @returns {'busy' | 'free' | 'off'} */
export const dutyOf = (responder) => (!responder?.on_duty ? 'off' : responder.assignment_id ? 'busy' : 'free');

/** Grid worker responsible for a place, from the incident's owner. @param {Incident} incident */
export const ownerOf = (incident) => (incident.owner ? board().responders[incident.owner] : undefined);
