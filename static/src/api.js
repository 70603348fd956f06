// Calls to the server. Answers are for navigation and for words in case of failure; the picture itself changes only
// through the feed.

/** @import {Session} from '../types/wire.d.ts' */

const BASE = '/api/v1';
const TIMEOUT_MS = 15_000;

/** The server said no, or could not be reached (status 0, error "unreachable"). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{error?: string, detail?: string, request_id?: string, winner?: unknown, field?: string, version?: number,
   *          retry_after_s?: number}} body
   */
  constructor(status, body) {
    super(body.detail ?? body.error ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.error = body.error ?? 'unknown';
    this.detail = body.detail ?? '';
    this.request_id = body.request_id ?? null;
    this.winner = body.winner ?? null;
    this.field = body.field ?? null;
    this.version = body.version ?? null;
    /** Everything it said, for those who know what else to expect. */
    this.body = /** @type {Record<string, unknown>} */ (body);
    this.retryAfterS = body.retry_after_s ?? null;
  }

  /** Nothing reached the server, or nothing came back: the same request may be sent again. */
  get unreachable() {
    return this.status === 0;
  }
}

/** A random id, also on plain HTTP where crypto.randomUUID is absent. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A whole list, however many pages it has.
 * @param {string} path with its query
 * @returns {Promise<any[]>}
 */
export async function callAll(path) {
  const found = [];
  for (let cursor = null; ; ) {
    const more = cursor === null ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
    const { items, next } = await call('GET', path + more);
    found.push(...items);
    if (next === null || next === undefined) return found;
    cursor = next;
  }
}

/**
 * @param {string} method
 * @param {string} path below /api/v1, e.g. `/incidents`
 * @param {unknown} [body] JSON value or FormData
 * @param {{idempotencyKey?: string, expectedVersion?: number, signal?: AbortSignal, timeoutMs?: number,
 *          redirect?: boolean}} [options] redirect false: a 401 is thrown instead of leading to the sign-in page
 * @returns {Promise<any>} the JSON answer, null for 204
 */
export async function call(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  const mutation = method !== 'GET' && method !== 'HEAD';
  if (mutation) headers['idempotency-key'] = options.idempotencyKey ?? newKey();
  /** @type {BodyInit | undefined} */
  let payload;
  if (body instanceof FormData) payload = body;
  else if (body !== undefined || options.expectedVersion !== undefined) {
    const guard = options.expectedVersion === undefined ? {} : { expected_version: options.expectedVersion };
    const value = Array.isArray(body) ? body : { .../** @type {object} */ (body ?? {}), ...guard };
    headers['content-type'] = 'application/json';
    payload = JSON.stringify(value);
  }
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  /** @type {Response} */
  let response;
  /** @type {any} */
  let answer;
  try {
    response = await fetch(BASE + path, { method, headers, body: payload, signal, cache: 'no-store' });
    const text = await response.text();
    answer = text && (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : null;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { error: 'unreachable', detail: String(error) });
  }
  if (response.ok) return answer;
  if (response.status === 401 && options.redirect !== false) goToSignIn();
  const wait = Number(response.headers.get('retry-after'));
  throw new ApiError(response.status, { ...(wait > 0 ? { retry_after_s: wait } : {}), ...(answer ?? {}) });
}

/** Leave for the sign-in page and come back here afterwards. */
export function goToSignIn() {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

/**
 * Who is signed in. Leads to the sign-in page when nobody is.
 * @param {{redirect?: boolean}} [options]
 * @returns {Promise<Session>}
 */
export const session = (options) => call('GET', '/session', undefined, options);

/**
 * @param {string} username
 * @param {string} password
 * @returns {Promise<Session>}
 */
export const signIn = (username, password) =>
  call('POST', '/session', { username, password }, { redirect: false });

export async function signOut() {
  await call('DELETE', '/session', undefined, { redirect: false });
  location.assign('/login');
}
