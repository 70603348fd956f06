// Words. Simplified Chinese is the source; English has every key too, which a test checks.

import common_en from './i18n/en.js';
import common_zh from './i18n/zh-CN.js';
import admin_en from './i18n/admin.en.js';
import admin_zh from './i18n/admin.zh-CN.js';
import areas_en from './i18n/areas.en.js';
import areas_zh from './i18n/areas.zh-CN.js';
import basemap_en from './i18n/basemap.en.js';
import basemap_zh from './i18n/basemap.zh-CN.js';
import camera_en from './i18n/camera.en.js';
import camera_zh from './i18n/camera.zh-CN.js';
import closure_en from './i18n/closure.en.js';
import closure_zh from './i18n/closure.zh-CN.js';
import console_en from './i18n/console.en.js';
import console_zh from './i18n/console.zh-CN.js';
import field_en from './i18n/field.en.js';
import field_zh from './i18n/field.zh-CN.js';
import imports_en from './i18n/imports.en.js';
import imports_zh from './i18n/imports.zh-CN.js';
import lead_en from './i18n/lead.en.js';
import lead_zh from './i18n/lead.zh-CN.js';
import video_en from './i18n/video.en.js';
import video_zh from './i18n/video.zh-CN.js';
import wall_en from './i18n/wall.en.js';
import wall_zh from './i18n/wall.zh-CN.js';

/** @typedef {'zh-CN' | 'en'} Language */

/** @type {Record<Language, Record<string, string>>} */
const TEXTS = {
  'zh-CN': { ...common_zh, ...admin_zh, ...areas_zh, ...basemap_zh, ...camera_zh, ...closure_zh, ...console_zh, ...field_zh, ...imports_zh, ...lead_zh, ...video_zh, ...wall_zh },
  en: { ...common_en, ...admin_en, ...areas_en, ...basemap_en, ...camera_en, ...closure_en, ...console_en, ...field_en, ...imports_en, ...lead_en, ...video_en, ...wall_en },
};

const STORED = 'yiping.language';
/** @type {Set<(language: Language) => void>} */
const listeners = new Set();
let current = firstLanguage();
applyToPage();

/** @returns {Language} */
function firstLanguage() {
  if (typeof location === 'undefined') return 'zh-CN';
  const asked = new URLSearchParams(location.search).get('lang');
  if (asked) store(asked === 'en' ? 'en' : 'zh-CN');
  return (asked ?? readStored()) === 'en' ? 'en' : 'zh-CN';
}

/** @param {Language} chosen */
function store(chosen) {
  try {
    localStorage.setItem(STORED, chosen);
  } catch {
    // see readStored
  }
}

function readStored() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null; // storage may be blocked; the language is then not remembered
  }
}

function applyToPage() {
  if (typeof document !== 'undefined') document.documentElement.lang = current;
}

/** @returns {Language} */
export const language = () => current;

/** @param {Language} next */
export function setLanguage(next) {
  current = next;
  applyToPage();
  store(next);
  for (const listener of listeners) listener(next);
}

/**
 * @param {(language: Language) => void} listener
 * @returns {() => void}
 */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The text of a key. `{name}` is replaced by the parameter, `{n:job|jobs}` chooses by whether n is 1. An unknown key
 * is returned as it is, so that a gap shows instead of hiding.
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 * @returns {string}
 */
export function t(key, params) {
  const text = TEXTS[current][key] ?? TEXTS['zh-CN'][key];
  if (text === undefined) return key;
  if (!params) return text;
  return text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name, one, many) => {
    if (!(name in params)) return whole;
    if (many === undefined) return String(params[name]);
    return Number(params[name]) === 1 ? one : many;
  });
}

/** @param {string} key */
export const has = (key) => key in TEXTS[current];

/** Only for the test of completeness. */
export const allTexts = () => TEXTS;
