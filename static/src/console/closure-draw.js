// Drawing on the map: clicks or, without a mouse, arrows and the space bar; Enter or a double click ends it.
import { changeDraft, finishDrawing } from './closure-draft.js';
import { redraw, ui } from './state.js';

const SAME_PX = 5;
const STEP_PX = 80;
const FINE_PX = 12;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** Somebody draws without a mouse: the middle of the map is marked. */
let byKeys = false;

export const isDrawing = () => ui.selection?.kind === 'closure-form' && Boolean(ui.closureDraft && !ui.closureDraft.done);
export const showsCross = () => byKeys && isDrawing();

/** @param {{lng: number, lat: number}} at @returns {[number, number]} */
const place = ({ lng, lat }) => [Number(lng.toFixed(7)), Number(lat.toFixed(7))];

/** @param {[number, number]} at */
function addPoint(at) {
  const draft = ui.closureDraft;
  const gl = ui.map?.gl;
  if (!draft || !gl) return;
  const last = draft.points[draft.points.length - 1];
  if (last) {
    const [a, b] = [gl.project(last), gl.project(at)];
    if (Math.hypot(a.x - b.x, a.y - b.y) < SAME_PX) return; // the second click of a double one
  }
  changeDraft({ points: [...draft.points, at], next: null });
}

/** Listen to the map, once. @param {import('../map/map.js').LiveMap} map */
export function listenForDrawing(map) {
  map.gl.on('click', (/** @type {any} */ event) => {
    if (!isDrawing()) return;
    byKeys = false;
    addPoint(place(event.lngLat));
  });
  map.gl.on('mousemove', (/** @type {any} */ event) => {
    if (!isDrawing() || !ui.closureDraft?.points.length) return;
    ui.closureDraft = { ...ui.closureDraft, next: place(event.lngLat) };
    drawDraft();
  });
  map.gl.on('dblclick', (/** @type {any} */ event) => {
    if (!isDrawing()) return;
    event.preventDefault();
    finishDrawing();
  });
}

/** @param {KeyboardEvent} event @returns {boolean} whether the key belonged to the drawing */
export function drawKey(event) {
  const { map, closureDraft: draft } = ui;
  if (!isDrawing() || !draft || !map) return false;
  const arrow = ARROWS[event.key];
  const onButton = Boolean(/** @type {HTMLElement} */ (event.target).closest('button, a, [role="radio"]'));
  if (arrow) {
    byKeys = true;
    const step = event.shiftKey ? FINE_PX : STEP_PX;
    map.gl.panBy([arrow[0] * step, arrow[1] * step], { duration: 0 });
    redraw();
  } else if (event.key === ' ' && !onButton) {
    byKeys = true;
    addPoint(place(map.gl.getCenter()));
  } else if (event.key === 'Backspace') changeDraft({ points: draft.points.slice(0, -1) });
  else if (event.key === 'Enter' && !onButton) finishDrawing();
  else return false;
  event.preventDefault();
  return true;
}

/** What is drawn, on the map. */
export function drawDraft() {
  const draft = ui.selection?.kind === 'closure-form' ? ui.closureDraft : null;
  ui.map?.closures.setDraft(
    draft && {
      points: draft.points,
      shape: draft.shape,
      next: draft.done ? null : draft.next,
      roads: draft.preview?.geometry.coordinates ?? [],
      oneWay: draft.direction !== 'both',
    },
  );
}
