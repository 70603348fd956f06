// The map of a replay: the incident, the ways of its units so far, and each unit where it was.
import { Marker } from '../../vendor/maplibre-gl/maplibre-gl.mjs';
import { createMap } from '../map/map.js';
import { Movers } from '../telemetry.js';
import { KIND_PATHS, groupOf } from '../ui/levels.js';
import { readTheme } from '../ui/theme.js';
import { placeAt, wayTo } from './replay-time.js';

/** @import {District} from '../../types/wire.d.ts' */
/** @import {Outlines, Replay} from '../../types/lead.d.ts' */

const SVG = 'http://www.w3.org/2000/svg';
const WAYS = 'replay-ways';

/** @param {Replay['units'][0]} unit */
function unitMark({ kind, name }) {
  const node = document.createElement('div');
  node.className = `replay-unit k-${groupOf(kind)}`;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-11 -11 22 22');
  svg.setAttribute('class', `kind k-${groupOf(kind)} solid`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', KIND_PATHS[groupOf(kind)]);
  svg.append(path);
  const label = document.createElement('b');
  label.textContent = name;
  node.append(svg, label);
  return node;
}

export class ReplayMap {
  #map;
  /** @type {Map<string, {marker: Marker, on: boolean}>} */
  #marks = new Map();
  #drawn = '';

  /** @param {Awaited<ReturnType<typeof createMap>>} map */
  constructor(map) {
    this.#map = map;
    const install = () => {
      if (map.gl.getSource(WAYS)) return;
      map.gl.addSource(WAYS, { type: 'geojson', data: /** @type {any} */ ({ type: 'FeatureCollection', features: [] }) });
      const tone = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      map.gl.addLayer(/** @type {any} */ ({ id: `${WAYS}-case`, type: 'line', source: WAYS, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': tone('--map-case'), 'line-width': 7, 'line-opacity': 0.8 } }), 'incident');
      map.gl.addLayer(/** @type {any} */ ({ id: WAYS, type: 'line', source: WAYS, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': ['match', ['get', 'group'], 'police', tone('--k-police'), 'worker', tone('--k-worker'), 'team', tone('--k-team'), tone('--k-other')], 'line-width': 3.5 } }), 'incident');
      this.#drawn = '';
    };
    map.gl.on('style.load', install);
    if (map.gl.isStyleLoaded()) install();
  }

  /** @param {HTMLElement} container @param {District} district @param {ReadonlyMap<number, Outlines>} outlines */
  static async open(container, district, outlines) {
    const map = await createMap({ container, center: district.center, bounds: district.bounds, theme: readTheme(), movers: new Movers() });
    map.setShown('cameras', false);
    for (const [tier, collection] of outlines) map.setAreas(tier, collection);
    return new ReplayMap(map);
  }

  /** Another incident: everything of it in view. @param {Replay} replay */
  load(replay) {
    for (const { marker } of this.#marks.values()) marker.remove();
    this.#marks.clear();
    this.#drawn = '';
    const { incident, units } = replay;
    this.#map.setIncidents([/** @type {any} */ ({ ...incident, state: 'handling', acknowledged_at: incident.reported_at })]);
    this.#map.overlays.setFlag({ at: [incident.lon, incident.lat], level: incident.level, title: incident.title, detail: incident.address ?? '', hollow: true });
    for (const unit of units) this.#marks.set(unit.assignment_id, { marker: new Marker({ element: unitMark(unit) }), on: false });
    const places = units.flatMap((unit) => unit.points.map(([, lon, lat]) => [lon, lat]));
    const lons = [incident.lon, ...places.map((at) => at[0])];
    const lats = [incident.lat, ...places.map((at) => at[1])];
    this.#map.gl.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: { top: 110, bottom: 60, left: 80, right: 120 }, maxZoom: 15.5, duration: 0 });
  }

  /** Everybody where they were. @param {Replay} replay @param {number} at_s */
  show(replay, at_s) {
    const features = [];
    for (const unit of replay.units) {
      const entry = this.#marks.get(unit.assignment_id);
      const gone = at_s > (Date.parse(unit.to) - Date.parse(replay.start)) / 1000;
      const now = placeAt(unit.points, at_s);
      if (entry) {
        if (now) entry.marker.setLngLat([now.lon, now.lat]);
        if (now && !entry.on) entry.marker.addTo(this.#map.gl);
        if (!now && entry.on) entry.marker.remove();
        entry.on = Boolean(now);
        entry.marker.getElement().classList.toggle('silent', Boolean(now?.silent && !gone));
        entry.marker.getElement().classList.toggle('gone', gone);
      }
      const way = wayTo(unit.points, at_s);
      if (way.length > 1) features.push({ type: 'Feature', properties: { group: groupOf(unit.kind) }, geometry: { type: 'LineString', coordinates: way } });
    }
    const key = features.map((one) => `${one.geometry.coordinates.length}:${one.geometry.coordinates.at(-1)}`).join('|');
    if (key === this.#drawn) return;
    const source = /** @type {any} */ (this.#map.gl.getSource(WAYS));
    if (!source) return;
    this.#drawn = key;
    source.setData({ type: 'FeatureCollection', features });
  }

  resize() {
    this.#map.gl.resize();
  }

  remove() {
    this.#map.gl.remove();
  }
}
