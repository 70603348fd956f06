// A camera in the form: what was typed, what is wrong with it, what is sent. Pure.
//
// The password is write-only. One kept on the server belongs to one target; a source that points elsewhere does not take
// it along, and the form says so before it is saved.

/** @import {Camera} from '../../types/wire.d.ts' */
/** @import {OnvifAnswer, OnvifProfile, SourceFields} from '../../types/video.d.ts' */

export const PROTOCOLS = ['rtsp', 'gb28181', 'rtsps', 'rtmp', 'http-flv', 'hls', 'file'];
export const NETWORKS = ['xueliang', 'bureau', 'social'];
/** @type {Record<string, number>} */
export const PORTS = { rtsp: 554, rtsps: 322, rtmp: 1935, 'http-flv': 80, hls: 80 };

/**
 * @typedef {object} SourceDraft everything as typed
 * @property {string} protocol "" for a camera without a picture
 * @property {string} host
 * @property {string} port
 * @property {string} path
 * @property {string} username
 * @property {string} password
 * @property {boolean} noPassword the device asks for none, although one was kept
 * @property {string} transport
 * @property {string} device_id
 * @property {string} channel_id
 * @property {string} control_port
 * @property {string} control_profile
 *
 * @typedef {object} CameraDraft
 * @property {string} name
 * @property {string} gb_id
 * @property {string} lon
 * @property {string} lat
 * @property {string} network
 * @property {string} site_type
 * @property {string} azimuth
 * @property {string} fov
 * @property {string} height_m
 * @property {string} tilt
 * @property {string} range_m
 * @property {boolean} ptz
 * @property {string} area
 * @property {string} station
 * @property {string} tour_groups separated by commas
 * @property {boolean} enabled
 * @property {SourceDraft} source
 */

/** @param {unknown} value */
const text = (value) => (value === null || value === undefined ? '' : String(value));

/** @param {SourceFields | null | undefined} source @returns {SourceDraft} */
export function sourceDraftOf(source) {
  return {
    protocol: source?.protocol ?? '',
    host: text(source?.host),
    port: source?.port ? String(source.port) : '',
    path: text(source?.path),
    username: text(source?.username),
    password: '',
    noPassword: false,
    transport: source?.transport ?? 'tcp',
    device_id: text(source?.device_id),
    channel_id: text(source?.channel_id),
    control_port: source?.control_port ? String(source.control_port) : '',
    control_profile: text(source?.control_profile),
  };
}

/** @param {Camera | null} camera @param {SourceFields | null} [source] @returns {CameraDraft} */
export function draftOf(camera, source = null) {
  return {
    name: camera?.name ?? '',
    gb_id: text(camera?.gb_id),
    lon: text(camera?.lon),
    lat: text(camera?.lat),
    network: camera?.network ?? 'xueliang',
    site_type: text(camera?.site_type),
    azimuth: text(camera?.azimuth),
    fov: text(camera?.fov),
    height_m: text(camera?.height_m),
    tilt: text(camera?.tilt),
    range_m: text(camera?.range_m),
    ptz: camera?.ptz ?? false,
    area: text(camera?.area),
    station: text(camera?.station),
    tour_groups: (camera?.tour_groups ?? []).join('，'),
    enabled: camera?.enabled ?? true,
    source: sourceDraftOf(source),
  };
}

/** Groups as typed: any comma, 、 or ; between them. @param {string} typed */
export const groupsIn = (typed) => [...new Set(typed.split(/[,，、;；\n]/).map((group) => group.trim()).filter(Boolean))];

/** @param {string} typed @returns {number | null} NaN for what is no number */
const number = (typed) => (typed.trim() === '' ? null : /^[-+]?(\d+\.?\d*|\.\d+)$/.test(typed.trim()) ? Number(typed) : Number.NaN);

/** @type {[keyof CameraDraft & string, number, number][]} bounds, both included */
const BOUNDS = [
  ['azimuth', 0, 360],
  ['fov', 0, 360],
  ['height_m', 0, 1000],
  ['tilt', -90, 90],
  ['range_m', 0, 50_000],
];
const DIGITS_20 = /^\d{20}$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?$|^\[?[0-9a-fA-F:.]+\]?$/;

/** Has it a place in the network, an account and a password of its own? @param {string} protocol */
export const isNetworked = (protocol) => protocol in PORTS;

/** Does the source point where it did? @param {SourceDraft} draft @param {SourceFields | null} kept */
export function sameTarget(draft, kept) {
  if (!kept) return false;
  const port = (/** @type {string} */ protocol, /** @type {number} */ given) => given || (PORTS[protocol] ?? 0);
  return (
    draft.protocol === kept.protocol &&
    draft.host.trim().toLowerCase() === (kept.host ?? '').toLowerCase() &&
    port(draft.protocol, Number(draft.port)) === port(kept.protocol, kept.port ?? 0) &&
    draft.username.trim() === (kept.username ?? '') &&
    Number(draft.control_port) === (kept.control_port ?? 0)
  );
}

/** The password kept on the server would not come along. @param {SourceDraft} draft @param {SourceFields | null} kept */
export const losesPassword = (draft, kept) =>
  Boolean(kept?.has_password) && isNetworked(draft.protocol) && draft.password === '' && !draft.noPassword && !sameTarget(draft, kept);

/**
 * What is wrong with a draft: field → key of the words. Empty: it may be sent.
 * @param {CameraDraft} draft @param {SourceFields | null} kept the source as the server keeps it
 * @returns {Record<string, string>}
 */
export function draftFaults(draft, kept) {
  /** @type {Record<string, string>} */
  const faults = {};
  const name = draft.name.trim();
  if (!name) faults.name = 'admin.bad.name_missing';
  else if (name.length > 80) faults.name = 'admin.bad.name';
  if (draft.gb_id.trim() && !DIGITS_20.test(draft.gb_id.trim())) faults.gb_id = 'admin.bad.gb_id';
  const lon = number(draft.lon);
  const lat = number(draft.lat);
  if (lon === null || !(lon >= -180 && lon <= 180)) faults.lon = 'admin.bad.lon';
  if (lat === null || !(lat >= -90 && lat <= 90)) faults.lat = 'admin.bad.lat';
  for (const [field, low, high] of BOUNDS) {
    const value = number(String(draft[field]));
    if (value !== null && !(value >= low && value <= high)) faults[field] = `admin.bad.${field}`;
  }
  if (draft.site_type.trim().length > 40) faults.site_type = 'admin.bad.site_type';
  if (draft.station.trim().length > 60) faults.station = 'admin.bad.station';
  const groups = groupsIn(draft.tour_groups);
  if (groups.length > 20 || groups.some((group) => group.length > 40)) faults.tour_groups = 'admin.bad.tour_groups';
  return { ...faults, ...sourceFaults(draft.source, kept) };
}

/** @param {SourceDraft} source @param {SourceFields | null} kept @returns {Record<string, string>} */
export function sourceFaults(source, kept) {
  /** @type {Record<string, string>} */
  const faults = {};
  const { protocol } = source;
  if (protocol === 'gb28181') {
    if (!DIGITS_20.test(source.device_id.trim())) faults['source.device_id'] = 'admin.bad.gb_id';
    if (!DIGITS_20.test(source.channel_id.trim())) faults['source.channel_id'] = 'admin.bad.gb_id';
  } else if (isNetworked(protocol)) {
    const host = source.host.trim();
    if (!host) faults['source.host'] = 'admin.bad.host_missing';
    else if (host.includes('://') || !HOST.test(host)) faults['source.host'] = 'admin.bad.host';
    for (const field of /** @type {const} */ (['port', 'control_port'])) {
      const typed = source[field].trim();
      if (typed && !(/^\d{1,5}$/.test(typed) && Number(typed) >= 1 && Number(typed) <= 65_535)) faults[`source.${field}`] = 'admin.bad.port';
    }
    if (/\s/.test(source.path.trim())) faults['source.path'] = 'admin.bad.path';
    else if (/(?:passw(?:or)?d|pwd)=[^&\s]/i.test(source.path)) faults['source.path'] = 'admin.bad.path_password';
    if (losesPassword(source, kept)) faults['source.password'] = 'admin.bad.password_again';
  } else if (protocol === 'file' && !source.path.trim()) faults['source.path'] = 'admin.bad.file';
  return faults;
}

/**
 * The source as the server takes it; null for none. Without `password` the one kept holds on.
 * @param {SourceDraft} draft @returns {SourceFields | null}
 */
export function sourceBody(draft) {
  const { protocol } = draft;
  if (!protocol) return null;
  if (protocol === 'gb28181')
    return { protocol, device_id: draft.device_id.trim(), channel_id: draft.channel_id.trim(), transport: draft.transport };
  const path = draft.path.trim().replace(/^\/+/, '');
  if (protocol === 'file') return { protocol, path };
  return {
    protocol,
    host: draft.host.trim(),
    port: Number(draft.port),
    path,
    username: draft.username.trim() || null,
    transport: draft.transport,
    control_port: Number(draft.control_port),
    control_profile: draft.control_profile.trim() || null,
    ...(draft.password ? { password: draft.password } : draft.noPassword ? { password: '' } : {}),
  };
}

/** The camera as the server takes it, without its source. @param {CameraDraft} draft */
export function cameraBody(draft) {
  const azimuth = number(draft.azimuth);
  return {
    name: draft.name.trim(),
    gb_id: draft.gb_id.trim() || null,
    lon: Number(draft.lon),
    lat: Number(draft.lat),
    network: draft.network,
    site_type: draft.site_type.trim() || null,
    azimuth: azimuth === 360 ? 0 : azimuth,
    fov: number(draft.fov) || null,
    height_m: number(draft.height_m),
    tilt: number(draft.tilt),
    range_m: number(draft.range_m) || null,
    ptz: draft.ptz,
    area: draft.area || null,
    station: draft.station.trim() || null,
    tour_groups: groupsIn(draft.tour_groups),
  };
}

/**
 * The fields that were changed, and the source if it was: what is not sent stays, and area and station follow a camera
 * that is moved unless they were typed.
 * @param {CameraDraft} draft @param {CameraDraft} before
 */
export function changesOf(draft, before) {
  const [now, old] = [cameraBody(draft), cameraBody(before)];
  const changed = Object.entries(now).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(old[/** @type {keyof typeof old} */ (field)]));
  const source = sourceChanged(draft, before) ? { source: sourceBody(draft.source) } : {};
  return { ...Object.fromEntries(changed), ...source };
}

/** Has anything been typed? @param {CameraDraft} draft @param {CameraDraft} before */
export const isChanged = (draft, before) => JSON.stringify(draft) !== JSON.stringify(before);

/** Did the source change? Then it is sent, else the one kept stays as it is. @param {CameraDraft} draft @param {CameraDraft} before */
export const sourceChanged = (draft, before) => JSON.stringify(draft.source) !== JSON.stringify(before.source);

/**
 * The draft with the profile of an ONVIF device: its stream by RTSP, moved by ONVIF.
 * @param {CameraDraft} draft @param {{host: string, port: string, username: string, password: string}} asked
 * @param {OnvifAnswer} answer @param {OnvifProfile} profile @returns {CameraDraft}
 */
export function withProfile(draft, asked, answer, profile) {
  const moves = answer.ptz;
  return {
    ...draft,
    ptz: moves || draft.ptz,
    source: {
      ...sourceDraftOf(null),
      protocol: 'rtsp',
      host: asked.host.trim(),
      port: profile.port ? String(profile.port) : '',
      path: profile.path ?? '',
      username: asked.username.trim(),
      password: asked.password,
      control_port: moves ? asked.port.trim() || '80' : '',
      control_profile: moves ? profile.token : '',
    },
  };
}

/** Fields that have words of their own for what the server does not take. */
const WORDED = new Set(['name', 'gb_id', 'lon', 'lat', 'azimuth', 'fov', 'height_m', 'tilt', 'range_m', 'site_type', 'station', 'tour_groups', 'area', 'grid']);

/**
 * Words for a field the server refused.
 * @param {string} field as it names it, e.g. `source.host` @param {string} detail its own sentence, in English
 * @returns {string} key of the words
 */
export function refusedField(field, detail) {
  const plain = field.replace(/\.\d+$/, '');
  if (plain === 'source.host') return /allowed/.test(detail) ? 'admin.bad.host_not_allowed' : /no address/.test(detail) ? 'admin.bad.host_unknown' : 'admin.bad.host';
  if (plain === 'source.protocol') return 'admin.bad.protocol_not_allowed';
  if (plain === 'source.path') return /password/.test(detail) ? 'admin.bad.path_password' : /allowed|no file/.test(detail) ? 'admin.bad.file' : 'admin.bad.path';
  if (plain === 'source.port' || plain === 'source.control_port') return 'admin.bad.port';
  if (plain === 'source.device_id' || plain === 'source.channel_id') return 'admin.bad.gb_id';
  if (plain === 'source.password' || plain === 'source.username') return 'admin.bad.password';
  return WORDED.has(plain) ? `admin.bad.${plain}` : 'admin.bad.other';
}
