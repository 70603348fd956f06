// What cameras and their devices alarm about, after what waits: a suggestion until somebody makes an incident of it or says
// that it is nothing. It neither sounds nor flashes; a device cries wolf more often than a caller.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { ageText } from '../ui/format.js';
import { html, useEffect, useState } from '../ui/h.js';
import { mayHaveStill, thumbnail } from '../video/thumbnail.js';
import { openIncident, refusal, select, toast } from './actions.js';
import { board, may, nowMs } from './state.js';

/** @import {Alarm} from '../../types/wire.d.ts' */

const SHOWN = 3;

/** The newest first. @returns {Alarm[]} */
export function openAlarms() {
  const open = Object.values(board().alarms).filter((alarm) => alarm.state === 'open');
  return open.sort((a, b) => (b.last_at ?? b.at).localeCompare(a.last_at ?? a.at) || a.id.localeCompare(b.id));
}

/** Being decided about by this desk: a second press does nothing. @type {Set<string>} */
const deciding = new Set();

/** @param {Alarm} alarm @param {'accept' | 'dismiss'} command */
async function decide(alarm, command) {
  if (deciding.has(alarm.id)) return;
  deciding.add(alarm.id);
  try {
    const answer = await call('POST', `/alarms/${encodeURIComponent(alarm.id)}/${command}`);
    if (command === 'accept') openIncident(answer.id);
  } catch (error) {
    toast({ id: alarm.id, title: t('console.device.refused'), text: refusal(error) });
  } finally {
    deciding.delete(alarm.id);
  }
}

/** The camera's last picture, small. @param {{alarm: Alarm}} props */
function Picture({ alarm }) {
  const camera = alarm.camera_id ? board().cameras[alarm.camera_id] : null;
  const [url, setUrl] = useState('');
  const id = camera && mayHaveStill(camera) ? camera.id : null;
  useEffect(() => {
    let wanted = true;
    if (id) void thumbnail(id).then((still) => wanted && setUrl(still?.url ?? ''));
    return () => {
      wanted = false;
    };
  }, [id]);
  return html`<span class="pic">${url && html`<img src=${url} alt="" />`}</span>`;
}

/** @param {{alarm: Alarm}} props */
function Row({ alarm }) {
  const camera = alarm.camera_id ? board().cameras[alarm.camera_id] : null;
  const age = ageText((nowMs() - Date.parse(alarm.last_at ?? alarm.at)) / 1000);
  const times = alarm.count > 1 ? t('console.device.times', { n: alarm.count }) : '';
  const show = () => camera && select({ kind: 'camera', id: camera.id });
  const mayAccept = may('incident.report') && alarm.lon !== null;
  return html`<li class="device" data-testid="device-alarm" data-id=${alarm.id}>
    <button class="see" onClick=${show} disabled=${!camera} aria-label=${t('console.device.see', { name: camera?.name ?? alarm.device_id ?? '' })}><${Picture} alarm=${alarm} />
      <span class="what"><b>${t(`console.device.${alarm.kind}`)}</b><span>${camera?.name ?? alarm.device_id ?? ''}</span><small>${[age, times, alarm.text].filter(Boolean).join(' · ')}</small></span></button>
    <span class="do"><button class="btn sm" disabled=${!mayAccept} onClick=${() => void decide(alarm, 'accept')} data-testid="device-accept">${t('console.device.accept')}</button>
      <button class="btn sm plain" onClick=${() => void decide(alarm, 'dismiss')} data-testid="device-dismiss">${t('console.device.dismiss')}</button></span>
  </li>`;
}

/** Nothing at all while there is none. */
export function DeviceAlarms() {
  const [all, setAll] = useState(false);
  if (!may('video.manage')) return null;
  const alarms = openAlarms();
  if (!alarms.length) return null;
  const shown = all ? alarms : alarms.slice(0, SHOWN);
  return html`<section class="group devices" data-testid="group-devices"><h5>${t('console.device')}<b>${alarms.length}</b><span>${t('console.device.hint')}</span></h5>
    <ul>${shown.map((alarm) => html`<${Row} alarm=${alarm} key=${alarm.id} />`)}</ul>
    ${alarms.length > SHOWN && html`<button class="more" onClick=${() => setAll(!all)}>${all ? t('console.device.less') : t('console.queue.more', { n: alarms.length - SHOWN })}</button>`}
  </section>`;
}
