// Positions as the feed sends them: little-endian binary frames decoded into flat arrays, one row per unit.
//
// A frame is absolute (a row replaces what was known of its unit) and carries `rev`; an older rev than the last is
// dropped, so frames may be merged, repeated or lost without leaving anything wrong behind.

export const MAGIC = 0x5459;
export const HEADER_BYTES = 24;
export const RECORD_BYTES = 16;
export const FULL = 1;

export const ON_DUTY = 1;
export const BUSY = 2;
export const STALE = 4;
export const OFFLINE = 8;
export const SUSPECT = 16;
export const NO_HEADING = 32;
export const GONE = 64;
const FLAG_MASK = 0x7f;
const AGE_SHIFT = 7;
const AGE_STEP_S = 2;
export const SPEED_UNKNOWN = 255;

/** A fix glides to its new place for at most this long; a jump further than this is a cut. */
export const GLIDE_MS = 1000;
const CUT_DEG = 0.02;

export class TelemetryError extends Error {}

/**
 * @typedef {object} TelemetryRow
 * @property {number} unit
 * @property {number} lon degrees
 * @property {number} lat degrees
 * @property {number} heading_deg
 * @property {number | null} speed_kmh
 * @property {number} flags bits 0–6 of the status
 * @property {number} fix_age_s age of the fix at `as_of`
 */

/**
 * Read a frame's header after checking it is one of ours and whole.
 * @param {ArrayBuffer} buffer
 */
function header(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES) throw new TelemetryError(`frame of ${buffer.byteLength} bytes`);
  if (view.getUint16(0, true) !== MAGIC) throw new TelemetryError('not a telemetry frame');
  if (view.getUint8(2) !== 1) throw new TelemetryError(`telemetry version ${view.getUint8(2)}`);
  const count = view.getUint32(4, true);
  if (buffer.byteLength !== HEADER_BYTES + count * RECORD_BYTES) throw new TelemetryError('frame cut short');
  return {
    view,
    full: (view.getUint8(3) & FULL) !== 0,
    count,
    rev: Number(view.getBigUint64(8, true)),
    as_of_s: view.getFloat64(16, true),
  };
}

/**
 * The frame as plain rows: for tests and tools; the page itself uses {@link Movers}.
 * @param {ArrayBuffer} buffer
 * @returns {{rev: number, as_of_s: number, full: boolean, rows: TelemetryRow[]}}
 */
export function decodeTelemetry(buffer) {
  const { view, full, count, rev, as_of_s } = header(buffer);
  const rows = [];
  for (let index = 0, at = HEADER_BYTES; index < count; index += 1, at += RECORD_BYTES) {
    const status = view.getUint16(at + 14, true);
    const speed = view.getUint8(at + 13);
    rows.push({
      unit: view.getUint32(at, true),
      lon: view.getInt32(at + 4, true) / 1e7,
      lat: view.getInt32(at + 8, true) / 1e7,
      heading_deg: (view.getUint8(at + 12) * 360) / 256,
      speed_kmh: speed === SPEED_UNKNOWN ? null : speed,
      flags: status & FLAG_MASK,
      fix_age_s: (status >> AGE_SHIFT) * AGE_STEP_S,
    });
  }
  return { rev, as_of_s, full, rows };
}

/**
 * Everybody on the map. Rows 0 … count-1 are in use and dense; a removed row is filled by the last one, so look rows
 * up by unit after `layout` has changed. The arrays are replaced when they grow: read them from here each time.
 */
export class Movers {
  #clock;
  /** @type {Map<number, number>} */
  #rows = new Map();
  #rev = -1;

  /** Rows in use. */
  count = 0;
  /** Counts up with each applied frame. */
  generation = 0;
  /** Counts up when a unit came or went, which is when row numbers change. */
  layout = 0;
  /** Unix seconds of the newest frame. */
  as_of_s = 0;

  unit = new Uint32Array(0);
  lon = new Float64Array(0);
  lat = new Float64Array(0);
  prevLon = new Float64Array(0);
  prevLat = new Float64Array(0);
  /** When the row last moved, on the clock given to the constructor (performance.now by default), ms. */
  changedAt = new Float64Array(0);
  /** Unix seconds of the fix. */
  fixAt = new Float64Array(0);
  /** 0 … 255 for 0 … 360°. */
  heading = new Uint8Array(0);
  /** km/h, 255 unknown. */
  speed = new Uint8Array(0);
  flags = new Uint8Array(0);

  /** @param {() => number} clock monotonic milliseconds */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** Forget everything: the server started anew. */
  reset() {
    if (this.count) this.layout += 1;
    this.#rows.clear();
    this.count = 0;
    this.#rev = -1;
    this.generation += 1;
  }

  /**
   * Take one binary frame.
   * @param {ArrayBuffer} buffer
   * @returns {boolean} false when the frame is older than what is known
   */
  apply(buffer) {
    const { view, full, count, rev, as_of_s } = header(buffer);
    if (rev < this.#rev) return false;
    this.#rev = rev;
    this.as_of_s = as_of_s;
    const now = this.#clock();
    /** @type {Set<number> | null} */
    const seen = full ? new Set() : null;
    for (let index = 0, at = HEADER_BYTES; index < count; index += 1, at += RECORD_BYTES) {
      const unit = view.getUint32(at, true);
      const status = view.getUint16(at + 14, true);
      if (status & GONE) {
        this.#remove(unit);
        continue;
      }
      seen?.add(unit);
      const known = this.#rows.get(unit);
      const row = known ?? this.#add(unit);
      const lon = view.getInt32(at + 4, true) / 1e7;
      const lat = view.getInt32(at + 8, true) / 1e7;
      if (known === undefined) {
        this.prevLon[row] = lon;
        this.prevLat[row] = lat;
        this.changedAt[row] = now - GLIDE_MS;
      } else if (lon !== this.lon[row] || lat !== this.lat[row]) {
        this.#startGlide(row, lon, lat, now);
      }
      this.lon[row] = lon;
      this.lat[row] = lat;
      this.heading[row] = view.getUint8(at + 12);
      this.speed[row] = view.getUint8(at + 13);
      this.flags[row] = status & FLAG_MASK;
      this.fixAt[row] = as_of_s - (status >> AGE_SHIFT) * AGE_STEP_S;
    }
    if (seen) {
      for (let row = this.count - 1; row >= 0; row -= 1) {
        if (!seen.has(this.unit[row])) this.#remove(this.unit[row]);
      }
    }
    this.generation += 1;
    return true;
  }

  /**
   * @param {number} unit
   * @returns {number} -1 when the unit is not shown
   */
  rowOf(unit) {
    return this.#rows.get(unit) ?? -1;
  }

  /**
   * Age of the fix in seconds.
   * @param {number} row
   * @param {number} nowMs server time, epoch milliseconds
   */
  ageS(row, nowMs) {
    return Math.max(0, nowMs / 1000 - this.fixAt[row]);
  }

  /**
   * Where the row is drawn now, gliding from its last place.
   * @param {number} row
   * @param {number} now on the constructor's clock
   * @returns {[number, number]} lon, lat
   */
  drawnAt(row, now = this.#clock()) {
    const share = Math.min(1, (now - this.changedAt[row]) / GLIDE_MS);
    return [
      this.prevLon[row] + (this.lon[row] - this.prevLon[row]) * share,
      this.prevLat[row] + (this.lat[row] - this.prevLat[row]) * share,
    ];
  }

  /**
   * The row nearest to a point, at most `maxDeg` of latitude away; ties go to the smaller unit.
   * @param {number} lon
   * @param {number} lat
   * @param {number} maxDeg
   * @returns {number} -1 when there is none
   */
  pick(lon, lat, maxDeg) {
    const squeeze = Math.cos((lat * Math.PI) / 180);
    let best = -1;
    let bestSquare = maxDeg * maxDeg;
    for (let row = 0; row < this.count; row += 1) {
      const dx = (this.lon[row] - lon) * squeeze;
      const dy = this.lat[row] - lat;
      const square = dx * dx + dy * dy;
      if (square < bestSquare || (square === bestSquare && (best < 0 || this.unit[row] < this.unit[best]))) {
        best = row;
        bestSquare = square;
      }
    }
    return best;
  }

  /**
   * @param {number} row
   * @param {number} lon
   * @param {number} lat
   * @param {number} now
   */
  #startGlide(row, lon, lat, now) {
    const [fromLon, fromLat] = this.drawnAt(row, now);
    const cut = Math.abs(lon - fromLon) > CUT_DEG || Math.abs(lat - fromLat) > CUT_DEG;
    this.prevLon[row] = cut ? lon : fromLon;
    this.prevLat[row] = cut ? lat : fromLat;
    this.changedAt[row] = now;
  }

  /** @param {number} unit */
  #add(unit) {
    if (this.count === this.unit.length) this.#grow();
    const row = this.count;
    this.count += 1;
    this.unit[row] = unit;
    this.#rows.set(unit, row);
    this.layout += 1;
    return row;
  }

  /** @param {number} unit */
  #remove(unit) {
    const row = this.#rows.get(unit);
    if (row === undefined) return;
    const last = this.count - 1;
    if (row !== last) {
      for (const column of this.#columns()) column[row] = column[last];
      this.#rows.set(this.unit[row], row);
    }
    this.#rows.delete(unit);
    this.count = last;
    this.layout += 1;
  }

  #columns() {
    return [
      this.unit, this.lon, this.lat, this.prevLon, this.prevLat, this.changedAt, this.fixAt, this.heading, this.speed,
      this.flags,
    ];
  }

  #grow() {
    const size = Math.max(256, this.unit.length * 2);
    /**
     * @template {Uint32Array | Float64Array | Uint8Array} A
     * @param {A} old
     * @returns {A}
     */
    const wider = (old) => {
      const next = new /** @type {new (size: number) => A} */ (old.constructor)(size);
      next.set(old);
      return next;
    };
    this.unit = wider(this.unit);
    this.lon = wider(this.lon);
    this.lat = wider(this.lat);
    this.prevLon = wider(this.prevLon);
    this.prevLat = wider(this.prevLat);
    this.changedAt = wider(this.changedAt);
    this.fixAt = wider(this.fixAt);
    this.heading = wider(this.heading);
    this.speed = wider(this.speed);
    this.flags = wider(this.flags);
  }
}
