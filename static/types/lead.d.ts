// What the page /lead reads: how areas are covered, what opens up, where one more helps.

export type Method = 'road' | 'straight_line';

export interface AreaCover {
  code: string;
  name: string;
  /** 1 county … 4 grid. */
  tier: number;
  parent: string | null;
  label: string;
  label_point: [number, number];
  grids: number;
  staffed: number;
  on_duty: number;
  road_m: number;
  /** Minutes → share of the road, null without road. */
  reach: Record<string, number | null>;
  /** Minutes → grids with at least half of their road within that time. */
  reached: Record<string, number>;
  measured: number;
  unreached: number | null;
  median_s: number | null;
  p90_s: number | null;
  area_m2: number;
  seen: number | null;
  watched: number;
  /** Whether buildings stand in the cameras' way in all grids, in some, or in none that is known. */
  seen_basis: 'occluded' | 'mixed' | 'theoretical';
  /** Of grids only. */
  workers?: { responder_id: string; name: string; on_duty: boolean }[];
}

export interface Outlines {
  type: 'FeatureCollection';
  features: { geometry: { type: 'Polygon' | 'MultiPolygon'; coordinates: any }; properties: any }[];
}

export interface Cover {
  as_of: string;
  minutes: number;
  method: Method;
  horizon_s: number;
  responders: { counted: number; excluded: { reason: string; count: number }[] };
  cameras: { total: number; working: number; undirected: number; unchecked: number };
  /** Shares the centre has set itself, for the minutes asked. */
  targets: Record<'staffed' | 'duty' | 'reach' | 'seen', number | null>;
  items: AreaCover[];
  gaps: Outlines;
}

export interface Post {
  lon: number;
  lat: number;
  address: string | null;
  gain_m: number;
  grids: { code: string; name: string; gain_m: number }[];
}

/** Where more would help most: a quick answer that the best one replaces. */
export interface Siting {
  id: string;
  what: 'responder' | 'camera';
  minutes: number;
  posts: number;
  as_of: string;
  method: Method;
  state: 'running' | 'done' | 'cancelled' | 'failed';
  proven: boolean;
  items: Post[];
  gain_m: number;
  greedy_m: number;
  bound_m: number | null;
  gap: number | null;
  took_s: number | null;
}

export interface Without {
  responder_id: string;
  name: string;
  minutes: number;
  counted: boolean;
  lost_m: number;
  items: { code: string; name: string; tier: number; lost_m: number }[];
  opened: Outlines;
}

/** Somebody on duty, with a position where the asker may see it. */
export interface Person { id: string; name: string; kind: string; assignment_id: string | null; lon?: number; lat?: number; fix_age_s?: number; suspect?: boolean }

/** An area as it was covered at one hour. */
export interface HourRow {
  hour: string;
  at: string;
  method: Method;
  responders: number;
  grids: number;
  staffed: number;
  on_duty: number;
  measured: number;
  reached: Record<string, number>;
  reach: Record<string, number | null>;
  median_s: number | null;
  p90_s: number | null;
  seen: number | null;
  watched: number;
}

export interface History { area: string | null; since: string | null; items: HourRow[] }

export type Period = 'day' | 'week' | 'month';
export interface Ratio { n: number; d: number }
export interface Indicator extends Ratio { code: string; before: Ratio | null; target: number | null }

export interface ResponseRow {
  level: string;
  step: 'sign' | 'arrive';
  n: number;
  waiting: number;
  late: number;
  p50_s: number | null;
  p75_s: number | null;
  p90_s: number | null;
  limit_s: number;
  before_p50_s: number | null;
  before_n: number;
}

export interface Indicators {
  server_time: string;
  area: string | null;
  period: Period;
  from: string;
  before: { from: string; to: string };
  /** When the first incident ever was reported. */
  since: string | null;
  reported: { n: number; before: number };
  items: Indicator[];
  present: Indicator[];
  response: ResponseRow[];
  below: { code: string; name: string; reported: number; completion_rate: Ratio; on_time_rate: Ratio; arrivals: number; arrive_p50_s: number | null; arrive_p90_s: number | null }[];
  trend: { at: string; reported: number; completion_rate: Ratio; on_time_rate: Ratio }[];
}

export interface Followed {
  id: string;
  code: string;
  title: string;
  level: string;
  state: string;
  address: string | null;
  township: string | null;
  village: string | null;
  grid: string | null;
  supervision: 'normal' | 'yellow' | 'red' | null;
  escalation_tier: number | null;
  due_at: string | null;
  overdue: boolean;
  closed_at: string | null;
  rework: number;
  said: { at: string; what: 'supervised' | 'escalated'; by: string; text: string | null; grade: string | null }[];
  updated_at: string | null;
  updated_by: string | null;
}

/** One incident as it went, with the ways of those sent there. */
export interface Replay {
  incident: { id: string; code: string; title: string; level: string; state: string; address: string | null; lon: number; lat: number; reported_at: string };
  start: string;
  end: string;
  over: boolean;
  events: { at: string; type: string; by: string | null; note: string | null; unit: string | null }[];
  units: {
    responder_id: string;
    name: string;
    kind: string;
    assignment_id: string;
    state: string;
    from: string;
    to: string;
    /** Seconds since the start, lon, lat. */
    points: [number, number, number][];
  }[];
}
