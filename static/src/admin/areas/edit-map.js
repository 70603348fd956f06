// The map of the editor: outlines and handles of what is chosen, dragged live; everything it finds is told to the page.
import { Movers } from '../../telemetry.js';
import { createMap } from '../../map/map.js';
import { metresPerPixel } from '../../map/sphere.js';
import { handlesOf, insertAt, moveAt, shareBorder, snapTo } from './mesh.js';

/** @import {Geometry, Piece, Point, Step} from '../../../types/areas.d.ts' */

/**
 * @typedef {object} Shown
 * @property {ReadonlyMap<string, Piece>} pieces
 * @property {string[]} changed keys
 * @property {string} code of the chosen area
 * @property {Geometry | null} chosen its outline where there are no pieces yet
 * @property {import('./store.js').Mode} mode
 * @property {Point | null} vertex
 * @property {Point[]} line
 * @property {{at: Point | null, areas: string[]} | null} fault
 * @property {Geometry | null} older
 */

/**
 * @typedef {object} Told
 * @property {(at: Point) => void} onPlace a click on the map
 * @property {(pieces: ReadonlyMap<string, Piece>, steps: Step[], vertex: Point) => void} onDragged
 * @property {(at: Point | null) => void} onVertex a corner was chosen
 * @property {(at: Point) => void} onLine a point of the line to cut along
 * @property {() => void} onLineEnd
 */

const SOURCES = ['edit-older', 'edit-shapes', 'edit-live', 'edit-line', 'edit-middles', 'edit-vertices', 'edit-fault'];
const GRAB_PX = 11;
const SNAP_PX = 9;
const DEG_M = 111_195;

/** @param {Geometry | {type: string, coordinates: any}} geometry @param {object} [properties] */
const feature = (geometry, properties = {}) => ({ type: 'Feature', properties, geometry });
/** @param {Point} at @param {object} [properties] */
const point = (at, properties) => feature({ type: 'Point', coordinates: at }, properties);

export class EditMap {
  #live;
  #told;
  /** @type {Shown | null} */
  #shown = null;
  /** @type {{vertices: {at: Point, shared: boolean}[], middles: Point[]}} */
  #handles = { vertices: [], middles: [] };
  /** @type {{at: Point, to: Point, steps: Step[], pieces: ReadonlyMap<string, Piece>, moved: boolean} | null} */
  #drag = null;
  /** @type {Record<string, object[]>} */
  #data = {};
  #frame = 0;
  #onUp = () => this.#up();
  /** @type {Point | null} where the line would go on */
  #pointer = null;

  /** @param {import('../../map/map.js').LiveMap} live @param {Told} told */
  constructor(live, told) {
    this.#live = live;
    this.#told = told;
    const { gl } = live;
    if (gl.isStyleLoaded()) this.#install();
    gl.on('style.load', () => this.#install());
    gl.on('mousedown', (/** @type {any} */ event) => this.#down(event));
    gl.on('mousemove', (/** @type {any} */ event) => this.#move(event));
    gl.on('dblclick', (/** @type {any} */ event) => {
      if (this.#shown?.mode !== 'split') return;
      event.preventDefault();
      this.#told.onLineEnd();
    });
    window.addEventListener('mouseup', this.#onUp);
    live.onPick(({ lon, lat }) => this.#pick([lon, lat]));
  }

  close() {
    window.removeEventListener('mouseup', this.#onUp);
    this.#live.gl.remove();
  }

  #install() {
    const { gl, palette: p } = this.#live;
    if (gl.getSource('edit-shapes')) return;
    for (const name of SOURCES) gl.addSource(name, { type: 'geojson', data: { type: 'FeatureCollection', features: /** @type {any} */ (this.#data[name] ?? []) } });
    // Borders are what this page is about: they stand out more than on the other maps.
    for (const [tier, colour, width] of /** @type {[number, string, number][]} */ ([[4, p.label, 1.4], [3, p.strong, 2], [2, p.strong, 2.6]])) {
      gl.setPaintProperty(`area-${tier}`, 'line-color', colour);
      gl.setPaintProperty(`area-${tier}`, 'line-width', width);
      if (tier === 3) gl.setPaintProperty('area-3', 'line-dasharray', [5, 2]);
    }
    const round = { 'line-join': 'round', 'line-cap': 'round' };
    /** @param {string} id @param {string} type @param {string} source @param {object} paint @param {object} [more] */
    const layer = (id, type, source, paint, more = {}) => gl.addLayer(/** @type {any} */ ({ id, type, source, paint, ...more }));
    const changed = p.levels[1];
    for (const source of ['edit-shapes', 'edit-live']) {
      layer(`${source}-fill`, 'fill', source, {
        'fill-color': ['match', ['get', 'role'], 'fault', p.closure, 'offer', changed, p.accent],
        'fill-opacity': ['match', ['get', 'role'], 'chosen', 0.14, 'offer', 0.16, 'fault', 0.22, 0],
      });
      layer(`${source}-line`, 'line', source, {
        'line-color': ['match', ['get', 'role'], 'chosen', p.accent, 'fault', p.closure, 'offer', changed, ['case', ['get', 'changed'], changed, p.label]],
        'line-width': ['match', ['get', 'role'], 'chosen', 2.4, 'fault', 2.4, ['case', ['get', 'changed'], 2.2, 1.4]],
      }, { layout: round });
    }
    layer('edit-older', 'line', 'edit-older', { 'line-color': changed, 'line-width': 3, 'line-dasharray': [1.6, 1.2] });
    layer('edit-line', 'line', 'edit-line', { 'line-color': changed, 'line-width': 2.4, 'line-dasharray': [2, 1.6] }, { layout: round, filter: ['==', ['geometry-type'], 'LineString'] });
    layer('edit-line-points', 'circle', 'edit-line', { 'circle-radius': 4.5, 'circle-color': changed, 'circle-stroke-width': 1.5, 'circle-stroke-color': p.halo }, { filter: ['==', ['geometry-type'], 'Point'] });
    layer('edit-middle', 'circle', 'edit-middles', { 'circle-radius': 3.6, 'circle-color': p.halo, 'circle-stroke-width': 1.4, 'circle-stroke-color': p.accent, 'circle-stroke-opacity': 0.8 }, { minzoom: 12 });
    layer('edit-vertex', 'circle', 'edit-vertices', {
      'circle-radius': ['case', ['get', 'chosen'], 7.5, 5.5],
      'circle-color': ['case', ['get', 'chosen'], changed, ['get', 'shared'], p.accent, p.halo],
      'circle-stroke-width': 2, 'circle-stroke-color': ['case', ['get', 'shared'], p.halo, p.accent],
    });
    layer('edit-fault', 'circle', 'edit-fault', { 'circle-radius': 13, 'circle-color': p.closure, 'circle-opacity': 0.25, 'circle-stroke-width': 3, 'circle-stroke-color': p.closure });
    if (this.#shown) this.show(this.#shown);
  }

  /** @param {string} name @param {object[]} features */
  #fill(name, features) {
    this.#data[name] = features;
    /** @type {any} */ (this.#live.gl.getSource(name))?.setData({ type: 'FeatureCollection', features });
  }

  /** @param {Shown} shown */
  show(shown) {
    const old = this.#shown;
    this.#shown = shown;
    if (old && old.pieces !== shown.pieces) this.#drag = null;
    this.#draw();
    if (shown.line !== old?.line || shown.mode !== old?.mode) {
      if (shown.mode !== 'split') this.#pointer = null;
      this.#drawLine();
    }
    this.#fill('edit-fault', shown.fault?.at ? [point(shown.fault.at)] : []);
    this.#fill('edit-older', shown.older ? [feature(shown.older)] : []);
    const { gl } = this.#live;
    if (shown.mode === 'split') gl.doubleClickZoom.disable();
    else gl.doubleClickZoom.enable();
  }

  /** @param {ReadonlyMap<string, Piece>} [pieces] while something is dragged */
  #draw(pieces) {
    const shown = this.#shown;
    if (!shown) return;
    const now = pieces ?? shown.pieces;
    const touched = new Set(shown.changed);
    const chosen = now.get(shown.code);
    /** @param {[string, Piece]} entry */
    const drawn = ([key, piece]) => {
      const offer = shown.mode === 'merge' && canMerge(piece, chosen);
      const role = shown.fault?.areas.includes(piece.code) ? 'fault' : key === shown.code ? 'chosen' : offer ? 'offer' : 'other';
      return feature(piece.geometry, { role, code: piece.code, changed: piece.tier === chosen?.tier && (touched.has(key) || piece !== shown.pieces.get(key)) });
    };
    /** The chosen one above the others. @param {[string, Piece]} a @param {[string, Piece]} b */
    const last = ([a], [b]) => Number(a === shown.code) - Number(b === shown.code);
    // While dragging only what moves is drawn anew: a county's outline has many thousand corners.
    const moving = pieces ? [...now].filter(([key, piece]) => piece.kind === 'area' && piece !== shown.pieces.get(key)) : [];
    const keys = new Set(moving.map(([key]) => key));
    if (!pieces || keys.size !== this.#data['edit-live']?.length) {
      const still = [...shown.pieces].filter(([key, piece]) => !keys.has(key) && piece.kind === 'area');
      still.sort(last);
      const plain = !shown.pieces.size && shown.chosen ? [feature(shown.chosen, { role: 'chosen', changed: false })] : [];
      this.#fill('edit-shapes', [...plain, ...still.map(drawn)]);
    }
    moving.sort(last);
    this.#fill('edit-live', moving.map(drawn));
    this.#handles = shown.mode === 'border' ? handlesOf(now, shown.code) : { vertices: [], middles: [] };
    const at = this.#drag?.moved ? this.#drag.to : shown.vertex;
    this.#fill('edit-vertices', this.#handles.vertices.map((one, n) => point(one.at, { n, shared: one.shared, chosen: at !== null && one.at[0] === at[0] && one.at[1] === at[1] })));
    this.#fill('edit-middles', this.#drag ? [] : this.#handles.middles.map((one, n) => point(one, { n })));
  }

  #drawLine() {
    const line = this.#shown?.line ?? [];
    const whole = this.#pointer && line.length ? [...line, this.#pointer] : line;
    this.#fill('edit-line', [
      ...(whole.length > 1 ? [feature({ type: 'LineString', coordinates: whole })] : []),
      ...line.map((at) => point(at)),
      ...(this.#pointer && this.#shown?.mode === 'split' ? [point(this.#pointer)] : []),
    ]);
  }

  /** @param {{x: number, y: number}} at @param {string} layer @returns {number} */
  #hit(at, layer) {
    const box = /** @type {any} */ ([[at.x - GRAB_PX, at.y - GRAB_PX], [at.x + GRAB_PX, at.y + GRAB_PX]]);
    const away = (/** @type {any} */ found) => {
      const { x, y } = this.#live.gl.project(found.geometry.coordinates);
      return Math.hypot(x - at.x, y - at.y);
    };
    const found = this.#live.gl.queryRenderedFeatures(box, { layers: [layer] }).sort((a, b) => away(a) - away(b))[0];
    return found ? Number(found.properties.n) : -1;
  }

  /** @param {any} event */
  #down(event) {
    const shown = this.#shown;
    if (shown?.mode !== 'border' || event.originalEvent.button !== 0) return;
    const corner = this.#hit(event.point, 'edit-vertex');
    const middle = corner < 0 ? this.#hit(event.point, 'edit-middle') : -1;
    if (corner < 0 && middle < 0) return;
    event.preventDefault(); // the map stays where it is
    const at = corner >= 0 ? this.#handles.vertices[corner].at : this.#handles.middles[middle];
    this.#drag = {
      at, to: at, moved: false,
      steps: corner >= 0 ? [] : [{ op: 'insert', at }],
      pieces: corner >= 0 ? shown.pieces : insertAt(shown.pieces, at),
    };
  }

  /** @param {any} event */
  #move(event) {
    const { gl } = this.#live;
    /** @type {Point} */
    const here = [event.lngLat.lng, event.lngLat.lat];
    if (this.#shown?.mode === 'split') {
      this.#pointer = this.#snapped(here);
      this.#drawLine();
      gl.getCanvas().style.cursor = 'crosshair';
      return;
    }
    const drag = this.#drag;
    if (!drag) {
      if (this.#shown?.mode === 'border') {
        const over = this.#hit(event.point, 'edit-vertex') >= 0 || this.#hit(event.point, 'edit-middle') >= 0;
        gl.getCanvas().style.cursor = over ? 'grab' : 'default';
      }
      return;
    }
    gl.getCanvas().style.cursor = 'grabbing';
    drag.moved ||= Math.hypot(...['x', 'y'].map((axis) => /** @type {any} */ (gl.project(drag.at))[axis] - event.point[axis])) > 3;
    drag.to = [Number(here[0].toFixed(8)), Number(here[1].toFixed(8))];
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#drag === drag && this.#draw(moveAt(drag.pieces, drag.at, drag.to)));
  }

  #up() {
    const drag = this.#drag;
    if (!drag) return;
    this.#drag = null;
    cancelAnimationFrame(this.#frame);
    this.#live.gl.getCanvas().style.cursor = 'default';
    if (!drag.moved) {
      this.#draw();
      if (!drag.steps.length) this.#told.onVertex(drag.at);
      return;
    }
    /** @type {Step} */
    const move = { op: 'move', at: drag.at, to: drag.to };
    this.#told.onDragged(moveAt(drag.pieces, drag.at, drag.to), [...drag.steps, move], drag.to);
  }

  /** @param {Point} here @returns {Point} */
  #snapped(here) {
    const piece = this.#shown?.pieces.get(this.#shown.code);
    const reach = (metresPerPixel(here[1], this.#live.gl.getZoom()) * SNAP_PX) / DEG_M;
    return (piece && snapTo(piece.geometry, here, reach)) ?? here;
  }

  /** @param {Point} here */
  #pick(here) {
    const mode = this.#shown?.mode;
    if (mode === 'split') return this.#told.onLine(this.#snapped(here));
    if (mode === 'border') {
      const at = this.#live.gl.project(here);
      if (this.#hit(at, 'edit-vertex') >= 0 || this.#hit(at, 'edit-middle') >= 0) return undefined;
      this.#told.onVertex(null);
    }
    return this.#told.onPlace(here);
  }
}

/** May these two become one? @param {Piece} piece @param {Piece | undefined} chosen */
export const canMerge = (piece, chosen) =>
  chosen !== undefined && piece.kind === 'area' && piece.code !== chosen.code && piece.tier === chosen.tier && piece.parent === chosen.parent && shareBorder(piece.geometry, chosen.geometry);

/** A map that shows areas and no people. @param {HTMLElement} container @param {{center: Point, bounds: [number, number, number, number], theme: any}} options */
export const openMap = (container, options) => createMap({ container, ...options, movers: new Movers() });
