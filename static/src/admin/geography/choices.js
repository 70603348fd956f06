// What a person may decide about a file, and what those decisions come to. Pure.
import { kindOf } from './kinds.js';

/** @import {Choices, CrsGuess, Draft, ImportColumn, ImportJob, Severity} from '../../../types/imports.d.ts' */

export const SYSTEMS = ['EPSG:4326', 'EPSG:4490', 'GCJ-02', 'BD-09'];
const SWAPPED = '+swapped';

/** @param {string} crs @returns {{base: string, swapped: boolean}} */
export const partsOf = (crs) => ({ base: crs.replace(SWAPPED, ''), swapped: crs.endsWith(SWAPPED) });

/** @param {string} base @param {boolean} swapped */
export const crsOf = (base, swapped) => base + (swapped ? SWAPPED : '');

/**
 * A typed code as the service writes it: 4526 → EPSG:4526; '' for what is none.
 * @param {string} typed
 */
export function epsgOf(typed) {
  const digits = /^(?:epsg\s*[:：]?\s*)?(\d{4,6})$/i.exec(typed.trim())?.[1];
  return digits ? `EPSG:${digits}` : '';
}

/**
 * @typedef {object} SystemRow
 * @property {string} base
 * @property {boolean} swapped whether the better guess has its axes swapped
 * @property {number | null} score 0 … 1, null for one nobody guessed
 * @property {CrsGuess['why'] | null} why
 */

/**
 * One row for each reference system: the guesses best first, then the usual ones that nothing speaks for, then what is in use.
 * @param {Draft['crs']} crs @param {string} used as chosen or guessed
 * @returns {SystemRow[]}
 */
export function systemRows(crs, used) {
  /** @type {Map<string, SystemRow>} */
  const rows = new Map();
  for (const guess of [...crs.guesses].sort((a, b) => b.score - a.score)) {
    const { base, swapped } = partsOf(guess.crs);
    if (!rows.has(base)) rows.set(base, { base, swapped, score: guess.score, why: guess.why });
  }
  for (const name of [...SYSTEMS, ...(crs.declared ? [crs.declared] : []), ...(used ? [used] : [])]) {
    const { base, swapped } = partsOf(name);
    if (!rows.has(base)) rows.set(base, { base, swapped, score: null, why: null });
  }
  return [...rows.values()];
}

/**
 * The choices as they hold now: decided here, else decided before, else guessed.
 * @param {ImportJob} job @param {Partial<Choices>} edits
 */
export function inForce(job, edits) {
  const chosen = { ...job.choices, ...edits };
  const { draft } = job;
  return {
    layer: chosen.layer ?? draft?.layer ?? '',
    encoding: chosen.encoding ?? draft?.encoding.used ?? '',
    crs: chosen.crs ?? draft?.crs.used ?? '',
    mapping: Object.fromEntries((draft?.columns ?? []).map((column) => [column.name, chosen.mapping?.[column.name] ?? column.field])),
    tierLabels: { ...draft?.tier_labels, ...chosen.tier_labels },
    defaultTier: chosen.default_tier,
    repair: chosen.repair,
    snapM: chosen.snap_m,
    mode: chosen.mode,
    keep: chosen.keep_columns,
    keepPrivate: chosen.keep_private,
  };
}

/**
 * The choices to send: what was decided before and now, nothing that was only guessed.
 * @param {Choices} choices @param {Partial<Choices>} edits
 */
export function bodyOf(choices, edits) {
  const { kind, rows, ...known } = { ...choices, ...edits };
  void kind;
  void rows;
  return known;
}

/**
 * A column gets a field; whoever had it before loses it.
 * @param {Record<string, string>} mapping as it holds @param {Record<string, string> | null} decided so far
 * @param {string} column @param {string} field '' for none
 */
export function mapped(mapping, decided, column, field) {
  const next = { ...decided, [column]: field };
  for (const [other, has] of Object.entries(mapping)) if (field && other !== column && has === field) next[other] = '';
  return next;
}

const POSITION = ['lon', 'lat', 'lonlat', 'wkt'];
const TABLES = ['csv', 'xlsx'];

/** Fields that no column stands for; where something lies is no column's business in a file with shapes. @param {Draft} draft @param {Record<string, string>} mapping */
export function unmapped(draft, mapping) {
  const used = new Set(Object.values(mapping));
  const placed = !TABLES.includes(draft.format) || POSITION.some((field) => used.has(field));
  return draft.fields.filter((field) => !used.has(field) && !(placed && POSITION.includes(field)));
}

/** A table of points in which no column says where they lie. @param {Draft} draft @param {Record<string, string>} mapping */
export function lacksPlace(draft, mapping) {
  const used = new Set(Object.values(mapping));
  return draft.needs.includes('columns') && kindOf(draft.kind).shape === 'point' && TABLES.includes(draft.format) && !used.has('lonlat') && !used.has('wkt') && !(used.has('lon') && used.has('lat'));
}

/** Kinds whose columns without a field can be kept. */
export const KEEPING = new Set(['areas']);

/** Columns with a field first, in file order among themselves. @param {ImportColumn[]} columns @param {Record<string, string>} mapping */
export const orderedColumns = (columns, mapping) => [...columns.filter(({ name }) => mapping[name]), ...columns.filter(({ name }) => !mapping[name])];

/** Rows whose tier nothing tells. @param {Draft} draft */
export const untiered = (draft) => Math.max(0, draft.rows - Object.values(draft.tiers).reduce((sum, n) => sum + n, 0));

// ── Which rows ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * @typedef {object} Picked
 * @property {'good' | 'warned' | 'chosen'} mode "warned" takes those with warnings too
 * @property {ReadonlyMap<number, boolean>} rows for "chosen": row → in or out, where it differs from "good"
 */

/** @type {Picked} */
export const GOOD = { mode: 'good', rows: new Map() };

/** Can it be brought in as picked? @param {Picked} picked @param {number} row @param {Severity | undefined} worst of the row */
export function isTaken(picked, row, worst) {
  if (worst === 'error') return false;
  if (picked.mode === 'warned') return true;
  return (picked.mode === 'chosen' ? picked.rows.get(row) : undefined) ?? worst !== 'warning';
}

/**
 * Put rows in or take them out; from then on the rows are picked one by one.
 * @param {Picked} picked @param {number[]} rows @param {boolean} taken @param {ReadonlyMap<number, Severity>} worst of every row with an issue
 * @returns {Picked}
 */
export function pick(picked, rows, taken, worst) {
  const next = new Map(picked.mode === 'chosen' ? picked.rows : []);
  if (picked.mode === 'warned') for (const [row, severity] of worst) if (severity === 'warning') next.set(row, true);
  for (const row of rows) {
    const severity = worst.get(row);
    if (severity === 'error') continue;
    if (taken === (severity !== 'warning')) next.delete(row);
    else next.set(row, taken);
  }
  return next.size ? { mode: 'chosen', rows: next } : GOOD;
}

/** What was picked, held against another draft of the file: a choice that is the usual one by now is none. @param {Picked} picked @param {ReadonlyMap<number, Severity>} worst */
export const repicked = (picked, worst) =>
  picked.mode !== 'chosen' ? picked : [true, false].reduce((kept, taken) => pick(kept, [...picked.rows].filter(([, value]) => value === taken).map(([row]) => row), taken, worst), GOOD);

/** How many rows would be brought in. @param {Picked} picked @param {Draft} draft @param {ReadonlyMap<number, Severity>} worst */
export function takenCount(picked, draft, worst) {
  const { good, warning } = draft.rows_by_worst;
  if (picked.mode === 'warned') return good + warning;
  let count = good;
  if (picked.mode === 'chosen') {
    for (const [row, taken] of picked.rows) {
      const severity = worst.get(row);
      if (severity === 'error') continue;
      if (taken && severity === 'warning') count += 1;
      else if (!taken && severity !== 'warning') count -= 1;
    }
  }
  return Math.max(0, count);
}

/** @typedef {[first: number, last: number]} Stretch rows with both ends */

/** The rows that would be brought in, as stretches. @param {Picked} picked @param {Draft} draft @param {ReadonlyMap<number, Severity>} worst */
export function stretchesOf(picked, draft, worst) {
  /** @type {Stretch[]} */
  const found = [];
  for (let row = 1; row <= draft.rows; row += 1) {
    if (!isTaken(picked, row, worst.get(row))) continue;
    const last = found.at(-1);
    if (last && last[1] === row - 1) last[1] = row;
    else found.push([row, row]);
  }
  return found;
}

/** As the service takes them. @param {Picked} picked @param {Draft} draft @param {ReadonlyMap<number, Severity>} worst @returns {import('../../../types/imports.d.ts').RowsSaid} */
export const rowsOf = (picked, draft, worst) =>
  picked.mode !== 'chosen' ? picked.mode : stretchesOf(picked, draft, worst).map(([first, last]) => (first === last ? first : [first, last]));

/** As a person writes them, 1-5, 9. @param {Stretch[]} stretches @param {number} offset from the row to the number it is shown with */
export const rowsText = (stretches, offset) => stretches.map(([first, last]) => (first === last ? `${first + offset}` : `${first + offset}-${last + offset}`)).join(', ');

/**
 * What a person wrote, in any order; null for what is none, or names rows that the file does not have.
 * @param {string} text @param {number} offset as for rowsText @param {number} rows in the file
 * @returns {Stretch[] | null}
 */
export function readRows(text, offset, rows) {
  /** @type {Stretch[]} */
  const found = [];
  for (const part of text.split(/[,，、;；]/)) {
    const [, from, to] = /^\s*(\d{1,9})\s*(?:[-–—~～至到]\s*(\d{1,9})\s*)?$/.exec(part) ?? [];
    if (!from) return null;
    const [first, last] = [Number(from) - offset, Number(to ?? from) - offset];
    if (first < 1 || first > last || last > rows) return null;
    found.push([first, last]);
  }
  return found;
}

/** Exactly these rows, but none with an error. @param {Stretch[]} stretches @param {Draft} draft @param {ReadonlyMap<number, Severity>} worst @returns {Picked} */
export function pickOnly(stretches, draft, worst) {
  /** @type {Map<number, boolean>} */
  const rows = new Map();
  const ordered = [...stretches].sort((a, b) => a[0] - b[0]);
  let [next, reach] = [0, 0];
  for (let row = 1; row <= draft.rows; row += 1) {
    while (next < ordered.length && ordered[next][0] <= row) {
      reach = Math.max(reach, ordered[next][1]);
      next += 1;
    }
    const severity = worst.get(row);
    const taken = row <= reach;
    if (severity !== 'error' && taken !== (severity !== 'warning')) rows.set(row, taken);
  }
  return rows.size ? { mode: 'chosen', rows } : GOOD;
}

/**
 * Tiers that are in force now and of which the file has no row: replacing would take them away.
 * @param {Record<string, number>} now tier → areas in force @param {Draft} draft
 */
export function tiersLost(now, draft) {
  const there = new Set(Object.entries(draft.tiers).filter(([, n]) => n > 0).map(([label]) => draft.tier_labels[label]));
  return Object.entries(now)
    .filter(([tier, n]) => n > 0 && !there.has(Number(tier)))
    .map(([tier, n]) => ({ tier: Number(tier), n }));
}
