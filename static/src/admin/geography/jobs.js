// Imports as the service has them: asked for again while something is being done with them.
import { ApiError, call } from '../../api.js';
import { useCallback, useEffect, useState } from '../../ui/h.js';
import { importRefusal } from './words.js';

/** @import {ImportJob, KindRow} from '../../../types/imports.d.ts' */

const LOOK_MS = 700;
const AGAIN_MS = 3000;
const QUIET_MS = 20_000;

/** Something is being done with it now. @param {ImportJob} job */
export const atWork = (job) => job.state === 'reading' || job.state === 'applying';

/** @param {string} id @param {string} [more] */
export const pathOf = (id, more = '') => `/imports/${encodeURIComponent(id)}${more}`;

/**
 * One import, as it goes on.
 * @param {string} id
 * @returns {{job: ImportJob | null, fault: string, put: (job: ImportJob) => void}}
 */
export function useJob(id) {
  const [job, setJob] = useState(/** @type {ImportJob | null} */ (null));
  const [fault, setFault] = useState('');
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const look = async () => {
      try {
        const found = await call('GET', pathOf(id), undefined, { signal: abort.signal });
        if (abort.signal.aborted) return;
        setJob(found);
        setFault('');
        if (atWork(found)) timer = window.setTimeout(look, LOOK_MS);
      } catch (error) {
        if (abort.signal.aborted) return;
        setFault(importRefusal(error));
        if (!(error instanceof ApiError && error.status === 404)) timer = window.setTimeout(look, AGAIN_MS);
      }
    };
    void look();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [id, round]);
  const put = useCallback((/** @type {ImportJob} */ next) => {
    setJob(next);
    setRound((n) => n + 1);
  }, []);
  return { job, fault, put };
}

/** All imports, newest first, and the kinds the account may bring in. */
export function useImports() {
  const [state, setState] = useState(/** @type {{jobs: ImportJob[] | null, kinds: KindRow[], fault: string}} */ ({ jobs: null, kinds: [], fault: '' }));
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const look = async () => {
      let wait = AGAIN_MS;
      try {
        const [jobs, kinds] = await Promise.all([call('GET', '/imports', undefined, { signal: abort.signal }), readKinds(abort.signal)]);
        if (abort.signal.aborted) return;
        setState({ jobs: jobs.items, kinds, fault: '' });
        wait = jobs.items.some(atWork) ? LOOK_MS * 2 : QUIET_MS;
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((old) => ({ ...old, fault: importRefusal(error) }));
      }
      timer = window.setTimeout(look, wait);
    };
    void look();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [round]);
  return { ...state, again: () => setRound((n) => n + 1) };
}

/** What may be brought in and how much of each is in force. @param {AbortSignal} [signal] @returns {Promise<KindRow[]>} */
export const readKinds = async (signal) => (await call('GET', '/imports/kinds', undefined, { signal })).items;
