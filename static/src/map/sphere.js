// Distances, bearings and scale on the sphere, to tell them to people; the server does the ranking.

const RAD = Math.PI / 180;
const EARTH_M = 6371008.8;
const EQUATOR_M = 40_075_016.686;
const TILE_PX = 512;

/** Metres between two places, good for a district. @param {readonly number[]} a lon, lat degrees @param {readonly number[]} b lon, lat degrees */
export function metresBetween(a, b) {
  const squeeze = Math.cos(((a[1] + b[1]) / 2) * RAD);
  return EARTH_M * RAD * Math.hypot((b[0] - a[0]) * squeeze, b[1] - a[1]);
}

/** Bearing on a north-up map, degrees clockwise from north. @param {readonly number[]} a lon, lat degrees @param {readonly number[]} b lon, lat degrees */
export function bearingDeg(a, b) {
  const squeeze = Math.cos(((a[1] + b[1]) / 2) * RAD);
  return (Math.atan2((b[0] - a[0]) * squeeze, b[1] - a[1]) / RAD + 360) % 360;
}

/** Ground metres under one CSS pixel. @param {number} lat degrees @param {number} zoom */
export const metresPerPixel = (lat, zoom) => (EQUATOR_M * Math.cos(lat * RAD)) / (TILE_PX * 2 ** zoom);

/** The longest round distance (1, 2 or 5 times a power of ten) that fits. @param {number} metresPerPx @param {number} most_px */
export function scaleBar(metresPerPx, most_px) {
  const most = metresPerPx * most_px;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  return { metres, px: Math.round(metres / metresPerPx) };
}
