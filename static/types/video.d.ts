// What the pages /video and /admin read besides the board: faults, clips, recordings, the viewing log, the registry.

import type { Camera } from './wire.d.ts';

/** An area as the tree needs it. */
export interface AreaRow { code: string; name: string; tier: number; parent: string | null }

export interface FaultItem {
  camera: Camera;
  /** Null while the last checks failed but not often enough for a verdict. */
  fault: string | null;
  since: string | null;
  light: string | null;
  measures: Record<string, number | string | null> | null;
  has_reference: boolean;
  checked_at?: string | null;
}

export interface ClipFile { part: number; size: number; sha256: string; width: number; height: number }

export interface Clip {
  id: string;
  camera_id: string;
  camera_name: string;
  incident_id: string | null;
  state: 'recording' | 'ready' | 'failed';
  reason: string | null;
  note: string;
  created_by_name: string;
  created_at: string;
  /** Of the first picture; null before it is ready. */
  started_at: string | null;
  ended_at: string | null;
  duration_s: number;
  size: number;
  /** A camera that changed its picture's size begins another file. */
  files: ClipFile[];
}

export interface Recording { start: string; end: string; name: string | null; size: number | null }

export interface Viewing {
  id: string;
  user_id: string;
  user_name: string;
  role: string;
  camera_id: string;
  camera_name: string | null;
  kind: string;
  purpose: string | null;
  incident_id: string | null;
  started_at: string;
  /** Null: it goes on. */
  ended_at: string | null;
  /** The service ended before the viewer did. */
  cut: boolean;
}

export interface SourceFields {
  protocol: string;
  host?: string;
  port?: number;
  path?: string;
  username?: string | null;
  password?: string;
  transport?: string;
  device_id?: string | null;
  channel_id?: string | null;
  control_port?: number;
  control_profile?: string | null;
  has_password?: boolean;
  /** False: it was sealed with a key that is gone. */
  password_readable?: boolean;
}

export interface Probe {
  ok: boolean;
  codec: string | null;
  width: number | null;
  height: number | null;
  audio?: string | null;
  reason: string | null;
  detail: string | null;
}

export interface OnvifProfile {
  token: string;
  name: string;
  codec: string | null;
  width: number | null;
  height: number | null;
  path: string | null;
  port: number | null;
}

export interface OnvifAnswer {
  manufacturer: string | null;
  model: string | null;
  profiles: OnvifProfile[];
  ptz: boolean;
}

export interface GbDeviceRow {
  device_id: string;
  name: string;
  has_password: boolean;
  updated_at: string;
  online: boolean;
  reason: string | null;
  address: string | null;
  manufacturer: string | null;
  model: string | null;
}
