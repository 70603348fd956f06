// GB/T 28181 devices: who may register here with which password, and what they brought.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { Dialog } from '../ui/dialog.js';
import { html, useEffect, useState } from '../ui/h.js';
import { reasonText, refusal } from '../ui/refusal.js';

/** @import {GbDeviceRow} from '../../types/video.d.ts' */

const AGAIN_MS = 10_000;
const CATALOG_TIMEOUT_MS = 60_000;
const DIGITS_20 = /^\d{20}$/;

/** @param {{device: GbDeviceRow | null, taken: string[], onClose: () => void, onDone: () => void}} props */
function DeviceDialog({ device, taken, onClose, onDone }) {
  const [id, setId] = useState(device?.device_id ?? '');
  const [name, setName] = useState(device?.name ?? '');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const [words, setWords] = useState('');
  const wrongId = !DIGITS_20.test(id.trim()) ? 'admin.bad.gb_id' : !device && taken.includes(id.trim()) ? 'admin.device.taken' : '';
  const wrongName = name.trim() ? '' : 'admin.bad.name_missing';
  const wrongPassword = !device && !password ? 'admin.device.password_missing' : '';
  const save = async () => {
    setTried(true);
    if (wrongId || wrongName || wrongPassword) return;
    try {
      await call('PUT', `/gb/devices/${encodeURIComponent(id.trim())}`, { name: name.trim(), ...(password ? { password } : {}) });
      onDone();
      onClose();
    } catch (error) {
      setWords(refusal(error));
    }
  };
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class="btn primary" onClick=${() => void save()} data-testid="device-save">${t('video.save')}</button>`;
  return html`<${Dialog} title=${t(device ? 'admin.device.edit' : 'admin.device.new')} onClose=${onClose} foot=${foot} id="device-dialog"><form class="form" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    void save();
  }}>
    <label class="wide"><span>${t('admin.device.id')}</span><input value=${id} maxlength="20" inputmode="numeric" disabled=${Boolean(device)} autofocus=${!device} aria-invalid=${tried && Boolean(wrongId)} onInput=${(/** @type {any} */ e) => setId(e.target.value)} data-testid="device-id" />${tried && wrongId && html`<small class="fault-line" role="alert">${t(wrongId)}</small>`}</label>
    <label><span>${t('admin.device.name')}</span><input value=${name} maxlength="80" onInput=${(/** @type {any} */ e) => setName(e.target.value)} aria-invalid=${tried && Boolean(wrongName)} data-testid="device-name" />${tried && wrongName && html`<small class="fault-line" role="alert">${t(wrongName)}</small>`}</label>
    <label><span>${t('admin.source.password')}${device?.has_password && html`<em class="chip good">✓ ${t('admin.password.set')}</em>`}</span><input type="password" autocomplete="new-password" value=${password} placeholder=${device?.has_password ? t('admin.password.keep') : ''} aria-invalid=${tried && Boolean(wrongPassword)} onInput=${(/** @type {any} */ e) => setPassword(e.target.value)} data-testid="device-password" />${tried && wrongPassword && html`<small class="fault-line" role="alert">${t(wrongPassword)}</small>`}</label>
    <button hidden></button></form></${Dialog}>`;
}

/** @param {{device: GbDeviceRow, onClose: () => void, onDone: () => void}} props */
function RemoveDialog({ device, onClose, onDone }) {
  const [words, setWords] = useState('');
  const go = async () => {
    try {
      await call('DELETE', `/gb/devices/${encodeURIComponent(device.device_id)}`);
      onDone();
      onClose();
    } catch (error) {
      setWords(refusal(error));
    }
  };
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class="btn danger" onClick=${() => void go()}>${t('video.remove')}</button>`;
  return html`<${Dialog} title=${t('admin.device.remove')} onClose=${onClose} foot=${foot}><p>${t('admin.device.remove_sure', { name: device.name || device.device_id })}</p></${Dialog}>`;
}

export function Devices() {
  const [page, setPage] = useState(/** @type {{items: GbDeviceRow[], error: string, loading: boolean}} */ ({ items: [], error: '', loading: true }));
  const [dialog, setDialog] = useState(/** @type {{kind: 'edit', device: GbDeviceRow | null} | {kind: 'remove', device: GbDeviceRow} | null} */ (null));
  const [said, setSaid] = useState(/** @type {Record<string, string>} */ ({}));
  const read = () =>
    call('GET', '/gb/devices').then(
      ({ items }) => setPage({ items, error: '', loading: false }),
      (error) => setPage((old) => ({ ...old, error: refusal(error), loading: false })),
    );
  useEffect(() => {
    void read();
    const timer = window.setInterval(() => !document.hidden && void read(), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);
  /** @param {GbDeviceRow} device */
  const catalog = async (device) => {
    const tell = (/** @type {string} */ text) => setSaid((old) => ({ ...old, [device.device_id]: text }));
    tell(t('admin.device.asking'));
    try {
      const { items, complete } = await call('POST', `/gb/devices/${encodeURIComponent(device.device_id)}/catalog`, undefined, { timeoutMs: CATALOG_TIMEOUT_MS });
      tell(t(complete ? 'admin.device.found' : 'admin.device.found_some', { n: items.length }));
    } catch (error) {
      tell(refusal(error));
    }
  };
  return html`<div class="devices"><header class="filters"><span class="lead">${t('admin.device.help')}</span><button class="btn sm primary" onClick=${() => setDialog({ kind: 'edit', device: null })} data-testid="new-device">${t('admin.device.new')}</button></header>
    ${page.error && html`<p class="refused" role="alert">${page.error} <button class="btn sm" onClick=${() => void read()}>${t('console.retry')}</button></p>`}
    <div class="table-scroll"><table class="rows"><thead><tr><th>${t('video.state')}</th><th>${t('admin.device.id')}</th><th>${t('admin.device.name')}</th><th>${t('admin.device.model')}</th><th>${t('admin.device.address')}</th><th>${t('admin.source.password')}</th><th></th></tr></thead>
      <tbody>${page.items.map(
        (device) => html`<tr key=${device.device_id} data-testid="device"><td><span class=${`online ${device.online ? 'yes' : 'no'}`}>${device.online ? '●' : '○'} ${t(device.online ? 'admin.device.online' : 'admin.device.offline')}</span>${!device.online && device.reason && html`<small>${reasonText(device.reason)}</small>`}</td><td class="digits">${device.device_id}</td><td><b>${device.name || '—'}</b></td><td>${[device.manufacturer, device.model].filter(Boolean).join(' ') || '—'}</td><td>${device.address ?? '—'}</td><td>${device.has_password ? html`<span class="chip good">✓ ${t('admin.password.set')}</span>` : html`<span class="late">${t('admin.device.open')}</span>`}</td>
        <td class="num acts"><span class="said" role="status">${said[device.device_id] ?? ''}</span><button class="btn sm" disabled=${!device.online} onClick=${() => void catalog(device)} data-testid="device-catalog">${t('admin.device.catalog')}</button><button class="link plain" onClick=${() => setDialog({ kind: 'edit', device })} data-testid="device-edit">${t('video.edit')}</button><button class="link plain" onClick=${() => setDialog({ kind: 'remove', device })}>${t('video.remove')}</button></td></tr>`,
      )}</tbody></table>
      ${!page.items.length && !page.error && html`<div class="blank" data-testid="devices-empty"><b>${t(page.loading ? 'video.loading' : 'admin.device.none')}</b>${!page.loading && html`<p>${t('admin.device.none_help')}</p>`}</div>`}</div>
    ${dialog?.kind === 'edit' && html`<${DeviceDialog} device=${dialog.device} taken=${page.items.map((item) => item.device_id)} onClose=${() => setDialog(null)} onDone=${() => void read()} />`}
    ${dialog?.kind === 'remove' && html`<${RemoveDialog} device=${dialog.device} onClose=${() => setDialog(null)} onDone=${() => void read()} />`}</div>`;
}
