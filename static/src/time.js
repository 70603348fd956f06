// Clocks and ages in words. The district's own time zone is used wherever a time of day is shown.

import { language, t } from './i18n.js';

export const TIME_ZONE = 'Asia/Shanghai';

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} locale @param {Intl.DateTimeFormatOptions} options */
function format(locale, options) {
  const key = locale + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, ...options });
    formats.set(key, made);
  }
  return made;
}

/** @param {string | number | null | undefined} at @returns {number | null} epoch ms */
export function toMs(at) {
  if (at == null) return null;
  const ms = typeof at === 'number' ? at : Date.parse(at);
  return Number.isNaN(ms) ? null : ms;
}

/**
 * Time of day, `14:32` or `14:32:08`; an en dash when unknown.
 * @param {string | number | null | undefined} at
 * @param {{seconds?: boolean}} [options]
 */
export function timeOfDay(at, { seconds = false } = {}) {
  const ms = toMs(at);
  if (ms === null) return '–';
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(seconds ? { second: '2-digit' } : {}) };
  return format('en-GB', options).format(ms);
}

/** `2026-11-22` in the district, for names of files. @param {number} ms */
export const dayStamp = (ms) =>
  format('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms);

/** `2026-11-22T14:32` in the district, as a field for a moment holds it. @param {number} ms */
export const districtStamp = (ms) => `${dayStamp(ms)}T${timeOfDay(ms)}`;

/** The moment of such a stamp, epoch ms; NaN when it is none. @param {string} stamp */
export function ofDistrictStamp(stamp) {
  const asUtc = Date.parse(`${stamp}Z`);
  if (Number.isNaN(asUtc)) return NaN;
  return asUtc - (Date.parse(`${districtStamp(asUtc)}Z`) - asUtc);
}

/** Month and day, `11月18日` / `18 Nov`. @param {string | number | null | undefined} at */
export function dayOf(at) {
  const ms = toMs(at);
  if (ms === null) return '–';
  const chinese = language() === 'zh-CN';
  return format(chinese ? 'zh-CN' : 'en-GB', { month: chinese ? 'long' : 'short', day: 'numeric' }).format(ms);
}

/** `星期三` / `Wednesday`; short: `周三` / `Wed`. @param {number} ms @param {boolean} [short] */
export const weekday = (ms, short = false) =>
  format(language() === 'zh-CN' ? 'zh-CN' : 'en-GB', { weekday: short ? 'short' : 'long' }).format(ms);

/** The hour of the day in the district, 0 … 23. @param {number} ms */
export const hourOf = (ms) => Number(format('en-GB', { hour: '2-digit', hourCycle: 'h23' }).format(ms));

/** Minutes since midnight in the district. @param {number} ms */
export function minuteOfDay(ms) {
  const [hour, minute] = timeOfDay(ms).split(':').map(Number);
  return hour * 60 + minute;
}

/**
 * A running clock, `0:24`, `8:15`, `1:02:03`; the sign is dropped.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/**
 * A length of time in words: 24 秒, 2 分 10 秒, 11 分, 1 小时 52 分, 3 天.
 * @param {number} seconds
 * @param {{fine?: boolean}} [options] fine: seconds beside minutes below ten minutes
 */
export function duration(seconds, { fine = false } = {}) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('time.seconds', { n: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    const rest = whole % 60;
    if (fine && minutes < 10 && rest) return t('time.minutes_seconds', { m: minutes, s: rest });
    return t('time.minutes', { n: minutes });
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = minutes % 60;
    return rest ? t('time.hours_minutes', { h: hours, m: rest }) : t('time.hours', { n: hours });
  }
  return t('time.days', { n: Math.floor(hours / 24) });
}

/** `4 秒前`. @param {number} seconds */
export const ago = (seconds) => t('time.ago', { time: duration(seconds) });

/** `0.7 km` / `120 m`. @param {number | null | undefined} metres */
export function distance(metres) {
  if (metres == null) return '–';
  if (metres < 1000) return t('unit.m', { n: Math.round(metres / 10) * 10 });
  return t('unit.km', { n: (metres / 1000).toFixed(metres < 10_000 ? 1 : 0) });
}
