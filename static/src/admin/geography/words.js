// What is said about a file on its way in, in the page's language.
import { ApiError } from '../../api.js';
import { has, language, t } from '../../i18n.js';
import { dayOf, timeOfDay } from '../../time.js';
import { refusal } from '../../ui/refusal.js';

/** @import {ImportJob, Why} from '../../../types/imports.d.ts' */

/** @param {Why} why */
export const whyText = (why) => (language() === 'en' ? why.en : why.zh);

/** @param {{detail_zh: string, detail_en: string}} issue */
export const detailText = (issue) => (language() === 'en' ? issue.detail_en : issue.detail_zh);

/** A word of a list that may grow, or the plain code. @param {string} group @param {string} code */
const word = (group, code) => (has(`imports.${group}.${code}`) ? t(`imports.${group}.${code}`) : code);

/** @param {string} kind */
export const kindText = (kind) => word('kind', kind);
/** @param {string} code */
export const issueText = (code) => word('issue', code);
/** @param {string} field */
export const fieldText = (field) => (has(`imports.field.${field}`) ? t(`imports.field.${field}`) : has(`admin.field.${field}`) ? t(`admin.field.${field}`) : has(`admin.source.${field}`) ? t(`admin.source.${field}`) : field);
/** @param {string} format */
export const formatText = (format) => word('format', format);
/** @param {string} stage */
export const stageText = (stage) => word('stage', stage.replaceAll('-', '_'));
/** @param {string} state */
export const stateText = (state) => word('state', state);
/** @param {string} what */
export const whatText = (what) => (has(`imports.what.${what}`) ? t(`imports.what.${what}`) : kindText(what));

/** GB18030 with what it also reads; text that was once read wrongly. @param {string} name @returns {string} */
export function encodingText(name) {
  if (name.includes('>')) {
    const [wrong, right] = name.split('>');
    return t('imports.encoding.reread', { wrong: encodingText(wrong), right: encodingText(right) });
  }
  return has(`imports.encoding.${name}`) ? t(`imports.encoding.${name}`) : name.toUpperCase();
}

/** @param {string} base a reference system without its axes */
export function systemText(base) {
  const key = `imports.crs.${base.replace(/[:-]/g, '_')}`;
  return has(key) ? t(key) : base;
}

/** 516 个（2 个镇街…）. @param {number} n @param {string} kind */
export const countText = (n, kind) => t(has(`imports.n_of.${kind}`) ? `imports.n_of.${kind}` : 'imports.n_of.rows', { n: numberText(n) });

/** 12,345. @param {number} n */
export const numberText = (n) => n.toLocaleString('en');

/** 11月25日 13:15. @param {string} at */
export const momentText = (at) => `${dayOf(at)} ${timeOfDay(at)}`;

/** Why a job failed. @param {NonNullable<ImportJob['error']>} error */
export function failureText(error) {
  if (language() !== 'en' && error.detail_zh) return error.detail_zh;
  const key = `imports.error.${error.error}`;
  return has(key) ? t(key, { detail: error.detail }) : error.detail || error.error;
}

/** Why the service said no to something about an import. @param {unknown} error */
export function importRefusal(error) {
  if (error instanceof ApiError) {
    const key = `imports.error.${error.error}`;
    if (has(key)) return t(key, { detail: error.detail });
  }
  return refusal(error);
}

/** Why a revision cannot be taken back any more. @param {string | null} why */
export function whyNotText(why) {
  if (!why) return '';
  const later = /^revision (\d+) changed/.exec(why)?.[1];
  if (later) return t('imports.why_not.later', { n: later });
  return /no longer kept/.test(why) ? t('imports.why_not.gone') : why;
}

/**
 * What an import or a revision came to: 新增 3，更新 45，未导入 2.
 * @param {Record<string, number>} counts
 */
export function countsText(counts) {
  const order = ['taken', 'new', 'changed', 'gone', 'left_out', 'length_km', 'buildings', 'addresses'];
  return order
    .filter((name) => counts[name] && !(name === 'taken' && (counts.new || counts.changed)))
    .map((name) => t(`imports.counts.${name}`, { n: numberText(counts[name]) }))
    .join(t('join.clause'));
}
