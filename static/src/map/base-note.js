// What the map says when the customer's map underneath is not what it should be.
import { t } from '../i18n.js';
import { durationText } from '../ui/format.js';

/** @param {number} seconds */
const spanText = (seconds) => (seconds >= 172_800 ? t('console.days', { n: Math.floor(seconds / 86_400) }) : durationText(seconds));

/** Whose map is shown, which has to be said on it. @param {import('./base-choice.js').BaseChoice | null} base */
export function creditsText(base) {
  const shown = base?.sources.find((source) => source.slot === base.mode && base.note?.state !== 'unreachable');
  return [shown?.attribution ?? '', !shown || shown.slot === 'imagery' ? '© OpenStreetMap' : ''].filter(Boolean).join(' · ');
}

/** @param {import('./base-choice.js').BaseNote | null} note */
export function baseNoteText(note) {
  if (!note) return '';
  return t(`console.base.${note.state}`, { name: note.name, age: note.oldest_s === null ? '' : spanText(note.oldest_s) });
}
