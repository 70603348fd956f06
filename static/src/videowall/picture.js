// A kept picture with the time it was taken; where there is none it says so.
import { t } from '../i18n.js';
import { dayOf, timeOfDay } from '../time.js';
import { durationText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { nowMs } from './state.js';

/** @typedef {{url: string, takenAt: number | null}} Kept */

/**
 * @param {{title: string, url: string | null, version: string | number, missing: string, note?: string, late?: boolean}} props
 *   url: null when there is known to be none; version: another one asks again; late: say how old it is
 */
export function Picture({ title, url, version, missing, note = '', late = false }) {
  const [kept, setKept] = useState(/** @type {Kept | null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (url === null) {
      setFailed(true);
      return undefined;
    }
    const abort = new AbortController();
    let made = '';
    fetch(url, { signal: abort.signal, cache: 'no-store' })
      .then(async (response) => {
        if (!response.ok) return setFailed(true);
        const taken = Date.parse(response.headers.get('x-taken-at') ?? '');
        made = URL.createObjectURL(await response.blob());
        setFailed(false);
        return setKept({ url: made, takenAt: Number.isNaN(taken) ? null : taken });
      })
      .catch(() => {
        if (!abort.signal.aborted) setFailed(true);
      });
    return () => {
      abort.abort();
      if (made) window.setTimeout(() => URL.revokeObjectURL(made), 5000);
    };
  }, [url, version]);
  const at = kept?.takenAt ?? null;
  const age = at === null ? '' : `${dayOf(at)} ${timeOfDay(at, { seconds: true })}${late ? ` · ${t('console.age.ago', { age: durationText((nowMs() - at) / 1000) })}` : ''}`;
  return html`<figure class="picture"><figcaption><b>${title}</b><span>${[note, failed ? '' : age].filter(Boolean).join(' · ')}</span></figcaption>
    <div class="frame">${failed || !kept ? html`<p>${failed ? missing : t('video.loading')}</p>` : html`<img src=${kept.url} alt=${title} />`}</div></figure>`;
}
