// The camera tree: by area, station, tour group or network, with how many are online below each node. Pure.

import { isOnline } from '../board.js';

/** @import {AreaRow} from '../../types/video.d.ts' */
/** @import {Camera} from '../../types/wire.d.ts' */

/** @typedef {'area' | 'station' | 'group' | 'network'} Grouping */

export const GROUPINGS = /** @type {const} */ (['area', 'station', 'group', 'network']);
const NETWORKS = ['xueliang', 'bureau', 'social'];
/** Last in its list: what belongs nowhere. */
export const NOWHERE = '';

/**
 * @typedef {object} TreeNode
 * @property {string} key unique in the tree
 * @property {string} kind area, station, group, network or none
 * @property {string} value area code, station, group or network; "" for what belongs nowhere
 * @property {string} name
 * @property {number} online
 * @property {number} total cameras below, each counted once
 * @property {TreeNode[]} children
 * @property {Camera[]} cameras directly below, in the order given
 *
 * @typedef {{node: TreeNode, camera: null, depth: number, key: string, open: boolean}
 *   | {node: TreeNode, camera: Camera, depth: number, key: string, open: false}} TreeRow
 */

const order = new Intl.Collator('zh-CN-u-co-pinyin', { numeric: true });

/** @param {{name: string, id?: string}} a @param {{name: string, id?: string}} b */
const byName = (a, b) => order.compare(a.name, b.name) || ((a.id ?? '') < (b.id ?? '') ? -1 : 1);

/** @param {string} key @param {string} kind @param {string} value @param {string} name @returns {TreeNode} */
const empty = (key, kind, value, name) => ({ key, kind, value, name, online: 0, total: 0, children: [], cameras: [] });

/**
 * Puts cameras in order of their names. Comparing by pinyin is slow for a county's cameras, so the order is kept for as
 * long as no camera came, went or was renamed.
 * @returns {(cameras: Record<string, Camera>) => Camera[]}
 */
export function nameOrder() {
  /** @type {Camera[]} */
  let sorted = [];
  return (cameras) => {
    const kept = sorted.map((old) => cameras[old.id]);
    const same =
      kept.length === Object.keys(cameras).length && kept.every((camera, at) => camera?.name === sorted[at].name);
    sorted = same ? kept : Object.values(cameras).sort(byName);
    return sorted;
  };
}

/**
 * The tree's first level.
 * @param {Iterable<Camera>} cameras in order of their names
 * @param {Grouping} grouping
 * @param {Map<string, AreaRow>} areas by code
 * @param {{network?: (code: string) => string, nowhere?: string}} [words]
 * @returns {TreeNode[]}
 */
export function buildTree(cameras, grouping, areas, words = {}) {
  const nowhere = words.nowhere ?? '—';
  return grouping === 'area' ? byArea(cameras, areas, nowhere) : byLabel(cameras, grouping, words, nowhere);
}

/** @param {Iterable<Camera>} cameras @param {Map<string, AreaRow>} areas @param {string} nowhere */
function byArea(cameras, areas, nowhere) {
  /** @type {Map<string, TreeNode>} */
  const towns = new Map();
  /** @type {Map<string, TreeNode>} */
  const villages = new Map();
  for (const camera of cameras) {
    const { town, village } = placeOf(camera, areas);
    const townKey = town?.code ?? NOWHERE;
    let top = towns.get(townKey);
    if (!top) {
      top = empty(`area:${townKey}`, town ? 'area' : 'none', townKey, town?.name ?? nowhere);
      towns.set(townKey, top);
    }
    let under = top;
    if (village) {
      let leaf = villages.get(village.code);
      if (!leaf) {
        leaf = empty(`area:${village.code}`, 'area', village.code, village.name);
        villages.set(village.code, leaf);
        top.children.push(leaf);
      }
      under = leaf;
    }
    under.cameras.push(camera);
  }
  const found = [...towns.values()];
  for (const node of found) node.children.sort((a, b) => (a.value < b.value ? -1 : 1));
  return finish(found.sort((a, b) => Number(a.value === NOWHERE) - Number(b.value === NOWHERE) || (a.value < b.value ? -1 : 1)));
}

/**
 * Township and village a camera stands in; undefined where the register does not say.
 * @param {Camera} camera @param {Map<string, AreaRow>} areas
 */
export function placeOf(camera, areas) {
  /** @type {AreaRow | undefined} */ let town;
  /** @type {AreaRow | undefined} */ let village;
  let at = areas.get(camera.grid ?? '') ?? areas.get(camera.area ?? '');
  for (let guard = 0; at && guard < 9; guard += 1) {
    if (at.tier === 3) village = at;
    if (at.tier === 2) town = at;
    at = at.parent ? areas.get(at.parent) : undefined;
  }
  return { town, village };
}

/**
 * @param {Iterable<Camera>} cameras @param {Grouping} grouping
 * @param {{network?: (code: string) => string}} words @param {string} nowhere
 */
function byLabel(cameras, grouping, words, nowhere) {
  /** @type {Map<string, TreeNode>} */
  const nodes = new Map();
  for (const camera of cameras) {
    const own = grouping === 'group' ? camera.tour_groups : [grouping === 'station' ? camera.station : camera.network];
    const labels = own.filter((label) => Boolean(label));
    for (const label of new Set(labels.length ? labels : [NOWHERE])) {
      const value = String(label ?? NOWHERE);
      let node = nodes.get(value);
      if (!node) {
        const name = value === NOWHERE ? nowhere : grouping === 'network' ? (words.network?.(value) ?? value) : value;
        node = empty(`${grouping}:${value}`, value === NOWHERE ? 'none' : grouping, value, name);
        nodes.set(value, node);
      }
      node.cameras.push(camera);
    }
  }
  const rank = (/** @type {TreeNode} */ node) =>
    node.value === NOWHERE ? 99 : grouping === 'network' ? NETWORKS.indexOf(node.value) : 0;
  return finish([...nodes.values()].sort((a, b) => rank(a) - rank(b) || order.compare(a.name, b.name)));
}

/** @param {TreeNode[]} nodes @returns {TreeNode[]} with their counts */
function finish(nodes) {
  for (const node of nodes) {
    finish(node.children);
    node.total = node.cameras.length + node.children.reduce((sum, child) => sum + child.total, 0);
    node.online = node.cameras.filter(isOnline).length + node.children.reduce((sum, child) => sum + child.online, 0);
  }
  return nodes;
}

/**
 * The rows to draw, top to bottom.
 * @param {TreeNode[]} nodes
 * @param {ReadonlySet<string>} open keys of the opened nodes
 * @param {boolean} [all] as if every node were open: search results
 * @returns {TreeRow[]}
 */
export function flatten(nodes, open, all = false) {
  /** @type {TreeRow[]} */
  const rows = [];
  /** @param {TreeNode[]} level @param {number} depth */
  const walk = (level, depth) => {
    for (const node of level) {
      const isOpen = all || open.has(node.key);
      rows.push({ node, camera: null, depth, key: node.key, open: isOpen });
      if (!isOpen) continue;
      walk(node.children, depth + 1);
      for (const camera of node.cameras)
        rows.push({ node, camera, depth: depth + 1, key: `${node.key}/${camera.id}`, open: false });
    }
  };
  walk(nodes, 0);
  return rows;
}

/** Every camera below a node, in tree order, each once. @param {TreeNode} node @returns {Camera[]} */
export function camerasBelow(node) {
  const found = new Map();
  for (const child of node.children) for (const camera of camerasBelow(child)) found.set(camera.id, camera);
  for (const camera of node.cameras) found.set(camera.id, camera);
  return [...found.values()];
}

/**
 * Cameras a text names: part of the name, the start or the last digits of the GB id, or what the server found by
 * pinyin.
 * @param {Iterable<Camera>} cameras
 * @param {string} text
 * @param {ReadonlySet<string>} found ids the server found for the same text
 */
export function matching(cameras, text, found) {
  const wanted = text.trim().toLowerCase();
  const digits = /^\d{3,20}$/.test(wanted);
  const hits = [];
  for (const camera of cameras) {
    const gb = camera.gb_id ?? '';
    if (
      camera.name.toLowerCase().includes(wanted) ||
      (digits && (gb.startsWith(wanted) || gb.endsWith(wanted))) ||
      found.has(camera.id)
    )
      hits.push(camera);
  }
  return hits;
}

/**
 * Which rows of a long list are in view.
 * @param {number} count rows @param {number} row_px @param {number} top_px scrolled by @param {number} view_px
 * @param {number} [spare] rows kept ready on each side
 * @returns {[number, number]} first, end (not included)
 */
export function rowsInView(count, row_px, top_px, view_px, spare = 8) {
  const first = Math.max(0, Math.floor(top_px / row_px) - spare);
  const end = Math.min(count, Math.ceil((top_px + Math.max(view_px, row_px)) / row_px) + spare);
  return [Math.min(first, Math.max(0, count - 1)), Math.max(end, 0)];
}
