// What stands over the map as HTML: the ring of the selected incident with its flag, the tags of ranked people, and
// the pointers at the edge for alarms out of view. Few things, so elements are fine; everything else is WebGL.
import { LEVELS } from '../ui/levels.js';
import { bearingDeg, metresBetween } from './sphere.js';

/** @import {LiveMap} from './map.js' */

/**
 * @typedef {object} Tag
 * @property {string} id
 * @property {number | null} unit follow this unit of the telemetry when it has a row
 * @property {[number, number]} at lon, lat otherwise
 * @property {string} key rank number or ''
 * @property {string} name
 * @property {string} detail
 * @property {boolean} first
 */

/**
 * @typedef {object} Flag
 * @property {[number, number]} at
 * @property {string} level
 * @property {string} title
 * @property {string} detail
 * @property {boolean} hollow
 */

/**
 * @typedef {object} EdgeItem
 * @property {string} id
 * @property {[number, number]} at
 * @property {string} level
 * @property {string} title
 * @property {(distance: number, bearing: number) => string} detail
 * @property {boolean} alarm
 * @property {string} key
 * @property {() => void} go
 */

const EDGE = { top: 12, right: 12, bottom: 56, left: 12, width: 236, height: 48 };

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** @param {string} level */
function mark(level) {
  const { rank, path } = LEVELS[level] ?? LEVELS.none;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '-11 -11 22 22');
  svg.setAttribute('class', `mark solid lv${rank}`);
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

export class Overlays {
  #map;
  #root = element('div', 'map-over');
  #ring = element('div', 'map-ring');
  #flagBox = element('div', 'map-flag');
  /** @type {Flag | null} */ #flag = null;
  /** @type {Map<string, {tag: Tag, node: HTMLElement}>} */ #tags = new Map();
  /** @type {{item: EdgeItem, node: HTMLElement}[]} */ #edges = [];

  /** @param {LiveMap} map */
  constructor(map) {
    this.#map = map;
    map.gl.getContainer().append(this.#root);
    const flagTitle = element('b', '');
    const flagDetail = element('span', '');
    this.#flagBox.append(flagTitle, flagDetail);
    this.#root.append(this.#ring, this.#flagBox);
    this.#show(this.#ring, false);
    this.#show(this.#flagBox, false);
  }

  /** @param {HTMLElement} node @param {boolean} shown */
  #show(node, shown) {
    node.hidden = !shown;
  }

  /** Another element over the map that places itself. @param {HTMLElement} node */
  add(node) {
    this.#root.append(node);
  }

  /** The selected incident. @param {Flag | null} flag */
  setFlag(flag) {
    this.#flag = flag;
    if (flag) {
      const { rank, numeral } = LEVELS[flag.level] ?? LEVELS.none;
      this.#ring.className = `map-ring lv${rank} ${flag.hollow ? 'hollow' : 'solid'}`;
      this.#ring.replaceChildren(
        element('i', 'pulse'),
        mark(flag.level),
        element('em', '', flag.level === 'none' ? '' : numeral),
      );
      this.#ring.querySelector('svg')?.classList.toggle('hollow', flag.hollow);
      this.#ring.querySelector('svg')?.classList.toggle('solid', !flag.hollow);
      this.#flagBox.className = `map-flag lv${rank}`;
      const [title, detail] = this.#flagBox.children;
      title.textContent = flag.title;
      detail.textContent = flag.detail;
    }
    this.place();
  }

  /** Ranked people and those on their way. @param {Tag[]} tags */
  setTags(tags) {
    const wanted = new Set(tags.map((tag) => tag.id));
    for (const [id, { node }] of this.#tags) {
      if (!wanted.has(id)) {
        node.remove();
        this.#tags.delete(id);
      }
    }
    for (const tag of tags) {
      let entry = this.#tags.get(tag.id);
      if (!entry) {
        const node = element('div', 'map-tag');
        node.append(element('i', ''), element('b', ''), element('span', ''));
        this.#root.append(node);
        entry = { tag, node };
        this.#tags.set(tag.id, entry);
      }
      entry.tag = tag;
      entry.node.className = `map-tag ${tag.first ? 'first' : ''}`;
      const [key, name, detail] = entry.node.children;
      key.textContent = tag.key;
      name.textContent = tag.name;
      detail.textContent = tag.detail;
    }
    this.place();
  }

  /** @param {EdgeItem[]} items */
  setEdges(items) {
    const old = new Map(this.#edges.map((entry) => [entry.item.id, entry.node]));
    this.#edges = items.map((item) => {
      let node = old.get(item.id);
      if (!node) {
        node = element('button', 'map-edge');
        node.append(mark(item.level), element('b', ''), element('small', ''), element('kbd', ''));
        node.dataset.testid = 'edge-pointer';
        this.#root.append(node);
      }
      old.delete(item.id);
      node.onclick = (event) => {
        event.stopPropagation();
        item.go();
      };
      node.className = `map-edge lv${(LEVELS[item.level] ?? LEVELS.none).rank} ${item.alarm ? 'unack' : ''}`;
      const [shape, title, , key] = node.children;
      shape.classList.toggle('flash', item.alarm);
      title.textContent = item.title;
      key.textContent = item.key;
      /** @type {HTMLElement} */ (key).hidden = !item.key;
      return { item, node };
    });
    for (const node of old.values()) node.remove();
    this.place();
  }

  /** Put everything where it belongs in the present view. */
  place() {
    const { gl, movers } = this.#map;
    const { clientWidth: width, clientHeight: height } = gl.getContainer();
    const flag = this.#flag;
    const at = flag && gl.project(flag.at);
    const inside = at && at.x > -40 && at.y > -40 && at.x < width + 40 && at.y < height + 40;
    this.#show(this.#ring, Boolean(inside));
    this.#show(this.#flagBox, Boolean(inside));
    /** @type {{x: number, y: number, w: number, h: number}[]} */
    const taken = [];
    if (at && inside) {
      this.#move(this.#ring, at.x, at.y);
      const left = at.x > 236;
      this.#move(this.#flagBox, left ? at.x - 46 - this.#flagBox.offsetWidth : at.x + 46, at.y + 38);
      taken.push(
        { x: left ? at.x - 232 : at.x + 46, y: at.y + 38, w: 186, h: 46 },
        { x: at.x - 32, y: at.y - 32, w: 64, h: 64 },
      );
    }
    // The people themselves are not to be covered either.
    const spots = [...this.#tags.values()].map(({ tag }) => {
      const row = tag.unit === null ? -1 : movers.rowOf(tag.unit);
      return gl.project(row >= 0 ? movers.drawnAt(row) : tag.at);
    });
    for (const spot of spots) taken.push({ x: spot.x - 11, y: spot.y - 11, w: 22, h: 22 });
    let nth = 0;
    for (const { node } of this.#tags.values()) {
      const spot = spots[nth];
      nth += 1;
      const seen = spot.x > -20 && spot.y > -20 && spot.x < width + 20 && spot.y < height + 20;
      this.#show(node, seen);
      if (!seen) continue;
      const box = this.#free(taken, spot, node.offsetWidth || 150, 28, width);
      taken.push(box);
      this.#move(node, box.x, box.y);
    }
    this.#placeEdges(width, height);
  }

  /** The first place beside a point that covers nothing already placed.
   * @param {{x: number, y: number, w: number, h: number}[]} taken @param {{x: number, y: number}} spot
   * @param {number} w @param {number} h @param {number} width
   */
  #free(taken, spot, w, h, width) {
    const places = [];
    for (const dy of [0, -32, 32, -62, 62, -94, 94]) {
      const side = dy === 0 ? 16 : 10;
      places.push({ x: spot.x + side, y: spot.y - h / 2 + dy }, { x: spot.x - side - w, y: spot.y - h / 2 + dy });
    }
    const clear = places.find(
      ({ x, y }) =>
        x > 4 &&
        x + w < width - 4 &&
        !taken.some((box) => x < box.x + box.w && x + w > box.x && y < box.y + box.h && y + h > box.y),
    );
    return { ...(clear ?? places[0]), w, h };
  }

  /** @param {number} width @param {number} height */
  #placeEdges(width, height) {
    const { gl } = this.#map;
    const centre = gl.getCenter();
    let row = 0;
    for (const { item, node } of this.#edges) {
      const at = gl.project(item.at);
      const seen = at.x > 8 && at.y > 8 && at.x < width - 8 && at.y < height - 8;
      this.#show(node, !seen);
      if (seen) continue;
      const halfW = (node.offsetWidth || EDGE.width) / 2;
      const halfH = EDGE.height / 2;
      const dx = at.x - width / 2;
      const dy = at.y - height / 2;
      const roomX = width / 2 - halfW - EDGE.right;
      const roomUp = height / 2 - halfH - EDGE.top;
      const roomDown = height / 2 - halfH - EDGE.bottom;
      const share = Math.min(
        roomX / Math.max(1, Math.abs(dx)),
        (dy < 0 ? roomUp : roomDown) / Math.max(1, Math.abs(dy)),
      );
      let x = width / 2 + dx * share - halfW;
      let y = height / 2 + dy * share - halfH;
      if (y < 56 && x < 560) y = 56;
      x = Math.max(EDGE.left, Math.min(width - EDGE.right - halfW * 2, x));
      // The zoom buttons stand at the right edge below the top; step aside.
      if (x + halfW * 2 > width - 56 && y + EDGE.height > 60 && y < 180) x = width - 56 - halfW * 2;
      y += row * 54 * (dy < 0 ? 1 : -1);
      row += 1;
      this.#move(node, x, y);
      const near = gl.unproject([Math.max(0, Math.min(width, at.x)), Math.max(0, Math.min(height, at.y))]);
      const [fromLon, fromLat] = [near.lng, near.lat];
      const metres = metresBetween([fromLon, fromLat], item.at);
      node.children[2].textContent = item.detail(metres, bearingDeg([centre.lng, centre.lat], item.at));
    }
  }

  /** @param {HTMLElement} node @param {number} x @param {number} y */
  #move(node, x, y) {
    node.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
