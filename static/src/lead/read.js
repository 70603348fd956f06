// Asks for the figures again and again; the last ones stay until new ones come, and say how old they are.
import { call } from '../api.js';
import { openedAtFirst } from './figures.js';
import { onRedraw, set, ui } from './state.js';

/** @import {AreaCover} from '../../types/lead.d.ts' */

const EVERY_MS = 15_000;
/** The search for the best costs up to half a minute of a processor. */
const POSTS_EVERY_MS = 180_000;
const ROW_PX = 31;
/** The server measures anew after five seconds. */
const SOON_MS = 6_000;
const TIERS = [1, 2, 3, 4];
/** Hours change once an hour, cases now and then. */
const PAST_EVERY_MS = 60_000;
const HISTORY_MS = 8 * 86_400_000;
/** A district of so many areas is asked for less often: its answer is megabytes. */
const MANY = 3_000;
const MANY_EVERY_MS = 60_000;

let round = 0;
let postsAt = -Infinity;
/** @type {number | undefined} */
let soon;

/** Read all that depends on the time chosen. An answer that a later question overtook is dropped. */
export async function readFigures() {
  const mine = ++round;
  const { minutes } = ui;
  try {
    const [cover, people] = await Promise.all([
      call('GET', `/coverage?minutes=${minutes}`),
      ui.me.permissions.includes('responders.view') ? call('GET', '/responders?on_duty=true&limit=5000') : { items: [] },
    ]);
    if (mine !== round) return;
    const first = ui.cover === null;
    const rows = new Map(cover.items.map((/** @type {AreaCover} */ row) => [row.code, row]));
    const open = first ? openedAtFirst(cover.items, minutes, Math.floor((innerHeight - 590) / ROW_PX)) : ui.open;
    set({ cover, rows, people: people.items, error: null, open, chosen: rows.has(ui.chosen) ? ui.chosen : '' });
    if (performance.now() - postsAt > POSTS_EVERY_MS) void readPosts();
    if (ui.person) await readWithout();
  } catch (error) {
    if (mine === round) set({ error });
  }
}

/** Somebody came or went: the figures follow at once, for however many it were. */
export function readSoon() {
  soon ??= window.setTimeout(() => {
    soon = undefined;
    void readFigures();
  }, SOON_MS);
}

const SITING_POLL_MS = 700;
let sitingRound = 0;

/** Ask where more would help most: the quick answer stands until the best one is found. */
export async function readPosts() {
  const mine = ++sitingRound;
  const { minutes, placing, postsWanted, chosen } = ui;
  postsAt = performance.now();
  try {
    let siting = await call('POST', '/coverage/siting', { what: placing, minutes, posts: postsWanted, ...(chosen ? { area: chosen } : {}) });
    while (mine === sitingRound) {
      set({ siting, posts: siting.items });
      if (siting.state !== 'running') return;
      await new Promise((done) => window.setTimeout(done, SITING_POLL_MS));
      if (mine === sitingRound) siting = await call('GET', `/coverage/siting/${siting.id}`);
    }
  } catch (error) {
    if (mine !== sitingRound) return;
    // Others are being answered: the quick answer does for responders, and the question is asked again later.
    console.warn('siting', error);
    postsAt = performance.now() - POSTS_EVERY_MS + EVERY_MS;
    if (placing !== 'responder') return;
    const area = chosen ? `&area=${encodeURIComponent(chosen)}` : '';
    const { items } = await call('GET', `/coverage/one_more?limit=${Math.min(postsWanted, 10)}&minutes=${minutes}${area}`);
    if (mine === sitingRound) set({ siting: null, posts: items });
  }
}

/** @param {Partial<Pick<typeof ui, 'placing' | 'postsWanted'>>} patch */
export function setSiting(patch) {
  set({ ...patch, siting: null, posts: null });
  void readPosts();
}

async function readWithout() {
  const { person, minutes } = ui;
  try {
    const without = await call('GET', `/coverage/without?minutes=${minutes}&responder_id=${encodeURIComponent(person)}`);
    if (ui.person === person && ui.minutes === minutes) set({ without });
  } catch {
    if (ui.person === person) set({ person: '', without: null }); // gone off duty meanwhile
  }
}

/** @param {number} minutes */
export function setMinutes(minutes) {
  if (minutes === ui.minutes) return;
  postsAt = -Infinity;
  set({ minutes, posts: null, siting: null, without: null });
  void readFigures();
}

/** What opens up if they leave; '' asks nothing more. @param {string} id */
export function sendAway(id) {
  set({ person: id === ui.person ? '' : id, without: null });
  if (ui.person) void readWithout();
}

let pastRound = 0;

/** Read what was: hours of coverage, and indicators of the period. */
export async function readPast() {
  const mine = ++pastRound;
  const { chosen, period } = ui;
  const area = chosen ? `&area=${encodeURIComponent(chosen)}` : '';
  const since = new Date(ui.feed.serverNow() - HISTORY_MS).toISOString();
  try {
    const [history, indicators] = await Promise.all([
      call('GET', `/coverage/history?from=${since}${area}`),
      call('GET', `/indicators?period=${period}${area}`),
    ]);
    if (mine === pastRound) set({ history, indicators, indicatorsError: null });
  } catch (error) {
    if (mine === pastRound) set({ indicatorsError: error });
  }
}

/** @param {import('../../types/lead.d.ts').Period} period */
export function setPeriod(period) {
  if (period === ui.period) return;
  set({ period });
  void readPast();
}

async function readOutlines() {
  try {
    const found = await Promise.all(TIERS.map(async (tier) => /** @type {const} */ ([tier, await call('GET', `/areas.geojson?tier=${tier}`)])));
    set({ outlines: new Map(found) });
  } catch (error) {
    console.warn('outlines', error);
    window.setTimeout(() => void readOutlines(), EVERY_MS);
  }
}

export function startReading() {
  void readOutlines();
  void readFigures();
  void readPast();
  let asked = 0;
  window.setInterval(() => {
    asked += EVERY_MS;
    if (document.hidden || (ui.rows.size > MANY && asked % MANY_EVERY_MS)) return;
    void readFigures();
  }, EVERY_MS);
  window.setInterval(() => {
    if (!document.hidden) void readPast();
  }, PAST_EVERY_MS);
  let shown = ui.chosen;
  onRedraw(() => {
    if (ui.chosen === shown) return;
    shown = ui.chosen;
    set({ history: null, indicators: null, posts: null, siting: null });
    void readPast();
    void readPosts();
  });
}
