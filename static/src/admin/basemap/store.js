// What the page of basemaps knows: those in force, those before them, and the one on trial.
import { call } from '../../api.js';
import { useCallback, useEffect, useState } from '../../ui/h.js';
import { basemapRefusal } from './words.js';

/** @import {BaseSource} from '../../../types/wire.d.ts' */
/** @import {Ours, Trial, Turn} from '../../../types/basemap.d.ts' */

const AGAIN_MS = 15_000;

/**
 * @typedef {object} Known
 * @property {BaseSource[]} sources in force
 * @property {Ours | null} ours
 * @property {string | null} own which of our own it is
 * @property {number} most bytes of an archive
 * @property {Turn[]} turns newest first
 */

/** @returns {{known: Known | null, trial: Trial | null, setTrial: (trial: Trial | null) => void, fault: string, again: () => Promise<void>}} */
export function useBasemaps() {
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const [trial, setTrial] = useState(/** @type {Trial | null} */ (null));
  const [fault, setFault] = useState('');
  const again = useCallback(async () => {
    try {
      const [{ items, ours, own, most_archive_bytes }, history] = await Promise.all([call('GET', '/basemap/sources'), call('GET', '/basemap/history')]);
      setKnown({ sources: items, ours: ours ?? null, own, most: most_archive_bytes, turns: history.items });
      setFault('');
    } catch (error) {
      setFault(basemapRefusal(error));
    }
  }, []);
  useEffect(() => {
    void again();
    // One that was left open, as by reloading the page.
    call('GET', '/basemap/trials').then(({ items }) => setTrial(items.find((/** @type {Trial} */ one) => one.mine) ?? null), () => {});
    const timer = window.setInterval(() => void again(), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);
  return { known, trial, setTrial, fault, again };
}
