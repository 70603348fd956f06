// One camera: its facts, where its media comes from, trying that, and taking it out of the register.
import { ApiError, call } from '../api.js';
import { has, t } from '../i18n.js';
import { CameraMark, healthOf } from '../ui/camera-mark.js';
import { Dialog } from '../ui/dialog.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { reasonText, refusal } from '../ui/refusal.js';
import { NETWORKS, cameraBody, changesOf, draftFaults, draftOf, isChanged, refusedField, sourceBody, sourceFaults, withProfile } from './camera-draft.js';
import { Field, Select } from './fields.js';
import { OnvifDialog } from './onvif-dialog.js';
import { SourceFields } from './source-fields.js';
import { areaText, say, set, ui } from './state.js';

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {Probe, SourceFields as Kept} from '../../types/video.d.ts' */
/** @import {CameraDraft, SourceDraft} from './camera-draft.js' */

/** Kinds of sites that have a name in both languages; a register may use words of its own. */
const SITES = 'bridge bus_station government hill hospital junction kindergarten market park police railway_station reservoir residential river_bank school village village_road workshop'.split(' ');
const PROBE_TIMEOUT_MS = 30_000;

/** @param {{probe: Probe}} props */
function ProbeResult({ probe }) {
  if (probe.ok)
    return html`<p class="probe ok" role="status" data-testid="probe">✓ ${t('admin.probe.ok', { codec: (probe.codec ?? '').toUpperCase(), width: probe.width ?? 0, height: probe.height ?? 0 })}${probe.audio ? ` · ${t('admin.probe.audio', { audio: probe.audio.toUpperCase() })}` : ''}</p>`;
  return html`<p class="probe bad" role="status" data-testid="probe">✕ ${reasonText(probe.reason) || t('admin.probe.failed')}${probe.detail && html`<small>${probe.detail}</small>`}</p>`;
}

/** @param {{camera: Camera, onClose: () => void, onGone: () => void}} props */
function RemoveDialog({ camera, onClose, onGone }) {
  const [words, setWords] = useState('');
  const go = async () => {
    try {
      await call('DELETE', `/cameras/${encodeURIComponent(camera.id)}?expected_version=${camera.version}`);
      onGone();
    } catch (error) {
      setWords(refusal(error));
    }
  };
  const foot = html`${words && html`<p class="refused" role="alert">${words}</p>`}<button class="btn" onClick=${onClose}>${t('console.cancel')}</button><button class="btn danger" onClick=${() => void go()} data-testid="remove-submit">${t('video.remove')}</button>`;
  return html`<${Dialog} title=${t('admin.remove')} onClose=${onClose} foot=${foot} id="remove-dialog"><p>${t('admin.remove.sure', { name: camera.name })}</p><p class="hint">${t('admin.remove.what')}</p></${Dialog}>`;
}

/** @param {{id: string, listed: Camera | null, onDone: () => void}} props */
export function CameraForm({ id, listed, onDone }) {
  const isNew = id === 'new';
  const [camera, setCamera] = useState(/** @type {Camera | null} */ (isNew ? null : listed));
  const [kept, setKept] = useState(/** @type {Kept | null} */ (null));
  const [before, setBefore] = useState(/** @type {CameraDraft} */ (draftOf(isNew ? null : listed)));
  const [draft, setDraft] = useState(before);
  const [ready, setReady] = useState(isNew);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState(/** @type {Record<string, string>} */ ({}));
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState('');
  const [probe, setProbe] = useState(/** @type {Probe | null} */ (null));
  const [dialog, setDialog] = useState(/** @type {'' | 'remove' | 'onvif' | 'leave'} */ (''));
  const top = useRef(/** @type {HTMLElement | null} */ (null));
  const path = `/cameras/${encodeURIComponent(id)}`;
  const read = async () => {
    try {
      const found = await call('GET', path);
      const source = found.source === null ? null : await call('GET', `${path}/source`);
      const fresh = draftOf(found, source);
      setCamera(found);
      setKept(source);
      setBefore(fresh);
      setDraft(fresh);
      setReady(true);
      setWords('');
    } catch (error) {
      setWords(refusal(error));
    }
  };
  useEffect(() => {
    if (!isNew) void read();
  }, []);
  const changed = isChanged(draft, before);
  const faults = { ...(tried ? draftFaults(draft, kept) : {}), ...refused };
  /** @param {Partial<CameraDraft>} patch */
  const edit = (patch) => {
    setDraft({ ...draft, ...patch });
    const fields = Object.keys(patch);
    setRefused(Object.fromEntries(Object.entries(refused).filter(([field]) => !fields.includes(field))));
  };
  /** @param {Partial<SourceDraft>} patch */
  const editSource = (patch) => {
    setProbe(null);
    setDraft({ ...draft, source: { ...draft.source, ...patch } });
    setRefused(Object.fromEntries(Object.entries(refused).filter(([field]) => !field.startsWith('source.'))));
  };
  /** @param {unknown} error */
  const explain = (error) => {
    const field = error instanceof ApiError && error.status === 422 ? error.field : null;
    if (error instanceof ApiError && field) {
      setRefused({ [field]: refusedField(field, error.detail) });
      setWords(t('admin.see_field'));
    } else setWords(refusal(error));
  };
  const leave = () => (changed && ready ? setDialog('leave') : set({ editing: '' }));
  const save = async () => {
    setTried(true);
    const wrong = draftFaults(draft, kept);
    if (Object.keys(wrong).length) {
      setWords(t('admin.see_field'));
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (top.current?.querySelector('[aria-invalid=true]'))?.focus());
      return;
    }
    if (busy) return;
    setBusy('save');
    setWords('');
    try {
      let made = camera;
      if (isNew) {
        const body = { ...cameraBody(draft), ...(draft.source.protocol ? { source: sourceBody(draft.source) } : {}) };
        made = await call('POST', '/cameras', body);
      } else {
        const body = changesOf(draft, before);
        if (Object.keys(body).length) made = await call('PUT', path, body, { expectedVersion: camera?.version });
      }
      if (made && draft.enabled !== (isNew ? true : before.enabled))
        await call('POST', `/cameras/${encodeURIComponent(made.id)}/enabled`, { enabled: draft.enabled });
      say(t('admin.saved', { name: draft.name.trim() }));
      onDone();
      if (isNew) set({ editing: made?.id ?? '' });
      else {
        await read();
        setTried(false);
      }
    } catch (error) {
      explain(error);
    }
    setBusy('');
  };
  const test = async () => {
    const wrong = sourceFaults(draft.source, kept);
    if (Object.keys(wrong).length) {
      setTried(true);
      setWords(t('admin.see_field'));
      return;
    }
    setBusy('probe');
    setProbe(null);
    setWords('');
    try {
      setProbe(await call('POST', '/cameras/probe', { source: sourceBody(draft.source), ...(isNew ? {} : { camera_id: id }) }, { timeoutMs: PROBE_TIMEOUT_MS }));
    } catch (error) {
      explain(error);
    }
    setBusy('');
  };
  const health = healthOf(camera?.status ?? 'unknown');
  const areas = [...ui.areas.values()].filter((area) => area.tier === 2 || area.tier === 3).sort((a, b) => (a.code < b.code ? -1 : 1));
  const bind = { draft, faults, edit };
  return html`<section class="camera-form" aria-label=${isNew ? t('admin.new') : draft.name} data-testid="camera-form">
    <header><div><h2>${isNew ? t('admin.new') : before.name}</h2>${!isNew && html`<p><span class="health ${health}"><${CameraMark} status=${camera?.status ?? 'unknown'} />${t(`camera.status.${health}`)}</span>${camera?.fault ? ` · ${t(`camera.fault.${camera.fault}`)}` : ''} · ${areaText(camera?.grid) || areaText(camera?.area) || t('admin.no_area')}</p>`}</div>
      <button class="esc" onClick=${leave} data-testid="form-close">Esc ✕</button></header>
    <form class="form-body" ref=${top} onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void save();
    }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && leave()}>
      ${!ready && html`<p class="hint">${words || t('video.loading')}</p>`}
      <fieldset disabled=${!ready || busy === 'save'}>
        <h3>${t('admin.section.basic')}</h3>
        <div class="form">
          <${Field} ...${bind} field="name" wide maxlength="80" required />
          <${Field} ...${bind} field="gb_id" maxlength="20" inputmode="numeric" placeholder=${t('admin.gb_id.hint')} />
          <${Select} ...${bind} field="network" options=${NETWORKS.map((value) => ({ value, label: t(`console.network.${value}`) }))} />
          <${Field} ...${bind} field="site_type" maxlength="40" placeholder=${t('admin.site_type.hint')} list="site-types" note=${has(`console.site.${draft.site_type}`) ? t(`console.site.${draft.site_type}`) : ''} />
          <datalist id="site-types">${SITES.map((site) => html`<option key=${site} value=${site}>${t(`console.site.${site}`)}</option>`)}</datalist>
          <${Field} ...${bind} field="station" maxlength="60" placeholder=${t('admin.station.hint')} />
          <${Field} ...${bind} field="tour_groups" wide placeholder=${t('admin.tour_groups.hint')} />
          <label class="check"><input type="checkbox" checked=${draft.enabled} onChange=${(/** @type {any} */ e) => edit({ enabled: e.target.checked })} data-testid="field-enabled" />${t('admin.enabled')}</label>
          <label class="check"><input type="checkbox" checked=${draft.ptz} onChange=${(/** @type {any} */ e) => edit({ ptz: e.target.checked })} />${t('video.ptz')}</label>
        </div>
        <h3>${t('admin.section.place')}</h3>
        <div class="form three">
          <${Field} ...${bind} field="lon" inputmode="decimal" required /><${Field} ...${bind} field="lat" inputmode="decimal" required />
          ${areas.length ? html`<${Select} ...${bind} field="area" options=${[{ value: '', label: t('admin.area.auto') }, ...areas.map((area) => ({ value: area.code, label: `${area.tier === 3 ? '　' : ''}${area.name}` }))]} />` : html`<${Field} ...${bind} field="area" placeholder=${t('admin.area.auto')} />`}
          <${Field} ...${bind} field="azimuth" unit="°" inputmode="decimal" /><${Field} ...${bind} field="fov" unit="°" inputmode="decimal" /><${Field} ...${bind} field="range_m" unit="m" inputmode="decimal" />
          <${Field} ...${bind} field="height_m" unit="m" inputmode="decimal" /><${Field} ...${bind} field="tilt" unit="°" inputmode="decimal" />
        </div>
        <h3>${t('admin.section.source')}<button type="button" class="btn sm" onClick=${() => setDialog('onvif')} data-testid="open-onvif">${t('admin.onvif')}</button></h3>
        <${SourceFields} source=${draft.source} kept=${kept} faults=${faults} edit=${editSource} />
        <div class="try"><button type="button" class="btn" disabled=${!draft.source.protocol || Boolean(busy)} onClick=${() => void test()} data-testid="probe-go">${t(busy === 'probe' ? 'admin.probe.going' : 'admin.probe')}</button>${probe && html`<${ProbeResult} probe=${probe} />`}</div>
      </fieldset></form>
    <footer><button class="btn primary" disabled=${!ready || Boolean(busy) || (!changed && !isNew)} onClick=${() => void save()} data-testid="form-save">${t(busy === 'save' ? 'admin.saving' : 'video.save')}</button>
      <button class="btn" onClick=${leave}>${t(changed ? 'console.cancel' : 'admin.close')}</button>
      <span class="said" role="status">${ready ? words || ui.said : ''}</span>
      ${camera && html`<button class="btn danger" onClick=${() => setDialog('remove')} data-testid="form-remove">${t('video.remove')}</button>`}</footer>
    ${
      dialog === 'remove' &&
      camera &&
      html`<${RemoveDialog} camera=${camera} onClose=${() => setDialog('')} onGone=${() => {
        say(t('admin.removed', { name: camera.name }));
        set({ editing: '' });
        onDone();
      }} />`
    }
    ${
      dialog === 'onvif' &&
      html`<${OnvifDialog} source=${draft.source} onClose=${() => setDialog('')} onChoose=${(/** @type {any} */ asked, /** @type {any} */ answer, /** @type {any} */ profile) => {
        setDraft(withProfile(draft, asked, answer, profile));
        setProbe(null);
        setDialog('');
      }} />`
    }
    ${
      dialog === 'leave' &&
      html`<${Dialog} title=${t('admin.leave')} onClose=${() => setDialog('')} id="leave-dialog" foot=${html`<button class="btn" onClick=${() => setDialog('')}>${t('admin.leave.stay')}</button><button class="btn danger" onClick=${() => set({ editing: '' })} data-testid="leave-go">${t('admin.leave.go')}</button>`}><p>${t('admin.leave.what')}</p></${Dialog}>`
    }</section>`;
}
