// Files on their way in: dropped or chosen, sent with their progress, which `fetch` does not tell.
import { ApiError, goToSignIn, newKey } from '../api.js';
import { t } from '../i18n.js';
import { html, useState } from '../ui/h.js';

/** @typedef {{name: string, size: number, share: number}} Underway share: 0 … 1 of the bytes that went out */

/** @typedef {{onProgress: (share: number) => void, signal: AbortSignal}} Watch */

/**
 * @param {string} path below /api/v1
 * @param {FormData | Blob} body
 * @param {Watch} watch
 * @returns {Promise<any>}
 */
export function send(path, body, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1${path}`);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('idempotency-key', newKey());
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    const unreachable = () => reject(new ApiError(0, { error: 'unreachable', detail: 'the connection broke' }));
    request.onerror = unreachable;
    request.ontimeout = unreachable;
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.onload = () => {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // an answer from something in between that is no JSON; the status says enough
      }
      if (request.status === 201 && answer) resolve(answer);
      else {
        if (request.status === 401) goToSignIn();
        reject(new ApiError(request.status, answer ?? {}));
      }
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}

/** 12.3 MB. @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1 << 20) return `${Math.round(bytes / 1024)} KB`;
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GB`;
  return `${(bytes / (1 << 20)).toFixed(bytes < 100 << 20 ? 1 : 0)} MB`;
}

/**
 * Where files are dropped or chosen.
 * @param {{title: string, help: string, onFiles: (files: File[]) => void, testid: string, accept?: string, multiple?: boolean, wide?: boolean}} props
 */
export function Drop({ title, help, onFiles, testid, accept, multiple = false, wide = false }) {
  const [over, setOver] = useState(false);
  /** @param {boolean} now */
  const hovers = (now) => (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(now);
  };
  return html`<label class=${`drop ${wide ? 'wide' : ''} ${over ? 'over' : ''}`} onDragOver=${hovers(true)} onDragLeave=${() => setOver(false)} onDrop=${(/** @type {DragEvent} */ event) => {
    hovers(false)(event);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  }}><input type="file" class="voice" accept=${accept} multiple=${multiple} onChange=${(/** @type {any} */ event) => {
    const files = [...event.target.files];
    event.target.value = '';
    onFiles(files);
  }} data-testid=${testid} /><svg width="34" height="34" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 16V4M7 9l5-5 5 5M4 15v5h16v-5" /></svg><b>${title}</b><span>${help}</span></label>`;
}

/**
 * A file that is being sent.
 * @param {{file: Underway, then: string, onCancel: () => void, wide?: boolean}} props then: what is done once all of it has gone out
 */
export function Sending({ file: { name, size, share }, then, onCancel, wide = false }) {
  return html`<div class=${`drop ${wide ? 'wide' : ''} sending`} role="status"><b>${name}</b><div class="bar" role="progressbar" aria-label=${t('imports.sending')} aria-valuenow=${Math.round(share * 100)}><i style=${{ width: `${Math.max(1, share * 100)}%` }}></i></div><span>${share < 1 ? t('imports.sent', { done: sizeText(share * size), of: sizeText(size) }) : then}</span><button type="button" class="btn sm" onClick=${onCancel} data-testid="upload-cancel">${t('imports.cancel')}</button></div>`;
}
