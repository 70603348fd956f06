// What closures are called on every page, and from when to when they hold.
import { t } from '../i18n.js';
import { dayOf, dayStamp, timeOfDay } from '../time.js';
import { html } from './h.js';
import { cutText, durationText } from './format.js';

/** @import {Closure} from '../../types/wire.d.ts' */

const LABEL_LENGTH = 10;

/** Planned or in force. @param {Closure} closure */
export const isLive = (closure) => closure.state !== 'ended';

/** In force first, then planned by when they begin. @param {Record<string, Closure> | undefined} closures @returns {Closure[]} */
export const liveClosures = (closures) =>
  Object.values(closures ?? {})
    .filter(isLive)
    .sort((a, b) => (a.state === b.state ? (a.starts_at < b.starts_at ? -1 : 1) : a.state === 'in_force' ? -1 : 1));

/** 和平路、纵2路, else where it is, else what it is for. @param {Closure} closure */
export const closureName = (closure) => closure.roads.slice(0, 2).join(t('join.list')) || closure.place || closure.reason;

/** 15:30, with the day where it is another one. @param {string} at @param {number} nowMs */
export function momentText(at, nowMs) {
  const ms = Date.parse(at);
  return dayStamp(ms) === dayStamp(nowMs) ? timeOfDay(ms) : `${dayOf(ms)} ${timeOfDay(ms)}`;
}

/** Until when, or from when: one short line. @param {Closure} closure @param {number} nowMs */
export function spanText(closure, nowMs) {
  if (closure.state === 'ended') return t('closure.span.ended', { at: momentText(closure.ended_at ?? closure.updated_at, nowMs) });
  const until = closure.ends_at && momentText(closure.ends_at, nowMs);
  if (closure.state === 'planned') {
    const from = momentText(closure.starts_at, nowMs);
    return until ? t('closure.span.planned_until', { from, until }) : t('closure.span.planned', { from });
  }
  return until ? t('closure.span.until', { at: until }) : t('closure.span.open');
}

/** How long it still holds, or how long until it begins; '' without an end. @param {Closure} closure @param {number} nowMs */
export function leftText(closure, nowMs) {
  if (closure.state === 'planned') return t('closure.begins_in', { time: durationText((Date.parse(closure.starts_at) - nowMs) / 1000) });
  if (closure.state !== 'in_force' || !closure.ends_at) return '';
  return t('closure.left', { time: durationText((Date.parse(closure.ends_at) - nowMs) / 1000) });
}

/** Beside the sign on the map. @param {Closure} closure @param {number} nowMs */
export const closureLabel = (closure, nowMs) => `${cutText(closure.reason, LABEL_LENGTH)}\n${spanText(closure, nowMs)}`;

/** The no-entry sign; a clock for what is planned. @param {{state: string, size?: number}} props */
export function ClosureMark({ state, size = 18 }) {
  return html`<svg class=${`closure-mark ${state}`} width=${size} height=${size} viewBox="-11 -11 22 22" aria-hidden="true">
    <circle r="9.4" />${state === 'in_force' ? html`<rect x="-6" y="-1.9" width="12" height="3.8" />` : html`<path d=${state === 'planned' ? 'M0 -5V0L3.6 2.4' : 'M-4 0L-1 3.4L4.6 -3.4'} />`}</svg>`;
}
