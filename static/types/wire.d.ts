// Shapes on the wire, as the server sends them (feed frames and HTTP answers). Times are RFC 3339 UTC strings.

export type Level = 'I' | 'II' | 'III' | 'IV' | 'none';
export type Stage = 'accept' | 'sign' | 'arrive' | 'handle';

export type IncidentState =
  | 'reported' | 'accepted' | 'rejected' | 'merged' | 'dispatched' | 'handling' | 'suspended' | 'handled'
  | 'closed' | 'evaluated' | 'revisited' | 'archived' | 'cancelled';

export interface Attachment { id: string; name: string; content_type: string; size: number }

export interface Incident {
  id: string;
  code: string;
  trace_code: string;
  title: string;
  description: string;
  category: string;
  level: Level;
  source: string;
  lon: number;
  lat: number;
  address: string | null;
  grid: string | null;
  village: string | null;
  township: string | null;
  beat: string | null;
  owner: string | null;
  lead_department: string | null;
  reporter_contact: string | null;
  state: IncidentState;
  claimed_by: string | null;
  claimed_name: string | null;
  claimed_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  reported_by: string | null;
  reported_by_name: string | null;
  reported_at: string;
  occurred_at: string | null;
  accepted_at: string | null;
  dispatched_at: string | null;
  signed_at: string | null;
  arrived_at: string | null;
  handled_at: string | null;
  closed_at: string | null;
  due: Record<Stage, string | null>;
  limits_s: Record<Stage, number | null>;
  suspects: string[];
  parent_id: string | null;
  attention: null | 'unanswered' | 'declined' | 'no_candidate';
  assignments: string[];
  attachments: Attachment[];
  exercise: boolean;
  self_handled: boolean;
  rework: number;
  disposition: string | null;
  reason: string | null;
  suspended_until: string | null;
  version: number;
  updated_at: string;
}

export type AssignmentState =
  | 'proposed' | 'dispatched' | 'delivered' | 'signed' | 'en_route' | 'on_scene' | 'finished' | 'released'
  | 'declined' | 'timed_out' | 'reassigned' | 'recalled';

export interface Assignment {
  id: string;
  incident_id: string;
  responder_id: string;
  kind: string;
  lead: boolean;
  state: AssignmentState;
  by: string;
  by_name: string;
  reason: string | null;
  dispatched_at: string | null;
  delivered_at: string | null;
  signed_at: string | null;
  en_route_at: string | null;
  on_scene_at: string | null;
  finished_at: string | null;
  ended_at: string | null;
  answer_due_at: string | null;
  arrival_proposed_at: string | null;
  arrival_due_at: string | null;
  feedback: string | null;
  eta_at_dispatch_s: number | null;
  eta_method: string | null;
  version: number;
  updated_at: string;
}

export interface Responder {
  id: string;
  unit: number;
  name: string;
  kind: string;
  employment: string;
  phone: string | null;
  station: string | null;
  grids: string[];
  beat: string | null;
  area: string | null;
  skills: string[];
  profile: string;
  device_id: string | null;
  on_duty: boolean;
  shift_since: string | null;
  shift_until: string | null;
  assignment_id: string | null;
  version: number;
  updated_at: string;
}

export type CameraStatus = 'unknown' | 'live' | 'degraded' | 'stale' | 'offline' | 'disabled';
export type CameraFault =
  | 'signal_lost' | 'unauthorized' | 'black' | 'no_signal' | 'frozen' | 'blurred' | 'covered' | 'colour_cast' | 'noise'
  | 'moved';

export interface Camera {
  id: string;
  name: string;
  gb_id: string | null;
  lon: number;
  lat: number;
  network: string;
  site_type: string | null;
  azimuth: number | null;
  fov: number | null;
  height_m: number | null;
  tilt: number | null;
  range_m: number | null;
  ptz: boolean;
  grid: string | null;
  area: string | null;
  station: string | null;
  tour_groups: string[];
  /** The protocol its media comes by; null: it has no source, it is a point on the map. */
  source: string | null;
  enabled: boolean;
  status: CameraStatus;
  fault: CameraFault | null;
  fault_since: string | null;
  version: number;
}

export type Split = 1 | 4 | 9 | 16;

export interface Tour {
  id: string;
  name: string;
  group: string | null;
  camera_ids: string[];
  dwell_s: number;
  split: Split;
  /** "HH:MM", local time of the district; null with `to`: all day. A window may pass midnight. */
  from: string | null;
  to: string | null;
  enabled: boolean;
  updated_by: string | null;
  updated_at: string | null;
  version: number;
}

export interface Layout {
  id: string;
  name: string;
  split: Split;
  /** As many as `split`; null: an empty tile. */
  cells: (string | null)[];
  updated_by: string | null;
  updated_at: string | null;
  version: number;
}

export interface Alarm {
  id: string;
  camera_id: string | null;
  device_id: string | null;
  kind: string;
  at: string;
  state: 'open' | 'accepted' | 'dismissed';
  incident_id: string | null;
  lon: number | null;
  lat: number | null;
  text: string;
  count: number;
  last_at: string | null;
  decided_by: string | null;
  decided_at: string | null;
  reason: string | null;
  version: number;
}

export interface Receipt { delivered_at: string | null; read_at: string | null }

export interface Message {
  id: string;
  to: string[];
  incident_id: string | null;
  body: string;
  from_user: string | null;
  from_name: string | null;
  sent_at: string;
  receipts: Record<string, Receipt>;
  reply_to: string | null;
  from_responder: string | null;
  version: number;
}

export interface Board {
  incidents: Record<string, Incident>;
  assignments: Record<string, Assignment>;
  responders: Record<string, Responder>;
  cameras: Record<string, Camera>;
  messages: Record<string, Message>;
  tours: Record<string, Tour>;
  layouts: Record<string, Layout>;
  alarms: Record<string, Alarm>;
  geography: Record<string, Geography>;
  closures: Record<string, Closure>;
}

/** Which revision of the district is in force; its id is always "district". */
export interface Geography {
  id: string;
  revision: number;
  changed: string[];
  at: string;
  by: string;
  version: number;
}

/** Roads closed for a while. Coordinates lon, lat; a polygon is its outer ring. */
export interface Closure {
  id: string;
  reason: string;
  kind: 'point' | 'line' | 'polygon';
  coordinates: [number, number][];
  direction: 'both' | 'along' | 'against';
  profiles: string[];
  starts_at: string;
  ends_at: string | null;
  state: 'planned' | 'in_force' | 'ended';
  place: string | null;
  roads: string[];
  length_m: number;
  areas: string[];
  drawn_by: string;
  drawn_by_name: string;
  drawn_at: string;
  started_at: string | null;
  ended_at: string | null;
  ended_by: string | null;
  ended_by_name: string | null;
  end_reason: string | null;
  updated_by: string;
  updated_at: string;
  version: number;
}

export interface EventFrame {
  frame: 'event';
  epoch: string;
  seq: number;
  prev: number;
  at: string;
  type: string;
  data: {
    changes: Record<string, Record<string, unknown>>;
    note?: string | null;
    actor?: { id: string; name: string };
    [fact: string]: unknown;
  };
}

export interface PresenceUser {
  user_id: string;
  name: string;
  role: string;
  page: string;
  desk: number | null;
  responder_id: string | null;
  viewing: { kind: string; id: string } | null;
  since: string;
}

export interface EtaItem {
  assignment_id: string;
  eta_s: number | null;
  distance_m: number | null;
  eta_method: 'road' | 'straight_line';
  as_of: string;
}

export interface User {
  id: string;
  username: string;
  name: string;
  role: string;
  area: string | null;
  responder_id: string | null;
  permissions: string[];
}

export interface District {
  name: string;
  center: [number, number];
  bounds: [number, number, number, number];
  code: string;
  prefix: string;
  duty_phone?: string | null;
}

export interface Session { user: User; district: District; server_time: string }

export interface RouteStep {
  text: string;
  maneuver: string;
  road: string | null;
  /** Of a roundabout, from 1; 0 elsewhere. */
  exit?: number;
  distance_m: number;
  duration_s: number;
  lon: number;
  lat: number;
}

export interface Route {
  coordinates: [number, number][];
  distance_m: number;
  duration_s: number;
  eta_method: 'road' | 'straight_line';
  steps: RouteStep[];
}

export interface Rate { n: number; d: number }

export interface WallSummary {
  server_time: string;
  today: {
    reported: number;
    accepted: number;
    closed: number;
    closed_of_accepted: Rate;
    on_time: Rate;
    overdue: number;
    by_state: Record<string, number>;
    hours: number[];
    [more: string]: unknown;
  };
  on_duty: { by_kind: Record<string, { on: number; online: number; total: number }> };
  staffing: {
    grids: number;
    vacant: number;
    by_township: { code: string; name: string; staffed: number; grids: number }[];
  };
  cameras: {
    online: number;
    unknown?: number;
    total: number;
    /** Registered and not switched off by hand. */
    enabled?: number;
    /** 在线率: a picture comes, of those not switched off. */
    camera_online?: Rate;
    /** 完好率: live without a fault, of all. */
    camera_intact?: Rate;
    by_status?: Partial<Record<CameraStatus, number>>;
    faults?: Partial<Record<CameraFault, number>>;
  };
  response: Partial<Record<Stage, Record<string, ResponseTime>>>;
  villages: { code: string; name: string; n: number; d: number }[];
  [more: string]: unknown;
}

export interface ResponseTime { median_s: number | null; n: number; limit_s: number | null }

/** A customer's basemap, as `GET /basemap/sources` tells of it. */
export interface BaseSource {
  slot: 'custom' | 'imagery';
  version: string;
  name: string;
  attribution: string;
  crs: 'WGS-84' | 'GCJ-02';
  content: 'vector' | 'raster';
  schema: 'own' | 'openmaptiles' | 'other' | null;
  layers: string[];
  side_px: number;
  min_zoom: number;
  max_zoom: number;
  bounds: [number, number, number, number] | null;
  preferred: boolean;
  health: { state: 'ok' | 'stale' | 'unreachable'; detail: string; ok_at: string | null; since: string | null; oldest_s: number | null; why?: string; status?: number | null };
  /** Where its tiles are, while it is on trial. */
  tiles?: string;
  /** Where it comes from; only for those who keep it. */
  origin?: string;
  /** Bytes of its archive; only for those who keep it. */
  size?: number | null;
}
