// How far behind live a picture may be shown, and what is done about it. Pure: seconds in, a decision out.
//
// The buffer is kept as short as this network allows: each time it runs dry the aim moves a little further from live,
// and it creeps back while nothing runs dry.

/** Further behind than this is not made up for by playing faster. */
export const JUMP_AT_S = 1.5;
export const FASTER = 1.05;
const LEAST_AIM_S = 0.12;
const MOST_AIM_S = 0.8;
const SLACK_S = 0.3;
const NEAR_S = 0.06;
const CALM_MS = 6_000;

/** @typedef {{jumpTo_s: number | null, rate: number}} Decision jumpTo_s: how far behind the newest picture to jump */

export class LagPolicy {
  aim_s = LEAST_AIM_S;
  #faster = false;
  #changedAt = -Infinity;

  /** The player ran out of pictures. @param {number} nowMs */
  ranDry(nowMs) {
    this.aim_s = Math.min(MOST_AIM_S, this.aim_s * 1.5);
    this.#changedAt = nowMs;
  }

  /**
   * @param {number} lag_s newest picture minus shown picture
   * @param {number} nowMs
   * @returns {Decision}
   */
  decide(lag_s, nowMs) {
    if (nowMs - this.#changedAt > CALM_MS && this.aim_s > LEAST_AIM_S) {
      this.aim_s = Math.max(LEAST_AIM_S, this.aim_s * 0.9);
      this.#changedAt = nowMs;
    }
    if (lag_s > JUMP_AT_S) {
      this.#faster = false;
      return { jumpTo_s: this.aim_s, rate: 1 };
    }
    if (lag_s > this.aim_s + SLACK_S) this.#faster = true;
    else if (lag_s < this.aim_s + NEAR_S) this.#faster = false;
    return { jumpTo_s: null, rate: this.#faster ? FASTER : 1 };
  }
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

/**
 * How long to wait before the next connection: 0.5 s, doubling to 10 s, half of it left to chance so that many tiles
 * do not come back in one moment.
 * @param {number} attempt 0 for the first
 * @param {() => number} [random] 0 … 1
 */
export function retryDelayMs(attempt, random = Math.random) {
  const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return Math.max(FIRST_RETRY_MS, most * (0.5 + random() / 2));
}
