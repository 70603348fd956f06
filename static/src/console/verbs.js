// The command line's grammar: one verb, then whom or what. Each completion says what will happen before it happens.
import { t } from '../i18n.js';
import { activeAssignments } from '../board.js';
import { durationText } from '../ui/format.js';
import { isWaiting } from '../ui/levels.js';
import {
  callPerson,
  choose,
  closeIncident,
  dispatchChosen,
  isOverride,
  message,
  newIncident,
  openArea,
  openIncident,
  select,
  send,
  toast,
} from './actions.js';
import { mayClose, startClosure } from './closure-draft.js';
import { DISPOSITIONS } from './commands-list.js';
import { call } from '../api.js';
import { etaText } from './ranked.js';
import { detailOf, goTo, search } from './search.js';
import { board, selectedIncident, set, ui } from './state.js';
import { isMine } from './words.js';

/** @typedef {{text: string, note: string, run: () => void | Promise<unknown>}} Completion */

/** @typedef {'dispatch' | 'call' | 'look' | 'reassign' | 'report' | 'close' | 'message' | 'closure'} Verb */

/** Hanzi, initials and English words of each verb. @type {Record<Verb, string[]>} */
const VERBS = {
  dispatch: ['派', 'p', 'pai', 'd', 'dispatch'],
  call: ['呼', 'h', 'hu', 'c', 'call'],
  look: ['看', 'k', 'kan', 'l', 'look'],
  reassign: ['转', 'z', 'zhuan', 'r', 'reassign'],
  report: ['报', 'b', 'bao', 'n', 'new'],
  close: ['关', 'g', 'guan', 'x', 'close'],
  message: ['信', 'xin', 'm', 'message'],
  closure: ['封', '封路', '封控', 'f', 'feng', 'fl', 'fenglu', 'block'],
};

/** @param {string} text @returns {{verb: Verb | null, rest: string}} */
export function parse(text) {
  const trimmed = text.trimStart();
  const [word = '', ...tail] = trimmed.split(/\s+/);
  for (const [verb, names] of /** @type {[Verb, string[]][]} */ (Object.entries(VERBS))) {
    if (names.includes(word.toLowerCase())) return { verb, rest: tail.join(' ').trim() };
    // Hanzi may stand without a space: 派2, 封路和平路. The longest name that fits is meant.
    const glued = names.filter((name) => name > '\u007f' && trimmed.startsWith(name)).sort((a, b) => b.length - a.length)[0];
    if (glued) return { verb, rest: trimmed.slice(glued.length).trim() };
  }
  return { verb: null, rest: trimmed.trim() };
}

/** @param {Verb} verb */
const word = (verb) => t(`console.verb.${verb}`);

/** @param {string} text @param {AbortSignal} signal @returns {Promise<Completion[]>} */
export async function complete(text, signal) {
  const { verb, rest } = parse(text);
  if (verb === 'dispatch') return dispatchList(rest);
  if (verb === 'close') return closeList();
  if (verb === 'report')
    return [
      { text: `${word('report')} ${rest}`, note: t('console.cmd.report'), run: () => newIncident({ title: rest }) },
    ];
  if (verb === 'reassign') return reassignList(rest, signal);
  if (!verb && !rest) return examples();
  if (verb === 'closure' && (!rest || !mayClose())) return closureList();
  const hits = await search(rest, 6, signal);
  if (verb === 'call') return (await Promise.all(hits.map((hit) => callList(hit)))).flat().slice(0, 8);
  if (verb === 'closure') {
    return hits
      .filter((hit) => hit.lon !== null && hit.lat !== null)
      .map((hit) => ({ text: `${word('closure')} ${hit.name}`, note: `${t('console.cmd.closure.at')} · ${hit.detail}`, run: () => closeAt(hit) }));
  }
  if (verb === 'message') {
    return hits
      .filter((hit) => hit.type === 'responder' || hit.type === 'area')
      .map((hit) => ({
        text: `${word('message')} ${hit.name}`,
        note: hit.detail,
        run: () => (hit.type === 'area' ? openArea(hit.id) : select({ kind: 'responder', id: hit.id })),
      }));
  }
  return hits.map((hit) => ({
    text: `${word('look')} ${hit.name}`,
    note: `${t(`console.type.${hit.type}`)} · ${detailOf(hit)}`,
    run: () => goTo(hit),
  }));
}

/** @returns {Completion[]} */
function closureList() {
  const list = [{ text: `${word('closure')} ${t('console.cmd.closure.list')}`, note: t('closure.title'), run: () => select({ kind: 'closures', id: 'all' }) }];
  if (mayClose()) list.unshift({ text: `${word('closure')} ${t('console.cmd.closure.draw')}`, note: t('console.cmd.help.closure'), run: () => startClosure() });
  return list;
}

/** The stretch of road at a place, ready for its reason. @param {import('./search.js').Hit} hit */
function closeAt(hit) {
  if (hit.lon === null || hit.lat === null) return;
  ui.map?.show([hit.lon, hit.lat], 16);
  startClosure({ points: [[Number(hit.lon.toFixed(7)), Number(hit.lat.toFixed(7))]], done: true });
}

/** @returns {Completion[]} */
function examples() {
  return /** @type {Verb[]} */ (['dispatch', 'call', 'look', 'reassign', 'report', 'close', 'closure']).map((verb) => ({
    text: word(verb),
    note: t(`console.cmd.help.${verb}`),
    run: () => undefined,
  }));
}

/** @param {string} rest @returns {Completion[]} */
function dispatchList(rest) {
  const incident = selectedIncident();
  if (!incident) return [{ text: word('dispatch'), note: t('console.cmd.select_first'), run: () => undefined }];
  if (!ui.ranked?.items.length) return [{ text: word('dispatch'), note: t('console.ranked.none'), run: () => undefined }];
  return ui.ranked.items
    .map((item, index) => ({ item, index }))
    .filter(({ item, index }) => !rest || String(index + 1) === rest || item.name.includes(rest))
    .map(({ item, index }) => ({
      text: `${word('dispatch')} ${index + 1} ${item.name}`,
      note: `${t(`kind.${item.kind}`)} · ${etaText(item)} → ${incident.title}`,
      run: async () => {
        choose(index);
        if (isWaiting(incident) && !isMine(incident)) await send(`/incidents/${incident.id}/claim`);
        if (!isOverride()) await dispatchChosen();
      },
    }));
}

/** @returns {Completion[]} */
function closeList() {
  const incident = selectedIncident();
  if (!incident) return [{ text: word('close'), note: t('console.cmd.select_first'), run: () => undefined }];
  return DISPOSITIONS.map((item) => ({
    text: `${word('close')} ${t(`console.disposition.${item}`)}`,
    note: incident.title,
    run: () => closeIncident(item),
  }));
}

/** @param {string} rest @param {AbortSignal} signal @returns {Promise<Completion[]>} */
async function reassignList(rest, signal) {
  const incident = selectedIncident();
  const job = incident && activeAssignments(board(), incident)[0];
  if (!incident || !job) return [{ text: word('reassign'), note: t('console.cmd.no_job'), run: () => undefined }];
  const from = board().responders[job.responder_id]?.name ?? '';
  const people = rest
    ? (await search(rest, 6, signal))
        .filter((hit) => hit.type === 'responder')
        .map((hit) => ({ id: hit.id, name: hit.name, note: hit.detail }))
    : (ui.ranked?.items ?? []).map((item) => ({ id: item.responder_id, name: item.name, note: etaText(item) }));
  return people.map((person) => ({
    text: `${word('reassign')} ${person.name}`,
    note: t('console.cmd.reassign', { from, note: person.note }),
    run: () => send(`/assignments/${job.id}/reassign`, { responder_id: person.id }),
  }));
}

/** @param {import('./search.js').Hit} hit @returns {Promise<Completion[]>} */
async function callList(hit) {
  if (hit.type === 'responder')
    return [{ text: `${word('call')} ${hit.name}`, note: hit.detail, run: () => callPerson(hit.id) }];
  if (hit.type === 'incident') return [];
  const call_ = word('call');
  const area = hit.type === 'area' ? hit.id : '';
  /** @type {Completion[]} */
  const list = [
    {
      text: `${call_} ${hit.name} ${t('console.cmd.nearest')}`,
      note: t('console.cmd.nearest_note'),
      run: async () => {
        const { items } = await call('GET', `/nearest?lon=${hit.lon}&lat=${hit.lat}&limit=1`);
        if (!items.length) return toast({ id: 'nearest', title: hit.name, text: t('console.ranked.none') });
        toast({ id: 'nearest', title: items[0].name, text: durationText(items[0].eta_s) });
        return callPerson(items[0].responder_id);
      },
    },
  ];
  if (area) {
    list.push({
      text: `${call_} ${hit.name} ${t('console.cmd.all')}`,
      note: t('console.cmd.all_note'),
      run: () => message({ area }, t('console.cmd.all_text', { name: hit.name })),
    });
    list.push({ text: `${word('look')} ${hit.name}`, note: hit.detail, run: () => goTo(hit) });
  }
  return list;
}

/** Open what a bare code names. @param {string} text */
export function openByCode(text) {
  const found = Object.values(board().incidents).find((item) => item.code === text || item.code.endsWith(`-${text}`));
  if (!found) return false;
  openIncident(found.id);
  set({ cursor: found.id });
  return true;
}
