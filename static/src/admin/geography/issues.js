// The list of what is wrong with a file's rows: read from its table, counted, filtered. Pure.

/** @import {Issue, PreviewFeature, Severity} from '../../../types/imports.d.ts' */

/** @type {Severity[]} */
export const SEVERITIES = ['error', 'warning', 'note'];
const RANK = { error: 3, warning: 2, note: 1 };
/** Kept in the page; the rest stands in the file that can be downloaded. */
export const MOST_ISSUES = 200_000;

/**
 * The cells of a CSV, RFC 4180: quotes, doubled quotes, line breaks inside cells.
 * @param {string} text
 * @returns {Generator<string[], void, void>}
 */
export function* csvRows(text) {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  /** @type {string[]} */
  let row = [];
  while (at < text.length) {
    let cell;
    if (text[at] === '"') {
      let end = at + 1;
      for (;;) {
        end = text.indexOf('"', end);
        if (end < 0) end = text.length;
        if (text[end + 1] !== '"') break;
        end += 2;
      }
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      let end = at;
      while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end += 1;
      cell = text.slice(at, end);
      at = end;
    }
    row.push(cell);
    if (text[at] === ',') {
      at += 1;
      if (at === text.length) row.push('');
      continue;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    yield row;
    row = [];
  }
  if (row.length) yield row;
}

/** @param {string} cell */
const degrees = (cell) => (cell === '' ? null : Number(cell));

/** Read `issues.csv`. @param {string} text @returns {Issue[]} */
export function readIssues(text) {
  /** @type {Record<string, number>} */
  let column = {};
  /** @type {Issue[]} */
  const issues = [];
  for (const row of csvRows(text)) {
    if (!('row' in column)) {
      column = Object.fromEntries(row.map((name, index) => [name, index]));
      if (!('row' in column)) return [];
      continue;
    }
    if (issues.length === MOST_ISSUES) break;
    /** @param {string} name */
    const cell = (name) => row[column[name]] ?? '';
    issues.push({
      row: Number(cell('row')),
      code: cell('code'),
      name: cell('name'),
      severity: /** @type {Severity} */ (cell('severity')),
      issue: cell('issue'),
      detail_zh: cell('detail_zh'),
      detail_en: cell('detail_en'),
      lon: degrees(cell('lon')),
      lat: degrees(cell('lat')),
    });
  }
  return issues;
}

/** The worst that was said of each row; row 0 is the file as a whole. @param {Issue[]} issues @returns {Map<number, Severity>} */
export function worstByRow(issues) {
  /** @type {Map<number, Severity>} */
  const worst = new Map();
  for (const { row, severity } of issues) {
    const known = worst.get(row);
    if (row > 0 && (!known || RANK[severity] > RANK[known])) worst.set(row, severity);
  }
  return worst;
}

/** What is drawn says the same as the list, which the registers add to. @param {PreviewFeature[]} features @param {ReadonlyMap<number, Severity>} worst @returns {PreviewFeature[]} */
export const withWorst = (features, worst) =>
  features.map((feature) => (feature.properties.row === undefined ? feature : { ...feature, properties: { ...feature.properties, worst: worst.get(feature.properties.row) ?? 'good' } }));

/**
 * @param {Issue[]} issues @param {{severity: string, code: string, row?: number}} filter '' for all
 */
export const shownIssues = (issues, { severity, code, row = 0 }) =>
  severity || code || row ? issues.filter((issue) => (!severity || issue.severity === severity) && (!code || issue.issue === code) && (!row || issue.row === row)) : issues;

/** Codes with how often each stands there, the commonest first. @param {Issue[]} issues @param {string} severity '' for all */
export function codeCounts(issues, severity) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const issue of issues) if (!severity || issue.severity === severity) counts.set(issue.issue, (counts.get(issue.issue) ?? 0) + 1);
  return [...counts].map(([code, n]) => ({ code, n })).sort((a, b) => b.n - a.n || (a.code < b.code ? -1 : 1));
}

/** @param {Issue[]} issues */
export function severityCounts(issues) {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of issues) counts[severity] += 1;
  return counts;
}

/**
 * The box around a geometry, or null for one without coordinates.
 * @param {PreviewFeature['geometry']} geometry
 * @returns {[number, number, number, number] | null} west, south, east, north
 */
export function boxOf(geometry) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  /** @param {any} part */
  const walk = (part) => {
    if (typeof part[0] === 'number') {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
    } else for (const inner of part) walk(inner);
  };
  for (const part of geometry?.geometries ?? [geometry]) if (part?.coordinates) walk(part.coordinates);
  return box[0] <= box[2] ? /** @type {[number, number, number, number]} */ (box) : null;
}

/** The part of a long list that is in view. @param {number} count @param {number} top px @param {number} height px @param {number} rowPx */
export function windowOf(count, top, height, rowPx) {
  const first = Math.max(0, Math.floor(top / rowPx) - 8);
  const last = Math.min(count, Math.ceil((top + height) / rowPx) + 8);
  return { first: Math.min(first, Math.max(0, count - 1)), last };
}
