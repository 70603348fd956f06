// What a dry run found, as counts and as a file to take back to whoever made the list. Pure.

/** @import {ImportAnswer, ImportError} from '../../types/video.d.ts' */

/** @param {ImportError} error */
export const wordsOf = (error) => error.detail ?? error.reason ?? '';

/** A cell that no spreadsheet takes for a formula. @param {string | number} value */
function cell(value) {
  const text = String(value);
  // An apostrophe before the sign keeps it text; quotes alone do not.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Row errors as CSV with a byte order mark, so that Excel reads the Chinese.
 * @param {ImportError[]} errors @param {[string, string, string]} header row, column, reason
 */
export function errorsCsv(errors, header) {
  const lines = errors.map((error) => [error.row, error.column ?? error.field ?? '', wordsOf(error)].map(cell).join(','));
  return `\ufeff${[header.map(cell).join(','), ...lines].join('\r\n')}\r\n`;
}

/**
 * Header → what it was understood as, both ways round that a server may say it.
 * @param {ImportAnswer['columns'] | undefined} columns
 * @returns {{header: string, meaning: string | null}[]}
 */
export function columnRows(columns) {
  if (!columns) return [];
  if (Array.isArray(columns)) return columns.map((name) => ({ header: name, meaning: name }));
  return Object.entries(columns).map(([header, meaning]) => ({ header, meaning: meaning || null }));
}

/** Rows with errors by column, the commonest first. @param {ImportError[]} errors */
export function errorCounts(errors) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const error of errors) {
    const column = error.column ?? error.field ?? '';
    counts.set(column, (counts.get(column) ?? 0) + 1);
  }
  return [...counts].map(([column, n]) => ({ column, n })).sort((a, b) => b.n - a.n || (a.column < b.column ? -1 : 1));
}

const KINDS = ['csv', 'txt', 'xlsx', 'xls', 'geojson', 'json'];
export const MOST_BYTES = 32 << 20;

/** May the file be sent? Key of the words, "" when it may. @param {{name: string, size: number}} file */
export function fileFault({ name, size }) {
  const ending = name.split('.').at(-1)?.toLowerCase() ?? '';
  if (!KINDS.includes(ending)) return 'admin.import.bad_kind';
  if (size === 0) return 'admin.import.empty';
  return size > MOST_BYTES ? 'admin.import.too_big' : '';
}
