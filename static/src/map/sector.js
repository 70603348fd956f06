// The ground a camera sees, as a wedge on the map: from its bearing, its angle and its range.

const RAD = Math.PI / 180;
const METRES_PER_DEGREE = 111_320;
const RANGE_M = 150; // as the service counts it (`command.cameras.view`)
const FOV_DEG = 60;
const STEP_DEG = 6;

/**
 * @param {{lon: number, lat: number, azimuth: number | null, fov: number | null, range_m?: number | null}} camera
 * @returns {[number, number][] | null} a closed ring of lon, lat; null where nobody registered which way it looks
 */
export function sectorOf({ lon, lat, azimuth, fov, range_m }) {
  const angle = Math.min(360, fov ?? FOV_DEG);
  if (azimuth === null || azimuth === undefined) {
    if (angle < 360) return null;
  }
  const range = range_m ?? RANGE_M;
  const squeeze = Math.cos(lat * RAD) || 1;
  /** @param {number} bearing degrees from north @returns {[number, number]} */
  const at = (bearing) => [
    lon + (Math.sin(bearing * RAD) * range) / (METRES_PER_DEGREE * squeeze),
    lat + (Math.cos(bearing * RAD) * range) / METRES_PER_DEGREE,
  ];
  const from = (azimuth ?? 0) - angle / 2;
  const steps = Math.max(2, Math.ceil(angle / STEP_DEG));
  const arc = Array.from({ length: steps + 1 }, (_, n) => at(from + (angle * n) / steps));
  if (angle >= 360) return [...arc.slice(0, -1), arc[0]];
  return [[lon, lat], ...arc, [lon, lat]];
}
