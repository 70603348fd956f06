// The pages an account may open; the server asks again.

/** @type {{path: string, word: string, needs: string[]}[]} any of these */
const PAGES = [
  { path: '/', word: 'video.page.console', needs: ['view.map'] },
  { path: '/video', word: 'video.page.video', needs: ['camera.view'] },
  { path: '/wall', word: 'video.page.wall', needs: ['kpi.view'] },
  { path: '/lead', word: 'lead.page', needs: ['incident.supervise'] },
  { path: '/admin', word: 'video.page.admin', needs: ['camera.manage', 'areas.manage', 'responders.manage'] },
];

/**
 * The other pages of an account.
 * @param {readonly string[]} permissions @param {string} here the path of this page
 */
export const otherPages = (permissions, here) =>
  PAGES.filter((page) => page.path !== here && page.needs.some((one) => permissions.includes(one)));

/**
 * The window a page opens in: console, video, wall and coverage stand beside each other on several screens, and a second click
 * goes to the one that is open.
 * @param {string} path
 */
export const windowOf = (path) => (path === '/admin' ? '_self' : `yiping-${path === '/' ? 'console' : path.slice(1)}`);
