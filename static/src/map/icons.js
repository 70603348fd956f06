// Incident and camera images, drawn once per theme on a canvas from the same paths the panels use.
import { BOX, LEVELS } from '../ui/levels.js';
import { addClosureIcons } from './closures-style.js';
import { paletteOf } from './palette.js';
import { addPlaceIcons } from './places-layer.js';

const RATIO = 3;
const SIZE = 30;
const MOST_PINS = 9;

/** @param {(pen: CanvasRenderingContext2D) => void} draw @param {number} size CSS px */
function image(draw, size = SIZE) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size * RATIO;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.scale(RATIO, RATIO);
  pen.translate(size / 2, size / 2);
  pen.lineJoin = 'round';
  draw(pen);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Name of an incident's image.
 * @param {string} level @param {boolean} hollow
 */
export const incidentIcon = (level, hollow) =>
  `incident-${LEVELS[level] ? level : 'none'}-${hollow ? 'hollow' : 'solid'}`;

/**
 * @param {{hasImage(name: string): boolean, addImage(name: string, data: ImageData, options: object): unknown, removeImage(name: string): void}} map
 * @param {import('./palette.js').Theme} theme
 */
export function addIcons(map, theme) {
  const p = paletteOf(theme);
  /** @param {string} name @param {ImageData} data */
  const put = (name, data) => {
    if (map.hasImage(name)) map.removeImage(name);
    map.addImage(name, data, { pixelRatio: RATIO });
  };
  for (const [level, { rank, path }] of Object.entries(LEVELS)) {
    const colour = p.levels[rank - 1];
    for (const hollow of [false, true]) {
      put(
        incidentIcon(level, hollow),
        image((pen) => {
          const shape = new Path2D(path);
          pen.scale(SIZE / BOX / 1.35, SIZE / BOX / 1.35);
          pen.lineWidth = 5.6;
          pen.strokeStyle = p.casingMark;
          pen.stroke(shape);
          pen.fillStyle = hollow ? p.hollow : colour;
          pen.fill(shape);
          pen.lineWidth = 2.4;
          pen.strokeStyle = colour;
          pen.stroke(shape);
        }),
      );
    }
  }
  for (const mark of ['live', 'late', 'offline', 'unknown']) put(`camera-${mark}`, image((pen) => drawCamera(pen, mark, p), 14));
  for (let number = 1; number <= MOST_PINS; number += 1) put(`camera-pin-${number}`, image((pen) => drawPin(pen, number, p), 30));
  addClosureIcons(put, p, image);
  addPlaceIcons(put, p, image);
}

/**
 * ■ live, ◧ not as it should be, □ offline, dotted when nobody knows.
 * @param {CanvasRenderingContext2D} pen @param {string} mark @param {import('./palette.js').Palette} p
 */
function drawCamera(pen, mark, p) {
  const half = 3.6;
  const colour = mark === 'late' ? p.cameraLate : mark === 'offline' ? p.cameraOff : p.camera;
  pen.lineWidth = 3;
  pen.strokeStyle = p.casingMark;
  pen.strokeRect(-half, -half, half * 2, half * 2);
  pen.fillStyle = mark === 'live' ? colour : p.hollow;
  pen.fillRect(-half, -half, half * 2, half * 2);
  pen.fillStyle = colour;
  if (mark === 'late') pen.fillRect(-half, -half, half, half * 2);
  pen.lineWidth = 1.4;
  pen.strokeStyle = colour;
  if (mark === 'unknown') pen.setLineDash([1.3, 1.5]);
  pen.strokeRect(-half, -half, half * 2, half * 2);
}

/** A numbered plate on a stem, its foot at the place. @param {CanvasRenderingContext2D} pen @param {number} number @param {import('./palette.js').Palette} p */
function drawPin(pen, number, p) {
  pen.lineWidth = 2.4;
  pen.strokeStyle = p.casingMark;
  pen.fillStyle = p.pin;
  pen.beginPath();
  pen.roundRect(-9, -14, 18, 18, 3);
  pen.moveTo(-3.5, 4);
  pen.lineTo(0, 10);
  pen.lineTo(3.5, 4);
  pen.stroke();
  pen.fill();
  pen.fillStyle = p.pinText;
  pen.font = '600 14px "Noto Sans SC", sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(String(number), 0, -4.4);
}
