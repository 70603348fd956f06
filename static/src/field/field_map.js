// The small map of the field page: the basemap, the job, the line to it and where I am. It follows by itself until
// it is dragged, and comes back with one tap.

import { Marker, setWorkerUrl } from '../../vendor/maplibre-gl/maplibre-gl.mjs';
import { baseNoteText, creditsText } from '../map/base-note.js';
import { createMap } from '../map/map.js';
import { Movers } from '../telemetry.js';
import { levelOf } from '../ui/levels.js';
import { t } from '../i18n.js';
import { followBase } from './field_base.js';

/** @import {District, Incident} from '../../types/wire.d.ts' */
/** @import {Position} from './duty.js' */

// A worker of its own address would lie outside the service worker's reach and fail without network; one made here
// belongs to this page and finds what was kept.
const workerUrl = new URL('../../vendor/maplibre-gl/maplibre-gl-worker.mjs', import.meta.url).href;
setWorkerUrl(URL.createObjectURL(new Blob([`import ${JSON.stringify(workerUrl)};`], { type: 'text/javascript' })));

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} level */
function makeTarget(level) {
  const { rank, path: shape } = levelOf(level);
  const mark = document.createElement('div');
  mark.className = `target lv${rank}`;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-11 -11 22 22');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', shape);
  svg.append(path);
  mark.append(svg);
  return mark;
}

function makeMe() {
  const mark = document.createElement('div');
  mark.className = 'me';
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-11 -11 22 22');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', 'M0 -9.6C2.6 -5.4 7 -2 7 2.6A7 7 0 0 1 -7 2.6C-7 -2 -2.6 -5.4 0 -9.6Z');
  svg.append(path);
  mark.append(svg);
  return { mark, svg };
}

export class FieldMap {
  #map;
  #base;
  #me;
  #marker;
  #placed = false;
  #target = '';
  /** @type {Marker | null} */
  #targetMarker = null;
  /** @type {string} */
  #framed = '';
  /** @type {number | null} of the district */
  #revision = null;
  /** Something could not be loaded, as without network: open another one once there is. */
  broken = false;

  /** @param {Awaited<ReturnType<typeof createMap>>} map @param {string} user @param {() => void} onChange something beside the map is to be drawn */
  constructor(map, user, onChange) {
    this.#map = map;
    this.#base = followBase(map, user, onChange);
    this.#me = makeMe();
    this.#marker = new Marker({ element: this.#me.mark });
    map.gl.on('error', (/** @type {any} */ event) => {
      if (event.sourceId !== 'custom') this.broken = true; // theirs is replaced by ours, which is seen to elsewhere
    });
    map.gl.on('resize', () => {
      this.#framed = '';
    });
  }

  /** @param {HTMLElement} container @param {District} district @param {string} user @param {() => void} onChange */
  static async open(container, district, user, onChange) {
    const map = await createMap({
      container, center: district.center, bounds: district.bounds, theme: 'dark', movers: new Movers(), scale: 1.15,
    });
    return new FieldMap(map, user, onChange);
  }

  /** What lies underneath, as the screen tells of it: the next one to choose, what is wrong, whose it is. */
  get base() {
    const { choice, spent } = this.#base;
    const { modes, mode } = choice;
    if (spent()) return { next: null, note: mode === 'own' ? '' : t('field.base_saving'), credits: creditsText(null) };
    const next = modes.length > 1 ? modes[(modes.indexOf(mode) + 1) % modes.length] : null;
    return { next, note: baseNoteText(choice.note), credits: creditsText(choice) };
  }

  /** @param {import('../map/base-choice.js').Mode} mode */
  chooseBase(mode) {
    this.#base.choice.choose(mode);
  }

  /** True once the finger moved it; tap 回中 to give it back. */
  get touched() {
    return this.#map.touched;
  }

  /** @param {() => void} listener */
  onMoved(listener) {
    this.#map.onMoved(listener);
  }

  recentre() {
    this.#map.release();
    this.#framed = '';
  }

  resize() {
    this.#map.gl.resize();
  }

  remove() {
    this.#base.choice.stop();
    this.#map.gl.remove();
  }

  /**
   * @param {object} scene
   * @param {Position | null} scene.me
   * @param {Incident | null} scene.incident
   * @param {[number, number][] | null} scene.line the way still to go
   * @param {Record<string, import('../../types/wire.d.ts').Closure>} scene.closures
   * @param {number} scene.nowMs server time
   * @param {number} scene.revision of the district
   * @param {boolean} scene.close zoom in on me (turn by turn) instead of showing the whole way
   */
  show({ me, incident, line, close, closures, nowMs, revision }) {
    this.#map.closures.sync(closures, nowMs, revision);
    if (revision !== this.#revision) {
      if (this.#revision !== null) void this.#base.choice.look(); // another map may have come into force
      this.#revision = revision;
    }
    if (me) {
      this.#marker.setLngLat([me.lon, me.lat]);
      if (!this.#placed) this.#marker.addTo(this.#map.gl);
      this.#placed = true;
      this.#me.svg.style.transform = me.heading_deg === null ? '' : `rotate(${me.heading_deg}deg)`;
    } else if (this.#placed) {
      this.#marker.remove();
      this.#placed = false;
    }
    const target = incident ? [incident.id, incident.level, incident.lon, incident.lat].join() : '';
    if (target !== this.#target) {
      this.#target = target;
      this.#targetMarker?.remove();
      this.#targetMarker = incident
        ? new Marker({ element: makeTarget(incident.level) }).setLngLat([incident.lon, incident.lat]).addTo(this.#map.gl)
        : null;
    }
    this.#map.setRoutes(line && line.length > 1 ? [{ rank: 1, coordinates: line }] : []);
    if (!this.#map.touched) this.#frame(me, incident, line, close);
  }

  /**
   * @param {Position | null} me
   * @param {Incident | null} incident
   * @param {[number, number][] | null} line
   * @param {boolean} close
   */
  #frame(me, incident, line, close) {
    const points = /** @type {[number, number][]} */ ([
      ...(line ?? []),
      ...(me ? [[me.lon, me.lat]] : []),
      ...(incident ? [[incident.lon, incident.lat]] : []),
    ]);
    if (!points.length) return;
    // Small movements would make the map swim under the eye; only a real change frames it anew.
    const key = points.map(([lon, lat]) => `${lon.toFixed(3)} ${lat.toFixed(3)}`).join();
    if (key === this.#framed) return;
    this.#framed = key;
    if (points.length === 1 || (close && me)) {
      const [lon, lat] = me ? [me.lon, me.lat] : points[0];
      this.#map.show([lon, lat], close ? 16.2 : 14.8);
      return;
    }
    const lons = points.map((point) => point[0]);
    const lats = points.map((point) => point[1]);
    this.#map.gl.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: { top: 56, bottom: 44, left: 56, right: 56 }, maxZoom: 16.5, duration: 350,
    });
  }
}
