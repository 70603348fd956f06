// The bottom strip: the four cameras nearest to what is selected. No picture is shown that is not one: until live video
// is connected a tile says what is registered, how far it stands and where it looks.
import { t } from '../i18n.js';
import { bearingDeg, metresBetween } from '../map/sphere.js';
import { bearingText, distanceText } from '../ui/format.js';
import { html } from '../ui/h.js';
import { select } from './actions.js';
import { placeOfSelection } from './reading.js';
import { board, ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */

/** @param {{camera: Camera & {distance_m?: number}, index: number}} props */
function Tile({ camera, index }) {
  const at = placeOfSelection();
  const metres = at ? metresBetween(at, [camera.lon, camera.lat]) : null;
  const toward = at ? bearingDeg([camera.lon, camera.lat], at) : 0;
  const half = (camera.fov ?? 60) / 2;
  const sees =
    camera.azimuth !== null &&
    metres !== null &&
    metres < 300 &&
    Math.abs(((toward - camera.azimuth + 540) % 360) - 180) <= half;
  const look = camera.azimuth === null ? '' : t('console.camera.looks', { bearing: bearingText(camera.azimuth) });
  return html`<figure class=${`tile ${camera.status}`} data-testid="camera-tile" data-status=${camera.status} tabindex="0" role="button" key=${camera.id}
      onClick=${() => select({ kind: 'camera', id: camera.id })} onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === 'Enter' && select({ kind: 'camera', id: camera.id })}>
    <div class="pic"><i class="no">${index + 1}</i><em class="far">${distanceText(metres)}</em>
      <svg class="cone" viewBox="-50 -50 100 100" aria-hidden="true"><circle r="34" /><path d=${cone(camera.azimuth, half)} /><rect x="-4" y="-4" width="8" height="8" rx="1" /></svg>
      <div class="words"><b>${t(camera.status === 'offline' ? 'console.camera.offline' : 'console.camera.no_picture')}</b>
        <span>${[look, sees ? t('console.camera.sees') : ''].filter(Boolean).join(' · ')}</span></div></div>
    <figcaption><b>${camera.name}</b><span class="st">${t(`console.network.${camera.network}`)} · ${t(`console.camera.status.${camera.status}`)}</span></figcaption>
  </figure>`;
}

/** The direction of view as a wedge, north up. @param {number | null} azimuth @param {number} half */
function cone(azimuth, half) {
  if (azimuth === null) return '';
  const [a, b] = [azimuth - half, azimuth + half].map((deg) => [
    Math.sin((deg * Math.PI) / 180) * 34,
    -Math.cos((deg * Math.PI) / 180) * 34,
  ]);
  return `M0 0L${a[0].toFixed(1)} ${a[1].toFixed(1)}A34 34 0 0 1 ${b[0].toFixed(1)} ${b[1].toFixed(1)}Z`;
}

export function CameraStrip() {
  const list = ui.cameras.map((item) => ({ ...item, ...(board().cameras[item.id] ?? {}) }));
  return html`<section class="strip" aria-label=${t('console.cameras.near')} data-testid="camera-strip">
    ${list.slice(0, 4).map((camera, index) => html`<${Tile} camera=${camera} index=${index} key=${camera.id} />`)}
    ${!list.length && html`<p class="empty">${t('console.cameras.none')}</p>`}
  </section>`;
}
