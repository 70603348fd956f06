// Keeps the map in step with the board and the selection. The map itself knows nothing of the console.
import { call, callAll } from '../api.js';
import { activeAssignments, geographyOf, isOpen, responderByUnit } from '../board.js';
import { t } from '../i18n.js';
import { BaseChoice } from '../map/base-choice.js';
import { createMap } from '../map/map.js';
import { placeFeatures } from '../map/places-layer.js';
import { bearingText, cutText, distanceText, durationText } from '../ui/format.js';
import { isAlarm, isWaiting } from '../ui/levels.js';
import { openArea, openIncident, openPoint, select } from './actions.js';
import { drawDraft, isDrawing, listenForDrawing } from './closure-draw.js';
import { etaText } from './ranked.js';
import { locate, placeOfSelection } from './reading.js';
import { board, redraw, selectedIncident, set, ui } from './state.js';
import { stripCameras } from './strip.js';
import { cardClock, pathOf, placeName } from './words.js';

/** @type {{incidents?: object, cameras?: object, responders?: object}} */
const drawn = {};
/** @type {Map<string, object>} outlines by area code, as far as they are known */
const outlines = new Map();
let grids = 'none';
/** The revision of the district whose areas are drawn. */
let geography = 0;
const CAMERAS_EVERY_MS = 2500;
let camerasAt = 0;

/** @param {HTMLElement} container */
export async function startMap(container) {
  const { district } = ui;
  const map = await createMap({
    container,
    center: district.center,
    bounds: district.bounds,
    theme: ui.theme,
    movers: ui.feed.movers,
  });
  ui.map = map;
  ui.base = new BaseChoice({ map, read: () => call('GET', '/basemap/sources'), user: ui.me.id, onChange: redraw });
  void ui.base.start();
  listenForDrawing(map);
  map.onPick((pick) => {
    if (isDrawing()) return;
    if (pick.kind === 'closure') select({ kind: 'closure', id: pick.id });
    else if (ui.selection?.kind === 'form' && pick.kind !== 'incident') void openPoint(pick.lon, pick.lat, map.gl.getZoom());
    else if (pick.kind === 'incident') openIncident(pick.id);
    else if (pick.kind === 'camera') select({ kind: 'camera', id: pick.id });
    else if (pick.kind === 'area') openArea(pick.id);
    else if (pick.kind === 'responder') {
      const person = responderByUnit(board(), Number(pick.id));
      if (person) select({ kind: 'responder', id: person.id });
    } else void openPoint(pick.lon, pick.lat, map.gl.getZoom());
  });
  map.onMoved(() => {
    ui.feed.setView({ bbox: map.bounds() });
    if (map.gl.getZoom() > 12.2) void loadGrids();
    redraw();
    nameView();
  });
  ui.feed.setView({ bbox: map.bounds() });
  map.layer.setKinds((unit) => responderByUnit(board(), unit)?.kind);
  map.layer.setClock(() => ui.feed.serverNow());
  // Without news nothing uploads by itself, yet positions grow old.
  window.setInterval(() => ui.feed.state !== 'live' && map.layer.touch(), 5000);
  // What was selected while the map was still loading.
  const at = ui.selection?.kind === 'incident' ? placeOfSelection() : null;
  if (at) map.suggest(at, 14.4);
  geography = geographyOf(board());
  await loadAreas();
  syncMap();
  return map;
}

let places = 'none';
/** Places and checkpoints, once somebody wants to see them. */
export async function loadPlaces() {
  if (places !== 'none' || !ui.layers.places) return;
  places = 'loading';
  try {
    const [named, checkpoints] = await Promise.all([callAll('/places'), callAll('/checkpoints')]);
    ui.map?.setPlaces(placeFeatures(named, checkpoints));
    places = 'loaded';
  } catch (error) {
    places = 'none';
    console.warn('places', error);
  }
}

/** Somebody changed the district: what was drawn of it is asked for anew. */
async function reloadAreas() {
  const close = grids !== 'none';
  grids = 'none';
  places = 'none';
  void loadPlaces();
  await loadAreas();
  if (close) await loadGrids();
}

/** Names of all tiers and outlines of the upper three. Grids' outlines wait until one looks closely. */
async function loadAreas() {
  await Promise.all(
    [1, 2, 3, 4].map(async (tier) => {
      try {
        const items = await callAll(`/areas?tier=${tier}`);
        for (const item of [...ui.areas.values()]) if (item.tier === tier) ui.areas.delete(item.code);
        for (const item of items) ui.areas.set(item.code, item);
        if (tier < 4) takeOutlines(tier, await call('GET', `/areas.geojson?tier=${tier}`));
      } catch (error) {
        console.warn('areas', tier, error);
      }
    }),
  );
  ui.map?.setAreaLabels([...ui.areas.values()].filter((item) => item.tier > 1 && item.label_point));
  chosenDrawn = '';
  redraw();
}

async function loadGrids() {
  if (grids !== 'none') return;
  grids = 'loading';
  try {
    takeOutlines(4, await call('GET', '/areas.geojson?tier=4'));
    grids = 'loaded';
    chosenDrawn = '';
    syncMap();
  } catch (error) {
    grids = 'none';
    console.warn('grids', error);
  }
}

/** @param {number} tier @param {{features: any[]}} collection */
function takeOutlines(tier, collection) {
  for (const feature of collection.features) outlines.set(feature.properties.code, feature.geometry);
  ui.map?.setAreas(tier, collection);
}

let naming = 0;
/** The breadcrumb of a view without a selection. */
function nameView() {
  window.clearTimeout(naming);
  if (ui.selection) return;
  naming = window.setTimeout(async () => {
    const centre = ui.map?.gl.getCenter();
    if (!centre || ui.selection) return;
    try {
      const { areas } = await locate(centre.lng, centre.lat);
      const deepest = ui.map && ui.map.gl.getZoom() > 12 ? '3' : '2';
      set({ crumbs: pathOf((areas[deepest] ?? areas['2'] ?? areas['1'])?.code ?? null) });
    } catch {
      // outside the district: the breadcrumb stays as it was
    }
  }, 400);
}

let chosenDrawn = '';

/** After each change of board or selection. */
export function syncMap() {
  const { map } = ui;
  if (!map) return;
  const b = board();
  if (geography !== geographyOf(b)) {
    geography = geographyOf(b);
    void reloadAreas();
    void ui.base?.look();
  }
  if (drawn.incidents !== b.incidents) {
    drawn.incidents = b.incidents;
    map.setIncidents(Object.values(b.incidents).filter(isOpen));
  }
  if (drawn.cameras !== b.cameras && Date.now() - camerasAt > CAMERAS_EVERY_MS) {
    // Fifteen thousand points are clustered anew each time; their states may wait a moment.
    camerasAt = Date.now();
    drawn.cameras = b.cameras;
    map.cameras.set(b.cameras);
  }
  if (drawn.responders !== b.responders) {
    drawn.responders = b.responders;
    map.layer.touch();
  }
  map.closures.setFocus(ui.selection?.kind === 'closure' ? ui.selection.id : '');
  map.closures.sync(b.closures, ui.feed.serverNow(), b.geography?.district?.revision ?? 0);
  drawDraft();
  syncSelection();
}

/** Roads were closed or opened: ways that were read before may lead through them. */
export function forgetWays() {
  ways.clear();
}

function syncSelection() {
  const { map, selection, ranked } = ui;
  if (!map) return;
  map.cameras.setFocus(selection?.kind === 'camera' ? selection.id : null);
  map.cameras.setPins(selection ? stripCameras().map((camera, index) => ({ camera, number: index + 1 })) : []);
  const incident = selectedIncident();
  const p = map.palette;
  const code = selection?.kind === 'area' ? selection.id : (incident?.grid ?? '');
  const outline = outlines.get(code);
  const key = `${selection?.kind}:${code}:${Boolean(outline)}:${incident?.level}:${ui.theme}`;
  if (key !== chosenDrawn) {
    chosenDrawn = key;
    if (incident?.grid && !outline) void loadGrids();
    const levels = { I: 0, II: 1, III: 2, IV: 3, none: 4 };
    map.setChosenArea(
      outline
        ? { code, geometry: outline, ...(incident ? { colour: p.levels[levels[incident.level] ?? 4] } : {}) }
        : null,
    );
    if (selection?.whole && outline) map.fit(boundsOf(outline));
    const path = pathOf(selection?.kind === 'area' ? code : (incident?.village ?? null));
    if (path.length) set({ crumbs: path });
  }
  const rankedShown = ranked && (!incident || isWaiting(incident)) ? ranked.items.slice(0, 3) : [];
  const order = rankedShown.map((item, index) => ({ item, rank: index === ui.choice ? 1 : index + 2 }));
  const routes = order.flatMap(({ item, rank }) =>
    item.route?.coordinates?.length && !ui.lost.has(item.responder_id)
      ? [{ rank, coordinates: item.route.coordinates }]
      : [],
  );
  map.setRoutes(incident && !isWaiting(incident) ? jobRoutes(incident) : routes);
  const tags = rankedShown
    .map((item, index) => ({ item, index }))
    .filter(({ item }) => !ui.lost.has(item.responder_id))
    .map(({ item, index }) => ({
      id: item.responder_id,
      unit: item.unit,
      at: /** @type {[number, number]} */ ([item.lon, item.lat]),
      key: String(index + 1),
      name: item.name,
      detail: etaText(item),
      first: index === ui.choice,
    }));
  const strong = rankedShown.map((item) => item.unit);
  if (incident && !isWaiting(incident)) {
    for (const job of activeAssignments(board(), incident)) {
      const person = board().responders[job.responder_id];
      if (!person) continue;
      const eta = ui.feed.etas.get(job.id);
      strong.push(person.unit);
      if (ui.feed.movers.rowOf(person.unit) >= 0) {
        tags.push({
          id: job.id,
          unit: person.unit,
          at: [incident.lon, incident.lat],
          key: '',
          name: person.name,
          first: true,
          detail: job.state === 'en_route' && eta?.eta_s ? durationText(eta.eta_s) : t(`assignment.${job.state}`),
        });
      }
    }
  }
  if (selection?.kind === 'responder') {
    const person = board().responders[selection.id];
    if (person) {
      strong.push(person.unit);
      if (ui.feed.movers.rowOf(person.unit) >= 0)
        tags.push({
          id: person.id,
          unit: person.unit,
          at: ui.district.center,
          key: '',
          name: person.name,
          detail: '',
          first: true,
        });
    }
  }
  const strongKey = strong.join();
  if (strongKey !== strongDrawn) {
    strongDrawn = strongKey;
    map.layer.setStrong(strong);
  }
  frameOnce(incident, tags);
  map.overlays.setTags(tags);
  map.overlays.setFlag(
    incident
      ? {
          at: [incident.lon, incident.lat],
          level: incident.level,
          hollow: !isWaiting(incident),
          title: `${cutText(incident.title, 12)} · ${t(`state.${incident.state}`)}`,
          detail: `${placeName(incident)}  ${cardClock(incident).text}`,
        }
      : pointFlag(),
  );
  map.overlays.setEdges(edges());
}

/** @param {any} geometry Polygon or MultiPolygon @returns {[number, number, number, number]} */
function boundsOf(geometry) {
  const points = geometry.coordinates.flat(geometry.type === 'Polygon' ? 1 : 2);
  const lons = points.map((/** @type {number[]} */ at) => at[0]);
  const lats = points.map((/** @type {number[]} */ at) => at[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

let strongDrawn = '';
let framed = '';

/** Once per incident, on a map nobody has touched: the place and those who could come, together in view.
 * @param {import('../../types/wire.d.ts').Incident | null} incident
 * @param {{unit: number | null, at: [number, number]}[]} tags
 */
function frameOnce(incident, tags) {
  if (!incident || !tags.length || framed === incident.id) return;
  framed = incident.id;
  const { movers } = ui.feed;
  const places = tags.map(({ unit, at }) => {
    const row = unit === null ? -1 : movers.rowOf(unit);
    return /** @type {[number, number]} */ (row < 0 ? at : [movers.lon[row], movers.lat[row]]);
  });
  ui.map?.suggestAll([[incident.lon, incident.lat], ...places]);
}

const ROUTE_EVERY_MS = 15_000;
/** @type {Map<string, {at: number, coordinates: [number, number][]}>} the way each job still has to go */
const ways = new Map();

/** Roads of those on their way, read again now and then as they move. @param {import('../../types/wire.d.ts').Incident} incident */
function jobRoutes(incident) {
  const routes = [];
  for (const job of activeAssignments(board(), incident)) {
    if (!['dispatched', 'delivered', 'signed', 'en_route'].includes(job.state)) continue;
    const way = ways.get(job.id);
    if (!way || Date.now() - way.at > ROUTE_EVERY_MS) void readWay(job, incident, way?.coordinates ?? []);
    if (way?.coordinates.length) routes.push({ rank: routes.length ? 2 : 1, coordinates: way.coordinates });
  }
  return routes;
}

/** @param {import('../../types/wire.d.ts').Assignment} job @param {import('../../types/wire.d.ts').Incident} incident @param {[number, number][]} old */
async function readWay(job, incident, old) {
  const person = board().responders[job.responder_id];
  const { movers } = ui.feed;
  const row = person ? movers.rowOf(person.unit) : -1;
  if (!person || row < 0) return;
  ways.set(job.id, { at: Date.now(), coordinates: old });
  try {
    const { coordinates } = await call(
      'GET',
      `/route?from_lon=${movers.lon[row]}&from_lat=${movers.lat[row]}&to_lon=${incident.lon}&to_lat=${incident.lat}&profile=${person.profile}`,
    );
    // No road leads there: nothing is drawn.
    ways.set(job.id, { at: Date.now(), coordinates: coordinates ?? [] });
    redraw();
  } catch (error) {
    console.warn('route', error);
  }
}

function pointFlag() {
  const { selection } = ui;
  if (selection?.kind !== 'form' && selection?.kind !== 'point' && selection?.kind !== 'camera') return null;
  const at = placeOfSelection();
  if (!at) return null;
  return {
    at,
    level: 'none',
    hollow: true,
    title:
      selection.kind === 'form'
        ? t('console.new')
        : selection.kind === 'camera'
          ? cutText(board().cameras[selection.id]?.name ?? '', 18)
          : t('console.point'),
    detail: selection.kind === 'camera' ? '' : (ui.located?.address ?? ''),
  };
}

/** Alarms and the selected incident, when they are out of view. */
function edges() {
  const chosen = selectedIncident();
  const items = Object.values(board().incidents)
    .filter((item) => isAlarm(item) && item.id !== chosen?.id)
    .slice(0, 3);
  if (chosen) items.push(chosen);
  return items.map((item) => ({
    id: item.id,
    at: /** @type {[number, number]} */ ([item.lon, item.lat]),
    level: item.level,
    alarm: isAlarm(item),
    key: isAlarm(item) ? 'A' : 'H',
    title: `${item.title} · ${isAlarm(item) ? t('console.unacknowledged') : t(`state.${item.state}`)}`,
    detail: (/** @type {number} */ metres, /** @type {number} */ bearing) =>
      t('console.edge', {
        place: placeName(item),
        distance: distanceText(metres),
        arrow: '↑↗→↘↓↙←↖'[Math.round(bearing / 45) % 8] ?? '',
        bearing: bearingText(bearing),
      }),
    go: () => {
      openIncident(item.id);
      ui.map?.show([item.lon, item.lat]);
    },
  }));
}

/** H: back to what is selected, and the map may follow events again. */
export function home() {
  const at = ui.selection ? placeOfSelection() : null;
  ui.map?.release();
  if (at) ui.map?.show(at, 14.4);
  else ui.map?.fit(ui.district.bounds);
}

/** Telemetry came. */
export function fixesChanged() {
  ui.map?.layer.fixesChanged();
  ui.map?.overlays.place();
}
