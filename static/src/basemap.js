// A basemap that failed once must not stay failed: the reader of its file keeps a broken answer for good, so a page
// that gets its network back starts with a new reader.

import { addProtocol } from '../vendor/maplibre-gl/maplibre-gl.mjs';

/** Call before opening a map again, after `createMap` had installed the first reader. */
export function renewBasemap() {
  const { pmtiles } = /** @type {any} */ (globalThis);
  addProtocol('pmtiles', new pmtiles.Protocol().tile);
}
