// The kinds of files that can be brought in: what they are drawn as, what they need, which formats they come in. Pure.

/** @import {KindRow} from '../../../types/imports.d.ts' */

/**
 * @typedef {object} Kind
 * @property {string} id
 * @property {string} needs permission
 * @property {'polygon' | 'point' | 'table' | 'roads'} shape
 * @property {string} path of its mark in a box of 24
 * @property {string[]} endings of the files it comes in
 * @property {boolean} byCode known ones are always updated by their number and nothing else is touched
 */

const SHAPES = ['zip', 'gpkg', 'geojson', 'json', 'kml', 'kmz', 'fgb'];
const TABLES = ['csv', 'txt', 'xlsx'];
const ALL = [...SHAPES, ...TABLES];

/** @type {Kind[]} */
export const KINDS = [
  { id: 'areas', needs: 'areas.manage', shape: 'polygon', path: 'M3 6 11 3.5 21 7v13l-9-2.5L3 20.5ZM11 3.5v14M3 13l9-3 9 4', endings: ALL, byCode: false },
  { id: 'beats', needs: 'areas.manage', shape: 'polygon', path: 'M12 2.5 20 5.5v6c0 5-3.6 8.6-8 10-4.4-1.4-8-5-8-10v-6ZM8.5 12l2.5 2.5 4.5-5', endings: ALL, byCode: false },
  { id: 'rules', needs: 'areas.manage', shape: 'table', path: 'M5 3h14v18H5ZM8.5 8h7M8.5 12h7M8.5 16h4', endings: TABLES, byCode: false },
  { id: 'departments', needs: 'areas.manage', shape: 'table', path: 'M4 4h7v7H4ZM13 4h7v7h-7ZM4 13h7v7H4ZM13 13h7v7h-7Z', endings: ALL, byCode: false },
  { id: 'cameras', needs: 'camera.manage', shape: 'point', path: 'M3 7.5h12v9H3ZM15 10.5l6-3v9l-6-3', endings: ALL, byCode: true },
  { id: 'responders', needs: 'responders.manage', shape: 'table', path: 'M12 4a4 4 0 1 0 .01 0ZM4.5 21c0-4.5 3.3-7 7.5-7s7.5 2.5 7.5 7Z', endings: ALL, byCode: true },
  { id: 'checkpoints', needs: 'areas.manage', shape: 'point', path: 'M4 20V9M20 20V9M2.5 9h19v-4h-19ZM7 9l3-4M13 9l3-4', endings: ALL, byCode: false },
  { id: 'places', needs: 'areas.manage', shape: 'point', path: 'M12 21.5C8 16.5 5.5 13 5.5 9.5a6.5 6.5 0 0 1 13 0c0 3.5-2.5 7-6.5 12ZM12 7.5a2.2 2.2 0 1 0 .01 0Z', endings: ALL, byCode: false },
  { id: 'roads', needs: 'areas.manage', shape: 'roads', path: 'M8 3 4 21M16 3l4 18M12 4v3M12 10.5v3M12 17v3', endings: ['pbf'], byCode: false },
];

/** @param {string} id @returns {Kind} */
export const kindOf = (id) => KINDS.find((kind) => kind.id === id) ?? { ...KINDS[0], id };

/** Those that an account may bring in. @param {readonly string[]} permissions */
export const kindsFor = (permissions) => KINDS.filter((kind) => permissions.includes(kind.needs));

/** May somebody with these permissions bring in anything? @param {readonly string[]} permissions */
export const mayImport = (permissions) => kindsFor(permissions).length > 0;

/** The ending of a file's name, lower case. @param {string} name */
export const endingOf = (name) => (name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '');

/**
 * What is wrong with a file before it is sent: key of the words, '' for nothing. The service looks at the content; this only
 * spares a person the wait for what cannot be.
 * @param {{name: string, size: number}} file @param {string} kind
 */
export function fileFault({ name, size }, kind) {
  if (size === 0) return 'imports.bad.empty';
  const ending = endingOf(name);
  if (ending === 'shp' || ending === 'dbf' || ending === 'shx' || ending === 'prj') return 'imports.bad.shp_part';
  if (ending === 'xls') return 'imports.bad.xls';
  if (['rar', '7z', 'dwg', 'dxf', 'pdf', 'doc', 'docx', 'mdb', 'gdb'].includes(ending)) return 'imports.bad.kind';
  if (kindOf(kind).shape === 'roads' ? ending !== 'pbf' : ending === 'pbf') return kindOf(kind).shape === 'roads' ? 'imports.bad.not_pbf' : 'imports.bad.is_pbf';
  return '';
}

/** How much of a kind is in force, null when it was not told. @param {KindRow[]} rows @param {string} kind */
export const nowOf = (rows, kind) => rows.find((row) => row.kind === kind)?.now ?? null;
