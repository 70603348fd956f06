// Lets the field page start without network. It keeps the shell only: no answers of the API, no positions, no tiles.
// What waits to be sent lives in the page's outbox, which sends it with its own idempotency keys.

const CACHE = 'yiping-field-2';
const SHELL = [
  '/field',
  '/static/field.webmanifest',
  '/static/field-icon.svg',
  '/static/vendor/maplibre-gl/maplibre-gl-worker.mjs', // the page does not see it being loaded
];

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(SHELL))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// The first visit loads before this worker controls the page, so the page tells what it loaded.
self.addEventListener('message', (event) => {
  if (event.data?.type !== 'keep') return;
  const urls = event.data.urls.filter((url) => isOurs(new URL(url, location.origin)));
  event.waitUntil(keep(urls));
});

/** @param {string[]} urls */
async function keep(urls) {
  const cache = await caches.open(CACHE);
  for (const url of urls) {
    if (!(await cache.match(url))) await cache.add(url).catch(() => {}); // the next visit tries again
  }
}

/** @param {URL} url */
function isOurs(url) {
  return url.origin === location.origin && (url.pathname === '/field' || url.pathname.startsWith('/static/'));
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || !isOurs(url)) return;
  event.respondWith(newestOrKept(request, url));
});

/**
 * The network first, so that a new version is seen at once; what was kept when there is none.
 * @param {Request} request
 * @param {URL} url
 */
async function newestOrKept(request, url) {
  const cache = await caches.open(CACHE);
  const key = url.pathname === '/field' ? '/field' : request;
  try {
    const response = await fetch(request);
    if (response.ok && response.status === 200 && !response.redirected) await cache.put(key, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}
