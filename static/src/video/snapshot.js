// A JPEG of exactly what is on screen, with the camera's name and the time under the picture and in the file's name.
import { nowMs } from './clock.js';
import { dayStamp, timeOfDay } from '../time.js';

const QUALITY = 0.92;
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}\p{Cf}]/gu;

/**
 * @param {string} name of the camera
 * @param {number} at epoch ms
 */
export function fileName(name, at) {
  const clean = name.replace(FORBIDDEN, ' ').trim().replace(/\s+/g, ' ').replace(/^[.\s]+/, '').slice(0, 60) || 'camera';
  return `${clean} ${dayStamp(at)} ${timeOfDay(at, { seconds: true }).replaceAll(':', '-')}.jpg`;
}

/**
 * @param {{source: CanvasImageSource, width: number, height: number}} frame
 * @param {{name: string, id: string, age_s: number}} about
 * @returns {Promise<{blob: Blob, name: string}>}
 */
export async function snapshotOf({ source, width, height }, { name, id, age_s }) {
  const at = nowMs() - age_s * 1000;
  const bar = Math.max(22, Math.round(height / 24));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height: height + bar });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
  pen.drawImage(source, 0, 0, width, height);
  pen.fillStyle = '#000';
  pen.fillRect(0, height, width, bar);
  pen.fillStyle = '#fff';
  pen.font = `${Math.round(bar * 0.62)}px "Noto Sans SC", sans-serif`;
  pen.textBaseline = 'middle';
  const time = `${dayStamp(at)} ${timeOfDay(at, { seconds: true })}`;
  const pad = bar / 3;
  pen.fillText(`${name}  ${id}`, pad, height + bar / 2, width - pad * 3 - pen.measureText(time).width);
  pen.textAlign = 'right';
  pen.fillText(time, width - pad, height + bar / 2);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  if (!blob) throw new Error('no picture');
  return { blob, name: fileName(name, at) };
}

/** @param {{blob: Blob, name: string}} file */
export function download({ blob, name }) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
