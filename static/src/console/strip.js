// The bottom strip: the cameras nearest to what is selected, playing. They open by themselves with an incident or a
// community and close with it; with nothing selected only the last still pictures are shown and no camera is opened.
import { t } from '../i18n.js';
import { metresBetween } from '../map/sphere.js';
import { distanceText } from '../ui/format.js';
import { html, useEffect } from '../ui/h.js';
import { VideoTile } from '../video/tile.js';
import { select, toast } from './actions.js';
import { placeOfSelection } from './reading.js';
import { board, may, redraw, ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */

const NARROW = '(max-width: 1440px)';

/** @typedef {Camera & {distance_m?: number, in_view?: boolean}} NearCamera */

/** Tiles that fit: what is not seen must not be opened either. */
const room = () => (matchMedia(NARROW).matches ? 3 : 4);

/** The cameras of the strip as the board has them now. @returns {NearCamera[]} */
export const stripCameras = () =>
  ui.cameras.slice(0, room()).map((item) => ({ ...item, ...(board().cameras[item.id] ?? {}) }));

/** @param {NearCamera} camera */
function noteOf(camera) {
  const at = ui.selection?.kind === 'camera' ? null : placeOfSelection();
  if (!at || !ui.selection) return '';
  const distance = distanceText(metresBetween(at, [camera.lon, camera.lat]));
  return camera.in_view ? t('camera.near.sees', { distance }) : distance;
}

/** The incident whose cameras these are, also while one of them is in the drawer. */
export function incidentInMind() {
  const chosen = ui.selection?.kind === 'camera' ? ui.back.at(-1) : ui.selection;
  return chosen?.kind === 'incident' ? chosen.id : null;
}

export function CameraStrip() {
  useEffect(() => {
    const query = matchMedia(NARROW);
    query.addEventListener('change', redraw);
    return () => query.removeEventListener('change', redraw);
  }, []);
  const { selection } = ui;
  const incidentId = incidentInMind();
  const list = may('camera.view') ? stripCameras() : [];
  return html`<section class="strip" aria-label=${t('console.cameras.near')} data-testid="camera-strip">
    ${list.map(
      (camera, index) => html`<${VideoTile} key=${camera.id} camera=${camera} number=${index + 1} note=${noteOf(camera)}
        live=${selection !== null && selection.kind !== 'form'} purpose=${incidentId ? 'incident' : 'watch'} incidentId=${incidentId}
        selected=${selection?.kind === 'camera' && selection.id === camera.id}
        allow=${{ ptz: may('camera.control'), keep: may('clip.create') }}
        notify=${toast} onSelect=${() => select({ kind: 'camera', id: camera.id })} />`,
    )}
    ${!list.length && html`<p class="empty">${t('console.cameras.none')}</p>`}
  </section>`;
}
