// A camera's picture in a cell: the shared tile, with what this account may do, and the page's clock for recordings.
import { html, useEffect, useRef } from '../ui/h.js';
import { VideoTile } from '../video/tile.js';
import { may, note, ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {Tile} from '../video/tile.js' */

/** The tiles on the page by camera, for the keys. @type {Map<string, Tile>} */
const tiles = new Map();

/** @param {number} cell */
export const tileAt = (cell) => tiles.get(ui.grid.cells[cell] ?? '') ?? null;

/** @param {{title: string, text: string}} said */
const tell = ({ title, text }) => note(text ? `${title}：${text}` : title);

/** @param {{camera: Camera, focused: boolean, cell: number}} props */
export function Screen({ camera, focused, cell }) {
  const { split } = ui.grid;
  return html`<${VideoTile} camera=${camera} number=${cell + 1} selected=${focused} big=${split <= 4} purpose=${ui.run ? 'tour' : 'watch'}
    allow=${{ ptz: may('camera.control'), keep: may('clip.create') }} notify=${tell}
    tileRef=${(/** @type {Tile | null} */ tile) => {
      if (tile) tiles.set(camera.id, tile);
      else tiles.delete(camera.id);
    }} />`;
}

/**
 * A recording. Tells how far it is: the seconds of it that were shown, as far as the player knows them.
 * @param {{camera: Camera, start: string, end: string, onSeconds: (seconds: number) => void}} props
 */
export function PlaybackScreen({ camera, start, end, onSeconds }) {
  const tile = useRef(/** @type {Tile | null} */ (null));
  useEffect(() => {
    // Recordings come at the speed they were made, so shown seconds are seconds with fresh pictures.
    let seconds = 0;
    let before = performance.now();
    const timer = window.setInterval(() => {
      const now = performance.now();
      const age_s = tile.current?.player?.age_s ?? null;
      if (age_s !== null && age_s < 1) seconds += (now - before) / 1000;
      before = now;
      onSeconds(seconds);
    }, 500);
    return () => window.clearInterval(timer);
  }, []);
  return html`<${VideoTile} camera=${camera} big=${true} playback=${{ start, end }} tileRef=${(/** @type {Tile | null} */ made) => {
    tile.current = made;
  }} />`;
}
