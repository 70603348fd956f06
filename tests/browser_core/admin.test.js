import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  cameraBody, changesOf, draftFaults, draftOf, groupsIn, isChanged, losesPassword, refusedField, sameTarget, sourceBody,
  sourceDraftOf, sourceFaults, withProfile,
} from '../../static/src/admin/camera-draft.js';
import { allTexts } from '../../static/src/i18n.js';

/** @type {any} */
const CAMERA = {
  id: 'c1', name: '澄溪河大桥', gb_id: '64029900001320000001', lon: 106.91, lat: 37.23, network: 'bureau', site_type: 'bridge',
  azimuth: 358, fov: 60, height_m: 6, tilt: -10, range_m: null, ptz: true, grid: '640299100004003', area: '640299100004',
  station: '汀口派出所', tour_groups: ['汛期', '桥'], source: 'rtsp', enabled: true, status: 'live', fault: null, version: 3,
};
/** @type {any} */
const KEPT = {
  protocol: 'rtsp', host: '10.0.0.7', port: 0, path: 'ch1', username: 'viewer', transport: 'tcp', device_id: null,
  channel_id: null, control_port: 0, control_profile: null, has_password: true,
};

test('a camera goes into the form and comes out as it was', () => {
  const draft = draftOf(CAMERA, KEPT);
  const { name, gb_id, lon, lat, network, site_type, azimuth, fov, height_m, tilt, range_m, ptz, area, station, tour_groups } = CAMERA;
  assert.deepEqual(cameraBody(draft), { name, gb_id, lon, lat, network, site_type, azimuth, fov, height_m, tilt, range_m, ptz, area, station, tour_groups });
  assert.deepEqual(draftFaults(draft, KEPT), {});
  assert.equal(isChanged(draft, draftOf(CAMERA, KEPT)), false);
  assert.deepEqual(changesOf(draft, draftOf(CAMERA, KEPT)), {});
});

test('only what was changed is sent', () => {
  const before = draftOf(CAMERA, KEPT);
  assert.deepEqual(changesOf({ ...before, lon: '106.92', tour_groups: '汛期' }, before), { lon: 106.92, tour_groups: ['汛期'] });
  assert.deepEqual(changesOf({ ...before, gb_id: '' }, before), { gb_id: null });
  const moved = { ...before, source: { ...before.source, path: '/ch2' } };
  assert.deepEqual(changesOf(moved, before), { source: { protocol: 'rtsp', host: '10.0.0.7', port: 0, path: 'ch2', username: 'viewer', transport: 'tcp', control_port: 0, control_profile: null } });
  assert.deepEqual(changesOf({ ...before, source: sourceDraftOf(null) }, before), { source: null });
});

test('each field says what it takes', () => {
  const good = draftOf(CAMERA, KEPT);
  /** @type {[object, string][]} */
  const bad = [
    [{ name: ' ' }, 'name'], [{ name: '长'.repeat(81) }, 'name'], [{ gb_id: '123' }, 'gb_id'], [{ gb_id: '6402990000132000000１' }, 'gb_id'],
    [{ lon: '' }, 'lon'], [{ lon: '181' }, 'lon'], [{ lat: '北纬 37' }, 'lat'], [{ lat: 'NaN' }, 'lat'], [{ lat: '1e1' }, 'lat'],
    [{ azimuth: '361' }, 'azimuth'], [{ fov: '-1' }, 'fov'], [{ tilt: '91' }, 'tilt'], [{ range_m: '50001' }, 'range_m'],
    [{ height_m: 'x' }, 'height_m'], [{ tour_groups: Array.from({ length: 21 }, (_, n) => `g${n}`).join('，') }, 'tour_groups'],
    [{ site_type: '长'.repeat(41) }, 'site_type'], [{ station: '长'.repeat(61) }, 'station'],
  ];
  for (const [patch, field] of bad) assert.deepEqual(Object.keys(draftFaults({ ...good, ...patch }, KEPT)), [field], JSON.stringify(patch));
  assert.equal(cameraBody({ ...good, azimuth: '360' }).azimuth, 0);
});

test('a source is structured: no address in the host, no password in the path, a port that exists', () => {
  const good = sourceDraftOf(KEPT);
  /** @type {[object, string][]} */
  const bad = [
    [{ host: '' }, 'host'], [{ host: 'rtsp://10.0.0.7' }, 'host'], [{ host: '10.0.0.7/ch1' }, 'host'], [{ host: 'a b' }, 'host'],
    [{ port: '0' }, 'port'], [{ port: '65536' }, 'port'], [{ port: '5e2' }, 'port'], [{ path: 'a b' }, 'path'],
    [{ path: 'live?password=secret' }, 'path'], [{ control_port: 'x' }, 'control_port'],
  ];
  for (const [patch, field] of bad) {
    const faults = sourceFaults({ ...good, password: 'p', ...patch }, KEPT);
    assert.deepEqual(Object.keys(faults), [`source.${field}`], JSON.stringify(patch));
  }
  for (const host of ['10.0.0.7', 'nvr-2.example', '2001:db8::7', '[2001:db8::7]']) assert.deepEqual(sourceFaults({ ...good, host, password: 'p' }, KEPT), {}, host);
  assert.deepEqual(Object.keys(sourceFaults({ ...sourceDraftOf(null), protocol: 'gb28181' }, null)).sort(), ['source.channel_id', 'source.device_id']);
  assert.deepEqual(Object.keys(sourceFaults({ ...sourceDraftOf(null), protocol: 'file' }, null)), ['source.path']);
  assert.deepEqual(sourceFaults(sourceDraftOf(null), null), {});
});

test('a kept password goes along only to the same target', () => {
  const same = sourceDraftOf(KEPT);
  assert.ok(sameTarget(same, KEPT));
  assert.ok(sameTarget({ ...same, host: '10.0.0.7 ', port: '554', path: 'other' }, KEPT));
  for (const patch of [{ host: '10.0.0.8' }, { port: '8554' }, { username: 'other' }, { protocol: 'rtsps' }, { control_port: '80' }]) {
    const draft = { ...same, ...patch };
    assert.ok(losesPassword(draft, KEPT), JSON.stringify(patch));
    assert.equal(sourceFaults(draft, KEPT)['source.password'], 'admin.bad.password_again');
    assert.ok(!losesPassword({ ...draft, password: 'new' }, KEPT));
    assert.ok(!losesPassword({ ...draft, noPassword: true }, KEPT));
  }
  assert.ok(!losesPassword({ ...same, host: '10.0.0.8' }, { ...KEPT, has_password: false }));
});

test('a password is sent only when one was typed, an empty one only when it is to be forgotten', () => {
  const draft = sourceDraftOf(KEPT);
  assert.ok(!('password' in (sourceBody(draft) ?? {})));
  assert.equal(sourceBody({ ...draft, password: 'p' })?.password, 'p');
  assert.equal(sourceBody({ ...draft, noPassword: true })?.password, '');
  assert.equal(sourceBody(sourceDraftOf(null)), null);
  assert.deepEqual(sourceBody({ ...sourceDraftOf(null), protocol: 'file', path: 'a.mp4', host: 'x', password: 'p' }), { protocol: 'file', path: 'a.mp4' });
});

test('groups are separated by whatever people type', () => {
  assert.deepEqual(groupsIn('汛期，学校、 桥 ,汛期;;'), ['汛期', '学校', '桥']);
  assert.deepEqual(groupsIn(' '), []);
});

test('an ONVIF profile fills the source and says by what the camera is moved', () => {
  const asked = { host: '10.0.0.9', port: '8000', username: 'admin', password: 'p' };
  /** @type {any} */
  const profile = { token: 'p1', name: 'main', codec: 'h264', width: 1920, height: 1080, path: 'Streaming/101', port: 554 };
  const moved = withProfile(draftOf(null), asked, { manufacturer: 'X', model: 'Y', profiles: [profile], ptz: true }, profile);
  assert.deepEqual([moved.ptz, moved.source.control_port, moved.source.control_profile], [true, '8000', 'p1']);
  assert.deepEqual([moved.source.protocol, moved.source.host, moved.source.port, moved.source.path, moved.source.password], ['rtsp', '10.0.0.9', '554', 'Streaming/101', 'p']);
  const fixed = withProfile(draftOf(null), asked, { manufacturer: null, model: null, profiles: [], ptz: false }, profile);
  assert.deepEqual([fixed.ptz, fixed.source.control_port], [false, '']);
});

test('every refusal of the server has words', () => {
  const words = allTexts()['zh-CN'];
  for (const [field, detail, key] of [
    ['source.host', '10.9.9.9 is outside the allowed networks; see cameras.allowed_networks', 'admin.bad.host_not_allowed'],
    ['source.host', "no address for 'nvr.invalid'", 'admin.bad.host_unknown'],
    ['source.host', 'a host is letters', 'admin.bad.host'],
    ['source.protocol', 'protocol file is not allowed', 'admin.bad.protocol_not_allowed'],
    ['tour_groups.3', 'too long', 'admin.bad.tour_groups'],
    ['gb_id', 'pattern', 'admin.bad.gb_id'],
    ['whatever', '', 'admin.bad.other'],
  ])
    assert.equal(refusedField(field, detail), key);
  for (const field of ['name', 'lon', 'lat', 'azimuth', 'fov', 'height_m', 'tilt', 'range_m', 'site_type', 'station', 'area', 'grid', 'source.path', 'source.port', 'source.control_port', 'source.device_id', 'source.password', 'source.username'])
    assert.ok(refusedField(field, '') in words, field);
});
