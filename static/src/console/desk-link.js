// The video page beside this one may ask for a camera on the map: by a message when both are open, by the address when
// it had to open this page first.
import { select } from './actions.js';
import { board, ui } from './state.js';

const CHANNEL = 'yiping.desk';
const CLOSE_UP = 16;
const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 20_000;

/** @param {string} id @returns {boolean} false while the camera or the map is not there */
function show(id) {
  const camera = board().cameras[id];
  if (!camera || !ui.map) return false;
  select({ kind: 'camera', id });
  ui.map.show([camera.lon, camera.lat], CLOSE_UP);
  return true;
}

export function listenForCameras() {
  if (typeof BroadcastChannel !== 'undefined') {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => {
      if (typeof data?.show === 'string' && show(data.show)) channel.postMessage({ shown: data.show });
    };
  }
  const asked = new URLSearchParams(location.search).get('camera');
  if (!asked) return;
  history.replaceState(null, '', location.pathname);
  const until = Date.now() + PATIENCE_MS;
  const timer = window.setInterval(() => {
    if (show(asked) || Date.now() > until) window.clearInterval(timer);
  }, LOOK_EVERY_MS);
}
