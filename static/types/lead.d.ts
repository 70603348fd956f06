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
  cameras: { total: number; working: number; undirected: number };
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
