// Where a camera's media comes from, in separate fields. A password goes in and never comes out again.
import { t } from '../i18n.js';
import { html } from '../ui/h.js';
import { PORTS, PROTOCOLS, isNetworked, losesPassword } from './camera-draft.js';
import { FaultLine } from './fields.js';

/** @import {SourceFields as Kept} from '../../types/video.d.ts' */
/** @import {SourceDraft} from './camera-draft.js' */

/**
 * @param {{source: SourceDraft, kept: Kept | null, faults: Record<string, string>, edit: (patch: Partial<SourceDraft>) => void}} props
 */
export function SourceFields({ source, kept, faults, edit }) {
  const { protocol } = source;
  /** @param {keyof SourceDraft & string} field @param {Record<string, unknown>} [more] */
  const input = (field, more = {}) => {
    const wrong = faults[`source.${field}`];
    const label = t(`admin.source.${field === 'path' && protocol === 'onvif' ? 'profile' : field === 'path' && protocol === 'file' ? 'file' : field}`);
    return html`<label class=${more.wide ? 'wide' : ''}><span>${label}</span><input value=${source[field]} autocomplete="off" spellcheck=${false} aria-invalid=${Boolean(wrong)} ...${{ ...more, wide: undefined }}
      onInput=${(/** @type {any} */ event) => edit({ [field]: event.target.value })} data-testid=${`source-${field}`} /><${FaultLine} words=${wrong} id=${`fault-source-${field}`} /></label>`;
  };
  const protocolWrong = faults['source.protocol'];
  return html`<div class="form three source">
    <label><span>${t('admin.source.protocol')}</span><select value=${protocol} aria-invalid=${Boolean(protocolWrong)} onChange=${(/** @type {any} */ event) => edit({ protocol: event.target.value })} data-testid="source-protocol">
      <option value="" selected=${!protocol}>${t('admin.no_source')}</option>${PROTOCOLS.map((one) => html`<option key=${one} value=${one} selected=${one === protocol}>${t(`admin.protocol.${one}`)}</option>`)}</select><${FaultLine} words=${protocolWrong} id="fault-source-protocol" /></label>
    ${protocol === '' && html`<p class="hint fill">${t('admin.source.none_help')}</p>`}
    ${protocol === 'gb28181' && html`${input('device_id', { maxlength: 20, inputmode: 'numeric' })}${input('channel_id', { maxlength: 20, inputmode: 'numeric' })}`}
    ${protocol === 'file' && input('path', { wide: true })}
    ${
      isNetworked(protocol) &&
      html`${input('host', { placeholder: '192.0.2.10' })}${input('port', { inputmode: 'numeric', placeholder: String(PORTS[protocol]) })}
      ${input('path', { wide: true, placeholder: protocol === 'rtsp' ? t('admin.source.path.hint') : '' })}
      ${input('username', { autocomplete: 'off' })}
      <${Password} source=${source} kept=${kept} wrong=${faults['source.password']} edit=${edit} />
      ${protocol === 'rtsp' ? html`<label><span>${t('admin.source.transport')}</span><select value=${source.transport} onChange=${(/** @type {any} */ event) => edit({ transport: event.target.value })}><option value="tcp">TCP</option><option value="udp">UDP</option></select></label>${input('control_port', { inputmode: 'numeric', placeholder: t('admin.source.control_port.hint') })}${source.control_port && input('control_profile', {})}` : ''}`
    }</div>`;
}

/**
 * @param {{source: SourceDraft, kept: Kept | null, wrong: string | undefined, edit: (patch: Partial<SourceDraft>) => void}} props
 */
function Password({ source, kept, wrong, edit }) {
  const has = Boolean(kept?.has_password);
  const loses = losesPassword(source, kept);
  const held = has && !loses && !source.password && !source.noPassword;
  return html`<div class="field password"><label><span>${t('admin.source.password')}${held && html`<em class="chip good" data-testid="password-set">✓ ${t('admin.password.set')}</em>`}</span>
      <input type="password" autocomplete="new-password" value=${source.password} aria-invalid=${Boolean(wrong) || loses} placeholder=${held ? t('admin.password.keep') : ''} maxlength="128"
      onInput=${(/** @type {any} */ event) => edit({ password: event.target.value, noPassword: false })} data-testid="source-password" /></label>
    ${
      loses
        ? html`<small class="fault-line" role="alert" data-testid="password-again">${t('admin.bad.password_again')}</small>`
        : wrong && html`<small class="fault-line" role="alert">${t(wrong)}</small>`
    }
    ${has && kept?.password_readable === false && html`<small class="fault-line">${t('admin.password.unreadable')}</small>`}
    ${has && !source.password && html`<label class="check"><input type="checkbox" checked=${source.noPassword} onChange=${(/** @type {any} */ event) => edit({ noPassword: event.target.checked })} data-testid="no-password" />${t('admin.password.none')}</label>`}</div>`;
}
