// The live map: MapLibre with our style, and setters for each kind of thing the console and the wall put on it.
//
// A map the operator has touched is never moved by events. Only an explicit wish moves it (H, a command, a search hit);
// `touched` says which of the two holds and the console shows it.
import * as maplibre from '../../vendor/maplibre-gl/maplibre-gl.mjs';
import { renewBasemap } from '../basemap.js';
import { isAlarm, isWaiting, levelOf } from '../ui/levels.js';
import { CamerasLayer } from './cameras-layer.js';
import { SETTLEMENTS } from './base-style.js';
import { CAMERA_LAYERS } from './cameras-style.js';
import { ClosuresLayer } from './closures-layer.js';
import { CLOSURE_LAYERS } from './closures-style.js';
import { addIcons, incidentIcon } from './icons.js';
import { MoversLayer } from './movers-layer.js';
import { Overlays } from './overlays.js';
import { PLACE_LAYERS } from './places-layer.js';
import { paletteOf } from './palette.js';
import { metresPerPixel } from './sphere.js';
import { buildStyle, SOURCES } from './style.js';

/** @import {Incident} from '../../types/wire.d.ts' */

/**
 * @typedef {object} Pick
 * @property {'incident' | 'responder' | 'camera' | 'closure' | 'area' | 'point'} kind
 * @property {string} id incident, camera or closure id, area code, or unit number as text; '' for a point
 * @property {number} lon
 * @property {number} lat
 */

/**
 * @typedef {object} AreaLabel
 * @property {string} code
 * @property {string} name
 * @property {string} label
 * @property {number} tier
 * @property {[number, number]} label_point lon, lat
 */

const PICK_PX = 12;
let protocolAdded = false;

/** The font pieces MapLibre may draw labels with; fetched once. @returns {Promise<[string, string[]][]>} */
const loadFaces = async () => (await fetch('/static/vendor/noto-sans-sc/faces.json')).json();

/** @param {[string, string[]][]} faces */
const styleFor = (faces) =>
  /** @param {import('./palette.js').Theme} theme @param {number} scale @param {import('./base-style.js').Base} base */
  (theme, scale, base) => buildStyle({ theme, origin: location.origin, faces, scale, base });

/**
 * @param {object} options
 * @param {HTMLElement} options.container
 * @param {[number, number]} options.center lon, lat
 * @param {[number, number, number, number]} [options.bounds] west, south, east, north
 * @param {import('./palette.js').Theme} options.theme
 * @param {import('../telemetry.js').Movers} options.movers
 * @param {number} [options.scale] label and mark size factor (walls)
 * @param {boolean} [options.interactive]
 * @param {number} [options.zoom] where to start; without it the bounds are fitted
 */
export async function createMap(options) {
  const faces = await loadFaces();
  if (!protocolAdded) {
    const { pmtiles } = /** @type {any} */ (globalThis);
    maplibre.addProtocol('pmtiles', new pmtiles.Protocol().tile);
    protocolAdded = true;
  }
  return new LiveMap(options, styleFor(faces));
}

/** A grid's own part of its name: 东门社区 01 格 → 01 格. @param {string} name */
const shortName = (name) => /(\d[\d\s]*格?)$/.exec(name)?.[1] ?? name.split(' ').at(-1) ?? name;

export class LiveMap {
  /** @type {Map<string, object>} what each source last got, to fill a new style */
  #data = new Map();
  /** @type {Map<string, boolean>} */
  #shown = new Map();
  /** @type {((pick: Pick) => void)[]} */
  #pickers = [];
  /** @type {(() => void)[]} */
  #movedListeners = [];
  #style;
  #theme;
  #scale;
  #ready = false;
  #blink = true;
  #chosenArea = '';
  /** @type {import('./base-style.js').Base} */
  #base = { mode: 'own' };
  #baseKey = 'own';
  #routesKey = '';
  /** @type {AreaLabel[]} */
  #labels = [];
  /** The operator moved the map; events leave it alone from then on. */
  touched = false;
  /** Words for a basemap that could not be read, or ''. */
  fault = '';

  /** @param {Parameters<typeof createMap>[0]} options @param {ReturnType<typeof styleFor>} style */
  constructor(options, style) {
    this.#style = style;
    this.#theme = options.theme;
    this.#scale = options.scale ?? 1;
    this.movers = options.movers;
    this.gl = new maplibre.Map({
      container: options.container,
      style: /** @type {any} */ (style(this.#theme, this.#scale, this.#base)),
      center: options.center,
      zoom: options.zoom ?? 12,
      ...(options.zoom === undefined && options.bounds ? { bounds: options.bounds, fitBoundsOptions: { padding: 24 } } : {}),
      minZoom: 6,
      maxZoom: 19,
      fadeDuration: 0,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      keyboard: false,
      interactive: options.interactive ?? true,
      renderWorldCopies: false,
    });
    this.gl.touchZoomRotate?.disableRotation();
    this.gl.getCanvas().tabIndex = -1; // keys do nothing there, so Tab does not stop there
    this.layer = new MoversLayer(this.movers, options.center, this.#theme, this.#scale);
    this.overlays = new Overlays(this);
    this.cameras = new CamerasLayer({
      gl: this.gl,
      scale: this.#scale,
      fill: (name, features) => this.#fill(name, features),
      source: (name) => (this.#ready ? this.#source(name) : null),
    });
    this.overlays.add(this.cameras.card);
    this.closures = new ClosuresLayer((name, features) => this.#fill(name, features));
    this.gl.on('style.load', () => this.#install());
    this.gl.on('error', (/** @type {any} */ event) => {
      if (event.sourceId === 'base') this.fault = String(event.error?.message ?? 'basemap');
      else if (event.sourceId === 'custom') this.onBaseTrouble();
      else console.error(event.error ?? event);
    });
    this.gl.on('sourcedata', (/** @type {any} */ event) => {
      if (event.sourceId === 'base' && event.tile) this.fault = '';
    });
    this.gl.on('click', (/** @type {any} */ event) => this.#click(event));
    for (const name of ['dragstart', 'wheel', 'boxzoomstart', 'dblclick']) {
      this.gl.on(/** @type {any} */ (name), () => this.#touch());
    }
    this.gl.on('move', () => {
      this.overlays.place();
      this.cameras.place();
    });
    this.gl.on('mouseout', () => this.cameras.hover(null));
    this.gl.on('moveend', () => this.#moved());
    this.gl.on('mousemove', (/** @type {any} */ event) => this.#hover(event));
    window.setInterval(() => this.#flash(), 500);
  }

  #install() {
    addIcons(this.gl, this.#theme);
    this.layer.setTheme(this.#theme);
    if (!this.gl.getLayer('movers')) this.gl.addLayer(/** @type {any} */ (this.layer), 'incident');
    this.#ready = true;
    for (const name of SOURCES) {
      const data = this.#data.get(name);
      if (data) this.#source(name)?.setData(data);
    }
    for (const [name, shown] of this.#shown) this.#applyShown(name, shown);
    this.#nameSettlements();
    this.cameras.installed();
  }

  /** @param {string} name @returns {any} */
  #source(name) {
    return this.gl.getSource(name);
  }

  /** @param {string} name @param {object[]} features */
  #fill(name, features) {
    const data = { type: 'FeatureCollection', features };
    this.#data.set(name, data);
    if (this.#ready) this.#source(name)?.setData(data);
  }

  /** @param {import('./palette.js').Theme} theme */
  setTheme(theme) {
    if (theme === this.#theme) return;
    this.#theme = theme;
    this.#ready = false;
    this.gl.setStyle(/** @type {any} */ (this.#style(theme, this.#scale, this.#base)), { diff: false });
  }

  /** What lies underneath. Nothing is drawn anew where it is the same. @param {import('./base-style.js').Base} base */
  setBase(base) {
    const { source } = base;
    const key = `${base.mode} ${source?.tiles ?? source?.slot}/${source?.version} ${source?.min_zoom}-${source?.max_zoom} ${base.revision ?? ''}`;
    if (key === this.#baseKey) return;
    if (base.revision !== this.#base.revision) renewBasemap(); // the reader keeps what it read of the old file
    this.#baseKey = key;
    this.#base = base;
    this.fault = '';
    this.#ready = false;
    this.gl.setStyle(/** @type {any} */ (this.#style(this.#theme, this.#scale, base)), { diff: false });
  }

  /** Called when tiles of a customer's basemap do not come. */
  onBaseTrouble = () => {};

  get palette() {
    return paletteOf(this.#theme);
  }

  // ── What is on the map ─────────────────────────────────────────────────────────────────────────────────────────

  /** Outlines of a tier (1 county … 4 grid). @param {number} tier @param {{features: object[]}} collection */
  setAreas(tier, collection) {
    this.#fill(`area-${tier}`, collection.features);
  }

  /** @param {AreaLabel[]} labels */
  setAreaLabels(labels) {
    this.#labels = labels;
    this.#nameSettlements();
    this.#fill('area-labels', labels.map((item) => ({
      type: 'Feature',
      properties: {
        code: item.code, tier: item.tier, chosen: item.code === this.#chosenArea,
        label: item.tier === 4 ? shortName(item.name) : item.name,
      },
      geometry: { type: 'Point', coordinates: item.label_point },
    })));
  }

  /** Towns and villages name themselves only where no areas do. */
  #nameSettlements() {
    if (!this.#ready) return;
    for (const id of SETTLEMENTS) {
      if (this.gl.getLayer(id)) this.gl.setLayoutProperty(id, 'visibility', this.#labels.length ? 'none' : 'visible');
    }
  }

  /** Outline the selected area; null clears.
   * @param {{code: string, geometry: object, colour?: string} | null} area
   */
  setChosenArea(area) {
    this.#fill('chosen', area ? [{
      type: 'Feature', properties: { colour: area.colour ?? this.palette.accent }, geometry: area.geometry,
    }] : []);
    const code = area && !area.colour ? area.code : '';
    if (code !== this.#chosenArea) {
      this.#chosenArea = code;
      this.setAreaLabels(this.#labels);
    }
  }

  /** @param {Incident[]} incidents */
  setIncidents(incidents) {
    this.#fill('incidents', incidents.map((item) => ({
      type: 'Feature',
      properties: {
        id: item.id, icon: incidentIcon(item.level, !isWaiting(item)), alarm: isAlarm(item),
        order: (isWaiting(item) ? 10 : 0) - levelOf(item.level).rank,
      },
      geometry: { type: 'Point', coordinates: [item.lon, item.lat] },
    })));
  }

  /** Ranked routes, first = the one proposed. @param {{rank: number, coordinates: [number, number][]}[]} routes */
  setRoutes(routes) {
    const key = routes.map(({ rank, coordinates }) => `${rank}:${coordinates.length}:${coordinates[0]}:${coordinates.at(-1)}`).join('|');
    if (key === this.#routesKey) return;
    this.#routesKey = key;
    this.#fill('routes', routes.map(({ rank, coordinates }) => ({
      type: 'Feature', properties: { rank }, geometry: { type: 'LineString', coordinates },
    })));
  }

  /** Places and checkpoints. @param {object[]} features of `placeFeatures` */
  setPlaces(features) {
    this.#fill('places', features);
  }

  /** Show or hide a group. @param {'areas' | 'incidents' | 'people' | 'cameras' | 'places'} name @param {boolean} shown */
  setShown(name, shown) {
    this.#shown.set(name, shown);
    if (this.#ready) this.#applyShown(name, shown);
  }

  /** @param {string} name @param {boolean} shown */
  #applyShown(name, shown) {
    if (name === 'people') {
      this.layer.shown = shown;
      this.layer.touch();
      return;
    }
    /** @type {Record<string, string[]>} */
    const layers = {
      areas: ['area-1', 'area-2', 'area-3', 'area-4', 'area-label-2', 'area-label-3', 'area-label-4'],
      incidents: ['incident', 'incident-alarm'],
      cameras: CAMERA_LAYERS,
      places: PLACE_LAYERS,
    };
    for (const id of layers[name] ?? []) this.gl.setLayoutProperty(id, 'visibility', shown ? 'visible' : 'none');
  }

  #flash() {
    const data = /** @type {any} */ (this.#data.get('incidents'));
    const any = data?.features.some((/** @type {any} */ item) => item.properties.alarm);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const next = any && !still ? !this.#blink : true;
    if (next === this.#blink || !this.#ready) return;
    this.#blink = next;
    this.gl.setPaintProperty('incident-alarm', 'icon-opacity', next ? 1 : 0.25);
  }

  // ── Moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #touch() {
    if (this.touched) return;
    this.touched = true;
    this.#tell();
  }

  #moved() {
    this.overlays.place();
    this.cameras.moved();
    this.#tell();
  }

  #tell() {
    for (const listener of this.#movedListeners) listener();
  }

  /** Called when the view or `touched` changed. @param {() => void} listener */
  onMoved(listener) {
    this.#movedListeners.push(listener);
  }

  /** @param {(pick: Pick) => void} picker */
  onPick(picker) {
    this.#pickers.push(picker);
  }

  /** An event would like this in view: done only on a map nobody has touched.
   * @param {[number, number]} at @param {number} [zoom]
   */
  suggest(at, zoom) {
    if (!this.touched) this.show(at, zoom);
  }

  /** As {@link suggest}, for several places together. @param {[number, number][]} places lon, lat */
  suggestAll(places) {
    if (this.touched || !places.length) return;
    const lons = places.map((at) => at[0]);
    const lats = places.map((at) => at[1]);
    this.gl.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: { top: 110, bottom: 90, left: 150, right: 190 }, maxZoom: 14.6, duration: this.#easeMs(),
    });
  }

  /** The operator asked for it. @param {[number, number]} at @param {number} [zoom] */
  show(at, zoom) {
    this.gl.easeTo({ center: at, zoom: zoom ?? Math.max(this.gl.getZoom(), 14.2), duration: this.#easeMs() });
  }

  /** @param {[number, number, number, number]} bounds */
  fit(bounds) {
    this.gl.fitBounds(bounds, { padding: 64, maxZoom: 15.5, duration: this.#easeMs() });
  }

  #easeMs() {
    return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 350;
  }

  /** @param {number} by */
  zoomBy(by) {
    this.#touch();
    this.gl.easeTo({ zoom: this.gl.getZoom() + by, duration: this.#easeMs() });
  }

  /** Hand the map back: it may follow events again. */
  release() {
    this.touched = false;
    this.#tell();
  }

  /** In the middle of the view. */
  get metresPerPixel() {
    return metresPerPixel(this.gl.getCenter().lat, this.gl.getZoom());
  }

  /** @returns {[number, number, number, number]} west, south, east, north */
  bounds() {
    const b = this.gl.getBounds();
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
  }

  // ── Picking ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The person drawn nearest to a point on screen. @param {{x: number, y: number}} at @returns {number} row or -1 */
  #personAt(at) {
    if (!this.layer.shown) return -1;
    const here = this.gl.unproject([at.x, at.y]);
    const up = this.gl.unproject([at.x, at.y - PICK_PX]);
    return this.movers.pick(here.lng, here.lat, Math.abs(up.lat - here.lat));
  }

  /** @param {{x: number, y: number}} at @param {string[]} layers */
  #featureAt(at, layers) {
    const known = layers.filter((id) => this.gl.getLayer(id));
    const box = /** @type {any} */ ([[at.x - PICK_PX, at.y - PICK_PX], [at.x + PICK_PX, at.y + PICK_PX]]);
    return this.gl.queryRenderedFeatures(box, { layers: known })[0];
  }

  /** @param {any} event */
  #click(event) {
    this.cameras.hover(null);
    const at = event.point;
    const { lng: lon, lat } = event.lngLat;
    /** @param {Pick['kind']} kind @param {string} id */
    const tell = (kind, id) => this.#pickers.forEach((picker) => picker({ kind, id, lon, lat }));
    const incident = this.#featureAt(at, ['incident-alarm', 'incident']);
    if (incident) return tell('incident', String(incident.properties.id));
    const row = this.#personAt(at);
    if (row >= 0) return tell('responder', String(this.movers.unit[row]));
    const camera = this.#featureAt(at, ['camera-pin', 'camera', 'camera-cluster']);
    if (camera && camera.layer.id !== 'camera-cluster') return tell('camera', String(camera.properties.id));
    if (camera) {
      this.#touch();
      return this.show(camera.geometry.coordinates, this.gl.getZoom() + 1.6);
    }
    const closure = this.#featureAt(at, CLOSURE_LAYERS);
    if (closure) return tell('closure', String(closure.properties.id));
    const label = this.#featureAt(at, ['area-label-2', 'area-label-3']);
    if (label) return tell('area', String(label.properties.code));
    return tell('point', '');
  }

  /** @param {any} event */
  #hover(event) {
    const hit = this.#featureAt(event.point, ['camera-pin', 'incident-alarm', 'incident', 'camera', 'camera-cluster', ...CLOSURE_LAYERS, 'area-label-2', 'area-label-3']);
    this.cameras.hover(hit && (hit.layer.id === 'camera' || hit.layer.id === 'camera-pin') ? String(hit.properties.id) : null);
    this.gl.getCanvas().style.cursor = hit || this.#personAt(event.point) >= 0 ? 'pointer' : 'crosshair';
  }
}
