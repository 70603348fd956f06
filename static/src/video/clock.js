// One clock and one beat for all pictures of a page: sixteen tiles share a timer.

const BEAT_MS = 200;

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/** @param {() => void} listener @returns {() => void} stop */
export function onBeat(listener) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of [...listeners]) each();
  }, BEAT_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size || timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
  };
}

let wallClock = () => Date.now();

/** Where times of day come from; pages with a feed give the server's clock. @param {() => number} clock epoch ms */
export function setClock(clock) {
  wallClock = clock;
}

/** Epoch ms. */
export const nowMs = () => wallClock();

/** The time of day at which something lay `age_s` in the past. @param {number} age_s */
export const momentOf = (age_s) => wallClock() - age_s * 1000;
