// Sign-in, with each way to fail in words.

import { ApiError, session, signIn } from './api.js';
import { language, onLanguage, setLanguage, t } from './i18n.js';

/** @param {string} id @returns {any} */
const find = (id) => document.getElementById(id);
const form = /** @type {HTMLFormElement} */ (find('form'));
const username = /** @type {HTMLInputElement} */ (find('username'));
const password = /** @type {HTMLInputElement} */ (find('password'));
const submit = /** @type {HTMLButtonElement} */ (find('submit'));
const message = /** @type {HTMLElement} */ (find('message'));
const reveal = /** @type {HTMLButtonElement} */ (find('reveal'));

const params = new URLSearchParams(location.search);
/** @type {number | null} epoch ms until which the server will not hear another try */
let waitUntil = null;
let busy = false;
/** Draws the message again in another language or second. @type {(() => string) | null} */
let words = params.has('expired') ? () => t('login.expired') : null;

/**
 * Where to go afterwards: where one came from, if it is a page of ours, else by role.
 * @param {string} role
 * @param {boolean} onFoot the account is a responder's
 */
function destination(role, onFoot) {
  const next = params.get('next');
  if (next) {
    const url = new URL(next, location.origin);
    if (url.origin === location.origin && next.startsWith('/') && url.pathname !== '/login') return url.pathname + url.search;
  }
  if (onFoot && (role === 'worker' || role === 'police' || role === 'dept')) return '/field';
  if (role === 'admin') return '/admin';
  return role === 'wall' ? '/wall' : '/';
}

function draw() {
  for (const element of document.querySelectorAll('[data-t]')) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.t ?? '');
  }
  document.title = `${t('app.name')} ${t('login.title')}`;
  reveal.textContent = t(password.type === 'password' ? 'login.show' : 'login.hide');
  message.textContent = words?.() ?? '';
  submit.disabled = busy || waitUntil !== null;
  if (busy) submit.textContent = t('login.busy');
}

const secondsToWait = () => Math.max(0, Math.ceil(((waitUntil ?? 0) - Date.now()) / 1000));

/** @param {number} seconds */
function holdOff(seconds) {
  waitUntil = Date.now() + seconds * 1000;
  words = () => t('login.too_many', { s: secondsToWait() });
  const timer = setInterval(() => {
    if (secondsToWait() === 0) {
      clearInterval(timer);
      waitUntil = null;
      words = null;
    }
    draw();
  }, 500);
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 429) return holdOff(error.retryAfterS ?? 30);
  if (error.unreachable) words = () => t('login.unreachable');
  else if (error.status === 401 || error.status === 422) {
    words = () => t('login.wrong');
    password.setAttribute('aria-invalid', 'true');
    password.select();
  } else words = () => t('login.failed', { detail: error.detail || error.status });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (busy || waitUntil !== null) return;
  if (!username.value.trim() || !password.value) {
    words = () => t('login.empty');
    (username.value.trim() ? password : username).focus();
    return draw();
  }
  busy = true;
  words = null;
  password.removeAttribute('aria-invalid');
  draw();
  try {
    const { user } = await signIn(username.value.trim(), password.value);
    location.replace(destination(user.role, user.responder_id !== null));
    return;
  } catch (error) {
    explain(error);
  }
  busy = false;
  draw();
});

reveal.addEventListener('click', () => {
  password.type = password.type === 'password' ? 'text' : 'password';
  draw();
});
find('language').addEventListener('click', () => setLanguage(language() === 'en' ? 'zh-CN' : 'en'));
onLanguage(draw);
draw();

// Somebody who is signed in already has no business here, unless sent here because it ended.
if (!params.has('expired') && !params.has('next')) {
  session({ redirect: false }).then(
    ({ user }) => location.replace(destination(user.role, user.responder_id !== null)),
    () => {}, // not signed in, or no server: the form says so when used
  );
}
