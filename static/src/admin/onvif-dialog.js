// Ask a device by ONVIF which streams it has, and take one over into the form.
import { call } from '../api.js';
import { t } from '../i18n.js';
import { Dialog } from '../ui/dialog.js';
import { html, useState } from '../ui/h.js';
import { refusal } from '../ui/refusal.js';

/** @import {OnvifAnswer, OnvifProfile} from '../../types/video.d.ts' */
/** @import {SourceDraft} from './camera-draft.js' */

const TIMEOUT_MS = 40_000;

/**
 * @param {{source: SourceDraft, onClose: () => void,
 *          onChoose: (asked: {host: string, port: string, username: string, password: string}, answer: OnvifAnswer, profile: OnvifProfile) => void}} props
 */
export function OnvifDialog({ source, onClose, onChoose }) {
  const [asked, setAsked] = useState({ host: source.host, port: source.control_port || '80', username: source.username, password: source.password });
  const [answer, setAnswer] = useState(/** @type {OnvifAnswer | null} */ (null));
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const go = async () => {
    const port = Number(asked.port);
    if (!asked.host.trim()) return setWords(t('admin.bad.host_missing'));
    if (!(port >= 1 && port <= 65_535)) return setWords(t('admin.bad.port'));
    setBusy(true);
    setWords('');
    setAnswer(null);
    try {
      setAnswer(await call('POST', '/onvif/probe', { host: asked.host.trim(), port, username: asked.username.trim() || null, password: asked.password || null }, { timeoutMs: TIMEOUT_MS }));
    } catch (error) {
      setWords(refusal(error));
    }
    return setBusy(false);
  };
  /** @param {keyof typeof asked} field @param {Record<string, unknown>} [more] */
  const input = (field, more = {}) => html`<label><span>${t(`admin.source.${field === 'port' ? 'onvif_port' : field}`)}</span><input value=${asked[field]} autocomplete="off" spellcheck=${false} ...${more} onInput=${(/** @type {any} */ event) => setAsked({ ...asked, [field]: event.target.value })} data-testid=${`onvif-${field}`} /></label>`;
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class="btn ${answer ? '' : 'primary'}" disabled=${busy} onClick=${() => void go()} data-testid="onvif-go">${t(busy ? 'admin.onvif.asking' : 'admin.onvif.ask')}</button>`;
  return html`<${Dialog} title=${t('admin.onvif')} onClose=${onClose} foot=${foot} wide=${Boolean(answer)} id="onvif-dialog">
    <form class="form" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void go();
    }}>${input('host', { autofocus: true, placeholder: '192.0.2.10' })}${input('port', { inputmode: 'numeric' })}${input('username')}${input('password', { type: 'password', autocomplete: 'new-password' })}<button hidden></button></form>
    ${
      answer &&
      html`<p class="device"><b>${[answer.manufacturer, answer.model].filter(Boolean).join(' ') || t('admin.onvif.nameless')}</b>${answer.ptz && html`<span class="chip good">${t('video.ptz')}</span>`}</p>
      ${
        answer.profiles.length
          ? html`<table class="rows"><thead><tr><th>${t('admin.onvif.profile')}</th><th>${t('admin.onvif.codec')}</th><th>${t('admin.onvif.size')}</th><th>${t('admin.source.path')}</th><th></th></tr></thead><tbody>${answer.profiles.map(
              (profile) => html`<tr key=${profile.token} data-testid="onvif-profile"><td><b>${profile.name || profile.token}</b></td><td>${(profile.codec ?? '—').toUpperCase()}</td><td>${profile.width ? `${profile.width}×${profile.height}` : '—'}</td><td class="path">${profile.path ?? '—'}</td><td class="num"><button class="btn sm out" disabled=${profile.path === null} onClick=${() => onChoose(asked, answer, profile)}>${t('admin.onvif.choose')}</button></td></tr>`,
            )}</tbody></table>`
          : html`<p class="hint">${t('admin.onvif.no_profiles')}</p>`
      }`
    }</${Dialog}>`;
}
