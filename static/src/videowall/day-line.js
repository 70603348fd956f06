// A day of recordings as a line: where there is one, where the playback is, what a click means. Pure.

export const DAY_MS = 24 * 3_600_000;
/** The district's clock stands this far ahead of UTC, all year. */
const ZONE_MS = 8 * 3_600_000;

/** First moment of a district's day "2026-11-22", epoch ms; NaN for no day. @param {string} day */
export const dayStart = (day) => Date.parse(`${day}T00:00:00Z`) - ZONE_MS;

/** @param {string} day @param {number} by days */
export const dayBy = (day, by) => new Date(dayStart(day) + ZONE_MS + by * DAY_MS).toISOString().slice(0, 10);

/**
 * The parts of a day that are recorded: clipped to the day, in order, overlapping ones joined.
 * @param {{start: string, end: string}[]} recordings @param {string} day
 * @returns {{start_ms: number, end_ms: number}[]}
 */
export function partsOf(recordings, day) {
  const from = dayStart(day);
  const spans = recordings
    .map(({ start, end }) => ({ start_ms: Math.max(from, Date.parse(start)), end_ms: Math.min(from + DAY_MS, Date.parse(end)) }))
    .filter((span) => span.end_ms > span.start_ms)
    .sort((a, b) => a.start_ms - b.start_ms);
  /** @type {{start_ms: number, end_ms: number}[]} */
  const joined = [];
  for (const span of spans) {
    const last = joined.at(-1);
    // Devices cut recordings into files: a second between two files is no gap for people.
    if (last && span.start_ms - last.end_ms <= 2000) last.end_ms = Math.max(last.end_ms, span.end_ms);
    else joined.push({ ...span });
  }
  return joined;
}

/**
 * Where to start for a click at a moment: there if it is recorded, else where the next recording begins; null after the
 * last.
 * @param {{start_ms: number, end_ms: number}[]} parts @param {number} at_ms
 * @returns {{start_ms: number, end_ms: number} | null} from where to where it can be played
 */
export function playFrom(parts, at_ms) {
  for (const part of parts) {
    if (at_ms < part.start_ms) return part;
    if (at_ms < part.end_ms) return { start_ms: at_ms, end_ms: part.end_ms };
  }
  return null;
}

/** Share of the day, 0 … 1. @param {number} ms @param {string} day */
export const shareOfDay = (ms, day) => Math.max(0, Math.min(1, (ms - dayStart(day)) / DAY_MS));

/** Seconds recorded. @param {{start_ms: number, end_ms: number}[]} parts */
export const recordedS = (parts) => parts.reduce((sum, part) => sum + (part.end_ms - part.start_ms) / 1000, 0);
