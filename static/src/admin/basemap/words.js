// What is said about a basemap, in the page's language.
import { ApiError } from '../../api.js';
import { has, t } from '../../i18n.js';
import { refusal } from '../../ui/refusal.js';

/** @import {BaseSource} from '../../../types/wire.d.ts' */
/** @import {Look, Turn, Wish} from '../../../types/basemap.d.ts' */

/** What may be wrong with an archive, as the service words it. @type {[RegExp, string][]} */
const ARCHIVE_FAULTS = [
  [/not a PMTiles archive/, 'no_pmtiles'],
  [/cut short|behind the end/, 'cut_short'],
  [/other than gzip/, 'packed'],
  [/gzips its pictures/, 'packed_pictures'],
  [/no vector_layers/, 'no_layers'],
  [/holds no tile/, 'empty'],
  [/kind that cannot be shown/, 'kind'],
];

/** The host in an address pattern, or "". @param {string} url */
export const hostOf = (url) => /^https?:\/\/([^/?#]+)/i.exec(url.trim())?.[1] ?? '';

/**
 * Why tiles do not come or cannot be shown, as a sentence.
 * @param {string} why @param {number | null | undefined} status @param {string} [host]
 */
export function whyText(why, status, host = '') {
  const exact = `basemap.why.status.${status}`;
  if (why === 'status' && has(exact)) return t(exact);
  const key = `basemap.why.${why}`;
  return has(key) ? t(key, { status: status ?? '', host }) : why;
}

/** Why the service said no. @param {unknown} error @param {string} [host] */
export function basemapRefusal(error, host = '') {
  if (!(error instanceof ApiError)) return refusal(error);
  if (error.error === 'basemap_not_shown') return whyText(String(error.body.why), /** @type {number | null} */ (error.body.status), host);
  if (error.error === 'bad_file') {
    const known = ARCHIVE_FAULTS.find(([pattern]) => pattern.test(error.detail))?.[1];
    return t(`basemap.why.${known ?? 'bad_file'}`, { detail: error.detail });
  }
  return refusal(error);
}

/** 有图, 无图, 回答 403. @param {Look} look */
export function lookText(look) {
  if (look.outcome === 'status') return t('basemap.look.status', { status: look.status ?? '' });
  const key = `basemap.look.${look.outcome}`;
  return has(key) ? t(key) : look.outcome;
}

/** Zooms to say instead, where the middle of the district has tiles at some of those looked at and none at others.
 * @param {Look[]} looks @returns {{min_zoom: number, max_zoom: number} | null}
 */
export function betterZooms(looks) {
  const there = looks.filter((look) => look.outcome === 'tile').map((look) => look.z);
  if (!there.length || !looks.some((look) => look.outcome === 'none')) return null;
  const [first, last] = [there[0], there[there.length - 1]];
  return looks.some((look) => look.z >= first && look.z <= last && look.outcome !== 'tile') ? null : { min_zoom: first, max_zoom: last };
}

/** 矢量 · WGS-84 · 8–14 级. @param {Pick<BaseSource, 'content' | 'side_px' | 'crs' | 'min_zoom' | 'max_zoom'>} source */
export const factsText = (source) =>
  [t(source.content === 'vector' ? 'basemap.vector' : 'basemap.raster', { px: source.side_px }), source.crs, zoomsText(source)].join(' · ');

/** @param {{min_zoom: number, max_zoom: number}} source */
export const zoomsText = ({ min_zoom, max_zoom }) => t('basemap.zooms', { from: min_zoom, to: max_zoom });

/** When what is in force in a slot came. @param {Turn[]} turns newest first @param {BaseSource} source */
export const turnOf = (turns, source) => turns.find((turn) => turn.slot === source.slot && turn.after?.version === source.version) ?? null;

/** What was there before and can be put back, each map once, newest first. @param {Turn[]} turns @param {BaseSource[]} inForce */
export function earlierOf(turns, inForce) {
  /** @param {BaseSource} source */
  const key = (source) => `${source.slot} ${source.version} ${source.name}`;
  const seen = new Set(inForce.map(key));
  return turns.filter((turn) => {
    if (!turn.before || !turn.kept || seen.has(key(turn.before))) return false;
    seen.add(key(turn.before));
    return true;
  });
}

/** What the service is told. @param {Wish} wish */
export const same = (/** @type {Wish} */ wish, /** @type {Wish} */ other) => JSON.stringify(ordered(wish)) === JSON.stringify(ordered(other));

/** @param {Wish} wish */
const ordered = ({ slot, name, attribution, crs, min_zoom, max_zoom, preferred }) => [slot, name, attribution, crs, min_zoom, max_zoom, preferred];
