// Loose parts of a shapefile as one archive, so that a person need not pack them first. Stored, not compressed. Pure.
import { endingOf } from './kinds.js';

const PARTS = ['shp', 'shx', 'dbf', 'prj', 'cpg', 'cst', 'qix', 'sbn', 'sbx', 'shp.xml', 'xml'];

/** @type {Uint32Array | null} */
let table = null;

function crcTable() {
  if (table) return table;
  table = new Uint32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[n] = c >>> 0;
  }
  return table;
}

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  const known = crcTable();
  let c = 0xffffffff;
  for (const byte of bytes) c = known[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/**
 * An archive of these files.
 * @param {{name: string, bytes: Uint8Array}[]} files @returns {Blob}
 */
export function zipOf(files) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const called = new TextEncoder().encode(name);
    const head = new DataView(new ArrayBuffer(30));
    const entry = new DataView(new ArrayBuffer(46));
    head.setUint32(0, 0x04034b50, true);
    entry.setUint32(0, 0x02014b50, true);
    entry.setUint16(4, 20, true);
    for (const [view, at] of /** @type {[DataView, number][]} */ ([[head, 4], [entry, 6]])) {
      view.setUint16(at, 20, true);
      view.setUint16(at + 2, 0x0800, true); // names are UTF-8
      view.setUint16(at + 8, 0x21, true); // 1 January 1980, the first day there is
      view.setUint32(at + 10, crc32(bytes), true);
      view.setUint32(at + 14, bytes.length, true);
      view.setUint32(at + 18, bytes.length, true);
      view.setUint16(at + 22, called.length, true);
    }
    entry.setUint32(42, offset, true);
    pieces.push(new Uint8Array(head.buffer), called, bytes);
    directory.push(new Uint8Array(entry.buffer), called);
    offset += 30 + called.length + bytes.length;
  }
  const size = directory.reduce((sum, piece) => sum + piece.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob(/** @type {any} */ ([...pieces, ...directory, new Uint8Array(end.buffer)]), { type: 'application/zip' });
}

/** The name without its ending. @param {string} name */
const stem = (name) => name.replace(/\.shp\.xml$/i, '').replace(/\.[^.]*$/, '').toLowerCase();

/**
 * The files of one shapefile among those that were dropped; [] where it is none.
 * @template {{name: string}} T
 * @param {T[]} files @returns {T[]}
 */
export function shapefileParts(files) {
  const main = files.find((file) => endingOf(file.name) === 'shp');
  if (!main) return [];
  return files.filter((file) => stem(file.name) === stem(main.name) && PARTS.includes(endingOf(file.name)));
}
