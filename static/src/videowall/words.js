// What cameras, faults and places are called on these pages.
import { has, t } from '../i18n.js';
import { hourOf, timeOfDay } from '../time.js';
import { placeOf } from './tree.js';
import { ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */

/** 汀口镇 汀口社区 @param {Camera} camera */
export function placeText(camera) {
  const { town, village } = placeOf(camera, ui.areas);
  return [town?.name, village?.name].filter(Boolean).join(' ');
}

/** @param {string | null | undefined} fault */
export const faultText = (fault) => (fault && has(`camera.fault.${fault}`) ? t(`camera.fault.${fault}`) : (fault ?? ''));

/** @param {string} network */
export const networkText = (network) => (has(`console.network.${network}`) ? t(`console.network.${network}`) : network);

/** A district's own register may name sites in its own words. @param {string | null | undefined} site */
export const siteText = (site) => (site && has(`console.site.${site}`) ? t(`console.site.${site}`) : (site ?? ''));

/** @param {string} purpose */
export const purposeText = (purpose) => (has(`video.purpose.${purpose}`) ? t(`video.purpose.${purpose}`) : purpose);

/** Minute of the district's day. @param {number} ms */
export const minuteOfDay = (ms) => hourOf(ms) * 60 + Number(timeOfDay(ms).slice(3, 5));

/** 1.4 GB, 812 MB, 12 KB. @param {number | null | undefined} bytes */
export function sizeText(bytes) {
  if (bytes === null || bytes === undefined) return '—';
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
}
