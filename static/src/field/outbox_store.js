// The outbox's two ends in the browser: IndexedDB behind it, fetch in front of it.

import { ApiError, call } from '../api.js';

/** @import {Answer, Entry, Store} from './outbox.js' */

const NAME = 'yiping-field';
const WAITING = 'outbox';
const DONE = 'answered';
/** Answered keys are remembered this long, so that a key derived from a thing (delivered, read) is used once. */
const REMEMBER_MS = 7 * 24 * 3600 * 1000;

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const finished = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });

/**
 * @param {string} owner user id: a phone may change hands, what waits belongs to whoever did it
 * @returns {Promise<Store>}
 */
export async function openStore(owner) {
  const request = indexedDB.open(`${NAME}-${owner}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(WAITING, { keyPath: 'key' });
    request.result.createObjectStore(DONE, { keyPath: 'key' });
  };
  const db = await result(request);
  await forgetOld(db);
  return {
    async all() {
      const entries = /** @type {Entry[]} */ (await result(db.transaction(WAITING).objectStore(WAITING).getAll()));
      return entries.sort((a, b) => a.order - b.order);
    },
    async add(entry) {
      const transaction = db.transaction([WAITING, DONE], 'readwrite');
      const known =
        (await result(transaction.objectStore(DONE).getKey(entry.key))) ??
        (await result(transaction.objectStore(WAITING).getKey(entry.key)));
      if (known !== undefined) return false;
      transaction.objectStore(WAITING).put(entry);
      await finished(transaction);
      return true;
    },
    async update(entry) {
      const transaction = db.transaction(WAITING, 'readwrite');
      transaction.objectStore(WAITING).put(entry);
      await finished(transaction);
    },
    async done(key, id) {
      const transaction = db.transaction([WAITING, DONE], 'readwrite');
      transaction.objectStore(WAITING).delete(key);
      transaction.objectStore(DONE).put({ key, id, at: Date.now() });
      await finished(transaction);
    },
    async answerOf(key) {
      return (await result(db.transaction(DONE).objectStore(DONE).get(key)))?.id ?? null;
    },
    async drop(key) {
      const transaction = db.transaction(WAITING, 'readwrite');
      transaction.objectStore(WAITING).delete(key);
      await finished(transaction);
    },
  };
}

/** @param {IDBDatabase} db */
async function forgetOld(db) {
  const transaction = db.transaction(DONE, 'readwrite');
  const store = transaction.objectStore(DONE);
  for (const answered of await result(store.getAll())) {
    if (answered.at < Date.now() - REMEMBER_MS) store.delete(answered.key);
  }
  await finished(transaction);
}

/**
 * Send one entry over HTTP.
 * @param {Entry} entry
 * @param {string | null} neededId
 * @returns {Promise<Answer>}
 */
export async function sendEntry(entry, neededId) {
  /** @type {unknown} */
  let body = entry.body;
  if (entry.file) {
    const form = new FormData();
    form.append('file', entry.file.blob, entry.file.name);
    body = form;
  }
  const path = entry.path.replace('{needs}', encodeURIComponent(neededId ?? ''));
  try {
    const answer = await call(entry.method, path, body, {
      idempotencyKey: entry.key,
      timeoutMs: entry.file ? 120_000 : 15_000,
      redirect: false,
    });
    return { status: 200, id: answer?.id ?? null, detail: '' };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const retryAfterMs = error.retryAfterS ? error.retryAfterS * 1000 : undefined;
    return { status: error.status, id: null, detail: error.detail || error.error, retryAfterMs };
  }
}
