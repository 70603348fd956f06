// The map of a draft. One for the whole page: it is taken out of the document and put back, never built twice.
import { createMap } from '../../map/map.js';
import { Movers } from '../../telemetry.js';
import { boxOf } from './issues.js';
import { CHOSEN, FAULTS, NOW, ROWS, install } from './preview-style.js';

/** @import {PreviewFeature} from '../../../types/imports.d.ts' */
/** @import {Theme} from '../../map/palette.js' */

/** @typedef {{lon: number, lat: number}} Place */

const RANK = /** @type {Record<string, number>} */ ({ error: 3, warning: 2, note: 1 });
const PICKED = ['intake-point', 'intake-overlap', 'intake-gap', 'intake-fill'];
const NEAR_PX = 5;
const collection = (/** @type {any[]} */ features) => ({ type: 'FeatureCollection', features });

/** @type {Promise<PreviewMap> | null} */
let only = null;

/** The page's map, made when first asked for. @param {{center: [number, number], bounds: [number, number, number, number], theme: Theme}} options */
export function previewMap({ center, bounds, theme }) {
  const box = document.createElement('div');
  box.className = 'map';
  only ??= createMap({ container: box, center, bounds, theme, movers: new Movers() }).then((map) => new PreviewMap(box, map, theme));
  return only;
}

/** @param {PreviewFeature} feature */
const isFault = (feature) => feature.properties.kind !== undefined;

export class PreviewMap {
  /** @type {PreviewFeature[]} */
  #features = [];
  /** @type {object[]} */
  #now = [];
  /** @type {object[]} */
  #chosen = [];
  #tier = 0;
  #ready = false;
  /** @type {Set<number>} features that would not be brought in, by id */
  #out = new Set();
  /** @type {(feature: PreviewFeature | null) => void} */
  onPick = () => {};
  /** @type {(feature: PreviewFeature | null, x: number, y: number) => void} */
  onHover = () => {};

  /** @param {HTMLElement} box @param {import('../../map/map.js').LiveMap} map @param {Theme} theme */
  constructor(box, map, theme) {
    this.box = box;
    this.map = map;
    this.theme = theme;
    const ready = () => {
      install(this.gl, this.theme);
      this.#ready = true;
      this.#fill();
    };
    this.gl.on('style.load', ready);
    if (this.gl.isStyleLoaded()) ready();
    this.gl.on('click', (/** @type {any} */ event) => this.onPick(this.#at(event.point)));
    this.gl.on('mousemove', (/** @type {any} */ event) => {
      const hit = this.#at(event.point);
      this.gl.getCanvas().style.cursor = hit ? 'pointer' : '';
      this.onHover(hit, event.point.x, event.point.y);
    });
    this.gl.on('mouseout', () => this.onHover(null, 0, 0));
  }

  /** @returns {any} */
  get gl() {
    return this.map.gl;
  }

  /** Show it here. @param {HTMLElement} parent */
  attach(parent) {
    parent.append(this.box);
    this.gl.resize();
  }

  detach() {
    this.box.remove();
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    if (theme === this.theme) return;
    this.theme = theme;
    this.#ready = false;
    this.map.setTheme(theme);
  }

  /** @param {PreviewFeature[]} features @param {number} tier the one to fill; 0 for files without tiers */
  setRows(features, tier) {
    this.#features = features;
    this.#tier = tier;
    this.#fill();
  }

  /** Outlines in force. @param {object[]} features */
  setNow(features) {
    this.#now = features;
    if (this.#ready) this.gl.getSource(NOW)?.setData(collection(features));
  }

  /** Features that would not be brought in. @param {Set<number>} ids */
  setOut(ids) {
    for (const id of this.#out) if (!ids.has(id) && this.#ready) this.gl.setFeatureState({ source: ROWS, id }, { out: false });
    for (const id of ids) if (!this.#out.has(id) && this.#ready) this.gl.setFeatureState({ source: ROWS, id }, { out: true });
    this.#out = ids;
  }

  /** Outline one, or what lies at a place; null clears. @param {PreviewFeature | Place | null} what */
  choose(what) {
    this.#chosen = !what ? [] : 'lon' in what ? [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [what.lon, what.lat] } }] : [what];
    if (this.#ready) this.gl.getSource(CHOSEN)?.setData(collection(this.#chosen));
  }

  /** Go there unless it is in view already: a file that only moved by its datum is seen to move. @param {[number, number, number, number] | null} bounds */
  reach(bounds) {
    const view = this.map.bounds();
    const within = bounds && view[0] < bounds[0] + (bounds[2] - bounds[0]) / 2 && view[2] > bounds[2] - (bounds[2] - bounds[0]) / 2 && view[1] < bounds[1] + (bounds[3] - bounds[1]) / 2 && view[3] > bounds[3] - (bounds[3] - bounds[1]) / 2;
    if (!within) this.fit(bounds);
  }

  /** Go where all of it is. @param {[number, number, number, number] | null} bounds */
  fit(bounds) {
    if (bounds) this.gl.fitBounds(bounds, { padding: 40, maxZoom: 16, duration: 0 });
  }

  /** Go to one row, close enough to see what is wrong at a place of it. @param {PreviewFeature | null} feature @param {Place | null} place */
  show(feature, place) {
    const box = feature ? boxOf(feature.geometry) : null;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (box && box[2] > box[0]) this.gl.fitBounds(box, { padding: 70, maxZoom: 17, duration: still ? 0 : 300 });
    else if (place || box) this.gl.easeTo({ center: place ? [place.lon, place.lat] : [box?.[0], box?.[1]], zoom: Math.max(this.gl.getZoom(), 15), duration: still ? 0 : 300 });
  }

  #fill() {
    if (!this.#ready) return;
    const ids = this.#features.map((feature, index) => ({ ...feature, id: index + 1 }));
    this.gl.removeFeatureState({ source: ROWS });
    this.gl.getSource(ROWS)?.setData(collection(ids.filter((feature) => !isFault(feature) && feature.geometry)));
    this.gl.getSource(FAULTS)?.setData(collection(ids.filter((feature) => isFault(feature) && feature.geometry)));
    this.gl.getSource(NOW)?.setData(collection(this.#now));
    this.gl.getSource(CHOSEN)?.setData(collection(this.#chosen));
    const tier = ['coalesce', ['get', 'tier'], 0];
    const shown = this.#tier ? ['==', tier, this.#tier] : true;
    const surface = ['in', ['geometry-type'], ['literal', ['Polygon', 'MultiPolygon']]];
    for (const id of ['intake-fill', 'intake-line']) this.gl.setFilter(id, ['all', shown, surface]);
    for (const name of ['note', 'warning', 'error']) this.gl.setFilter(`intake-pattern-${name}`, ['all', shown, surface, ['==', ['get', 'worst'], name]]);
    this.gl.setFilter('intake-upper', this.#tier ? ['all', ['>', tier, 0], ['<', tier, this.#tier]] : false);
    for (const id of this.#out) this.gl.setFeatureState({ source: ROWS, id }, { out: true });
  }

  /** The feature drawn at a point on screen: faults before rows, the worst row first. @param {{x: number, y: number}} at @returns {PreviewFeature | null} */
  #at(at) {
    if (!this.#ready) return null;
    /** @param {string[]} layers @param {number} px */
    const hits = (layers, px) => this.gl.queryRenderedFeatures([[at.x - px, at.y - px], [at.x + px, at.y + px]], { layers });
    const found = [...hits(['intake-point', 'intake-overlap', 'intake-gap'], NEAR_PX), ...hits(['intake-fill'], 0)];
    found.sort((a, b) => PICKED.indexOf(a.layer.id) - PICKED.indexOf(b.layer.id) || (RANK[b.properties.worst] ?? 0) - (RANK[a.properties.worst] ?? 0));
    return found.length ? (this.#features[found[0].id - 1] ?? null) : null;
  }
}
