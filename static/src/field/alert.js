// A new job must be noticed in a pocket: vibration and tone, repeated until it is answered or looked at long enough.

import { openSound, startTone, stopTone } from '../ui/sound.js';

const PATTERN_MS = [400, 200, 400, 200, 800];
const REPEAT_MS = 3_000;
/** @type {number | null} */
let timer = null;

/** Sound is allowed only after a gesture: call from the first tap. */
export const allowSound = () => void openSound();

/** Before the first tap a browser refuses to vibrate and complains. @param {number | number[]} pattern */
function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
}

/** @param {boolean} wanted */
export function alertWhile(wanted) {
  if (wanted === (timer !== null)) return;
  if (wanted) {
    vibrate(PATTERN_MS);
    timer = window.setInterval(() => vibrate(PATTERN_MS), REPEAT_MS);
    startTone();
  } else {
    window.clearInterval(timer ?? undefined);
    timer = null;
    vibrate(0);
    stopTone();
  }
}

/** One short buzz: a message came. */
export const buzz = () => vibrate(120);
