// Sending a file with its progress, which `fetch` does not tell.
import { ApiError, goToSignIn, newKey } from '../../api.js';

/** @import {ImportJob} from '../../../types/imports.d.ts' */

/** @typedef {{onProgress: (share: number) => void, signal: AbortSignal}} Sending share: 0 … 1 of the bytes that went out */

/**
 * @param {string} path below /api/v1
 * @param {FormData | Blob} body
 * @param {Sending} options
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

/** @param {string} kind @param {Blob} file @param {string} name @param {Sending} options @returns {Promise<ImportJob>} */
export function upload(kind, file, name, options) {
  const form = new FormData();
  form.append('kind', kind);
  form.append('file', file, name);
  return send('/imports', form, options);
}
