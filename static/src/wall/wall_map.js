// The map in the middle of the wall. It lies under the scaled stage in real pixels, so that it stays sharp on any wall.

import { call } from '../api.js';
import { geographyOf, isOpen, levelRank, openIncidents, responderByUnit } from '../board.js';
import { BaseChoice } from '../map/base-choice.js';
import { baseNoteText } from '../map/base-note.js';
import { createMap } from '../map/map.js';
import { duration } from '../time.js';
import { cutText } from '../ui/format.js';
import { isAlarm } from '../ui/levels.js';

/** @import {Board, District, Incident} from '../../types/wire.d.ts' */
/** @import {Feed} from '../feed.js' */

/** Labels are drawn for the desk at 12 px; the wall's least size is 16. */
const DESK_TO_WALL = 1.34;
const LABELS = 'wall-labels';
const VACANT = 'wall-vacant';
const OUTSIDE = 'wall-outside';
const COVER = 'wall-coverage';
const GAPS = 'wall-gaps';
const LABEL_EVERY_MS = 5_000;
const LOOK_MS = 20_000;
const EASE_MS = 600;
const MOST_LABELS = 12;
const LABEL_LENGTH = 12;

/** Slanted lines for grids without a worker. */
function hatch() {
  const size = 16;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.strokeStyle = 'rgba(143, 163, 194, .30)';
  pen.lineWidth = 2.4;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 2, size + 2);
    pen.lineTo(shift + size + 2, -2);
    pen.stroke();
  }
  return pen.getImageData(0, 0, size, size);
}

/** The world without the district: what lies there is dimmed. @param {{features: any[]}} outlines of tier 1 */
function outsideOf(outlines) {
  const world = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];
  const rings = outlines.features.flatMap(({ geometry }) =>
    (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates).map((/** @type {any} */ part) => part[0]));
  return { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [world, ...rings] } };
}

export class WallMap {
  #map;
  #district;
  #scale;
  /** @type {Record<string, unknown>} */
  #drawn = {};
  #labelsAt = -Infinity;
  #ready = false;
  /** @type {object | null} */
  #grids = null;
  /** @type {any[]} outlines of all grids */
  #outlines = [];
  /** @type {{classes: Map<string, number>, gaps: object} | null} */
  #cover = null;
  /** @type {object | null} */
  #outside = null;
  /** The revision of the district whose areas are drawn. */
  #geography = 0;
  /** @type {BaseChoice | null} */
  #base = null;
  /** @type {number | undefined} */
  #back;

  /**
   * @param {Awaited<ReturnType<typeof createMap>>} map
   * @param {Feed} feed
   * @param {District} district
   * @param {number} scale
   */
  constructor(map, feed, district, scale) {
    this.#map = map;
    this.#district = district;
    this.#scale = scale;
    map.layer.setKinds((unit) => responderByUnit(feed.board, unit)?.kind);
    map.setShown('cameras', false);
    const install = () => this.#install();
    map.gl.on('style.load', install);
    if (map.gl.isStyleLoaded()) install();
  }

  /**
   * @param {HTMLElement} container
   * @param {Feed} feed
   * @param {District} district
   * @param {number} scale of the stage
   */
  static async open(container, feed, district, scale) {
    const map = await createMap({
      container, center: district.center, bounds: district.bounds, theme: 'dark', movers: feed.movers,
      scale: scale * DESK_TO_WALL, interactive: false,
    });
    const wall = new WallMap(map, feed, district, scale);
    wall.#geography = geographyOf(feed.board);
    wall.#overview(0);
    void wall.#loadAreas();
    wall.#followBase(container);
    return wall;
  }

  /** The wall changed its size. @param {number} scale */
  resize(scale) {
    this.#scale = scale;
    this.#map.gl.resize();
    this.#overview(0);
  }

  /** The map that the centre prefers lies underneath; nobody chooses at a wall. @param {HTMLElement} container */
  #followBase(container) {
    const note = document.createElement('div');
    note.className = 'base-note';
    note.hidden = true;
    container.append(note);
    this.#base = new BaseChoice({
      map: this.#map, user: 'wall',
      read: () => call('GET', '/basemap/sources', undefined, { redirect: false }),
      onChange: () => {
        note.textContent = baseNoteText(this.#base?.note ?? null);
        note.hidden = !note.textContent;
      },
    });
    void this.#base.start();
  }

  remove() {
    this.#base?.stop();
    window.clearTimeout(this.#back);
    this.#map.gl.remove();
  }

  async #loadAreas() {
    try {
      const labels = [];
      for (const tier of [1, 2, 3]) {
        const outlines = await call('GET', `/areas.geojson?tier=${tier}`, undefined, { redirect: false });
        this.#map.setAreas(tier, outlines);
        if (tier === 1) this.#fill(OUTSIDE, (this.#outside = outsideOf(outlines)));
        if (tier > 1) labels.push(...(await call('GET', `/areas?tier=${tier}`, undefined, { redirect: false })).items);
      }
      this.#map.setAreaLabels(labels.filter((item) => item.label_point));
      const grids = await call('GET', '/areas.geojson?tier=4', undefined, { redirect: false });
      this.#grids = {
        type: 'FeatureCollection',
        features: grids.features.filter((/** @type {any} */ item) => item.properties.vacant),
      };
      this.#fill(VACANT, this.#grids);
      this.#outlines = grids.features;
      this.#drawCover();
    } catch {
      window.setTimeout(() => void this.#loadAreas(), 10_000); // the server may be starting; the wall waits for it
    }
  }

  #install() {
    const { gl } = this.#map;
    if (gl.getSource(LABELS)) return;
    const empty = /** @type {any} */ ({ type: 'FeatureCollection', features: [] });
    gl.addSource(VACANT, { type: 'geojson', data: /** @type {any} */ (this.#grids ?? empty) });
    gl.addSource(OUTSIDE, { type: 'geojson', data: /** @type {any} */ (this.#outside ?? empty) });
    gl.addSource(LABELS, { type: 'geojson', data: empty });
    if (!gl.hasImage('hatch')) gl.addImage('hatch', hatch(), { pixelRatio: 2 / this.#scale });
    gl.addLayer({ id: VACANT, type: 'fill', source: VACANT, paint: { 'fill-pattern': 'hatch' } }, 'area-4');
    const { palette } = this.#map;
    gl.addSource(COVER, { type: 'geojson', data: empty });
    gl.addSource(GAPS, { type: 'geojson', data: empty });
    const tone = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    gl.addLayer(/** @type {any} */ ({
      id: COVER, type: 'fill', source: COVER,
      paint: { 'fill-color': ['match', ['get', 'n'], 0, tone('--cov-0'), 1, tone('--cov-1'), 2, tone('--cov-2'), 3, tone('--cov-3'), 4, tone('--cov-4'), tone('--map-land')], 'fill-opacity': 0.86 },
    }), VACANT);
    gl.addLayer({ id: GAPS, type: 'fill', source: GAPS, paint: { 'fill-color': '#ff6b3d', 'fill-opacity': 0.35, 'fill-outline-color': '#ff8a5c' } }, 'area-4');
    gl.addLayer({ id: OUTSIDE, type: 'fill', source: OUTSIDE, paint: { 'fill-color': palette.casing, 'fill-opacity': 0.62 } }, VACANT);
    gl.addLayer(/** @type {any} */ ({
      id: LABELS, type: 'symbol', source: LABELS,
      layout: {
        'text-field': ['format', ['get', 'title'], {}, ' ', {}, ['get', 'age'], { 'text-font': ['literal', ['Yiping']], 'text-color': palette.strong }],
        'text-font': ['Yiping Strong'], 'text-size': 18 * this.#scale, 'text-max-width': 30,
        'text-variable-anchor': ['left', 'right', 'top', 'bottom'], 'text-radial-offset': 0.95, 'text-justify': 'auto',
        'text-padding': 6, 'symbol-sort-key': ['get', 'rank'],
      },
      paint: {
        'text-color': ['match', ['get', 'rank'], 0, palette.levels[0], 1, palette.levels[1], 2, palette.levels[2], 3, palette.levels[3], palette.levels[4]],
        'text-halo-color': palette.halo, 'text-halo-width': 3 * this.#scale,
      },
    }));
    this.#ready = true;
    this.#drawn = {};
    this.#drawCover();
  }

  /** Colour the grids by how much of them is within reach; null leaves the map plain.
   * @param {{classes: Map<string, number>, gaps: object} | null} cover
   */
  setCover(cover) {
    if (cover === this.#cover) return;
    this.#cover = cover;
    this.#drawCover();
  }

  #drawCover() {
    const { classes, gaps } = this.#cover ?? { classes: new Map(), gaps: { type: 'FeatureCollection', features: [] } };
    this.#fill(COVER, {
      type: 'FeatureCollection',
      features: this.#outlines.filter((grid) => classes.has(grid.id)).map((grid) => ({ ...grid, properties: { n: classes.get(grid.id) } })),
    });
    this.#fill(GAPS, gaps);
  }

  /** @param {string} name @param {object} data */
  #fill(name, data) {
    const source = /** @type {any} */ (this.#map.gl.getSource(name));
    source?.setData(data);
  }

  /**
   * After each change, and once a second for the ages.
   * @param {Board} board
   * @param {number} nowMs server time
   * @param {boolean} ageing false while the picture is stale: clocks that count on would lie
   * @param {import('../map/cameras-layer.js').Pin[]} pins of the pictures in the tiles
   */
  sync(board, nowMs, ageing, pins) {
    const map = this.#map;
    if (this.#geography !== geographyOf(board)) {
      this.#geography = geographyOf(board);
      void this.#loadAreas();
      void this.#base?.look();
    }
    map.cameras.setPins(pins);
    map.closures.sync(board.closures, nowMs, board.geography?.district?.revision ?? 0);
    if (this.#drawn.incidents !== board.incidents) {
      map.setIncidents(Object.values(board.incidents).filter(isOpen));
      this.#labelsAt = -Infinity;
    }
    if (this.#drawn.responders !== board.responders) map.layer.touch();
    this.#drawn = { incidents: board.incidents, responders: board.responders };
    if (this.#ready && nowMs - this.#labelsAt >= LABEL_EVERY_MS) {
      this.#labelsAt = nowMs;
      this.#label(board, nowMs, ageing);
    }
  }

  /** @param {Board} board @param {number} nowMs @param {boolean} ageing */
  #label(board, nowMs, ageing) {
    const shown = openIncidents(board).filter((item) => levelRank(item.level) <= 2 || isAlarm(item)).slice(0, MOST_LABELS);
    this.#fill(LABELS, {
      type: 'FeatureCollection',
      features: shown.map((item) => ({
        type: 'Feature',
        properties: {
          title: cutText(item.title, LABEL_LENGTH), rank: levelRank(item.level),
          age: ageing ? duration((nowMs - Date.parse(item.reported_at)) / 1000) : '',
        },
        geometry: { type: 'Point', coordinates: [item.lon, item.lat] },
      })),
    });
  }

  /** A new grave incident is worth a look; then the whole district again. @param {Incident} incident */
  lookAt(incident) {
    window.clearTimeout(this.#back);
    this.#map.gl.easeTo({ center: [incident.lon, incident.lat], zoom: Math.max(13, this.#map.gl.getZoom()), duration: this.#easeMs() });
    this.#back = window.setTimeout(() => this.#overview(this.#easeMs()), LOOK_MS);
  }

  /** @param {number} duration_ms */
  #overview(duration_ms) {
    // The story line stands on the map's top, the legend at its foot.
    const padding = { top: 56 * this.#scale, bottom: 38 * this.#scale, left: 16 * this.#scale, right: 16 * this.#scale };
    this.#map.gl.fitBounds(this.#district.bounds, { padding, duration: duration_ms });
  }

  #easeMs() {
    return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : EASE_MS;
  }

  /** Metres per stage pixel in the middle of the map, for the scale bar. */
  get metresPerPixel() {
    return this.#map.metresPerPixel * this.#scale;
  }

  get fault() {
    return this.#map.fault;
  }
}
