// Outlines as SVG paths. A district is small enough that a plane serves: east squeezed by the cosine of its latitude.

/** @import {Outlines} from '../../types/lead.d.ts' */

/** @typedef {[number, number, number, number]} Box x, y, width, height in the picture's units */
/** @typedef {(lon: number, lat: number) => [number, number]} Project */

/** Units across the wider side of the district. */
const SIZE = 1000;

/** @param {[number, number, number, number]} bounds west, south, east, north @returns {Project} */
export function projection([west, south, east, north]) {
  const squeeze = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = SIZE / Math.max((east - west) * squeeze, north - south, 1e-9);
  return (lon, lat) => [(lon - west) * squeeze * scale, (north - lat) * scale];
}

/** @param {Outlines['features'][0]['geometry']} geometry @returns {[number, number][][]} every ring */
const ringsOf = ({ type, coordinates }) => (type === 'Polygon' ? coordinates : coordinates.flat(1));

/** @param {Outlines['features'][0]['geometry']} geometry @param {Project} project */
export const pathOf = (geometry, project) =>
  ringsOf(geometry)
    .map((ring) => `M${ring.map(([lon, lat]) => project(lon, lat).map((value) => value.toFixed(1)).join(' ')).join('L')}Z`)
    .join('');

/** @param {Outlines['features'][0]['geometry'][]} geometries @param {Project} project @returns {Box | null} */
export function boxOf(geometries, project) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries) {
    for (const ring of ringsOf(geometry)) {
      for (const [lon, lat] of ring) {
        const [x, y] = project(lon, lat);
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  return right < left ? null : [left, top, right - left, bottom - top];
}

/** Room about a box, in the proportions of the window. @param {Box} box @param {number} wide @param {number} high px @param {number} [left] px kept free */
export function framed([x, y, width, height], wide, high, left = 0) {
  const margin = 20;
  const unit = Math.max(width / Math.max(wide - left - 2 * margin, 1), height / Math.max(high - 2 * margin, 1), 1e-3);
  /** @type {Box} */
  const view = [x + width / 2 - (unit * (wide + left)) / 2, y + height / 2 - (unit * high) / 2, unit * wide, unit * high];
  return { view, unit };
}
