// What the editor of areas reads from the service.
export type Point = [number, number];
export interface Geometry { type: 'Polygon' | 'MultiPolygon'; coordinates: any }

/** An outline that can be taken hold of: the chosen area, or one along its border. */
export interface Piece {
  code: string;
  name: string;
  tier: number;
  parent: string | null;
  kind: 'area' | 'beat';
  editable: boolean;
  mergeable: boolean;
  geometry: Geometry;
}

export interface AreaDetail {
  code: string;
  name: string;
  tier: number;
  parent: string | null;
  label: string;
  chief: string | null;
  workers: string[];
  beat: string | null;
  households: number | null;
  kind: 'general' | 'dedicated';
  posts: number;
  valid_from: string | null;
  valid_to: string | null;
  /** What else its file said of it, by the names of the columns there. */
  extras: Record<string, string>;
  label_point: Point;
  geometry: Geometry;
}

export interface Editable {
  revision: number;
  area: AreaDetail;
  neighbours: Piece[];
  shared: { at: Point; areas: string[] }[];
  next_code: string;
  /** The day in the district. */
  today: string;
}

export type Step =
  | { op: 'move'; at: Point; to: Point }
  | { op: 'insert'; at: Point }
  | { op: 'delete'; at: Point }
  | { op: 'split'; code: string; line: Point[]; new_code: string; new_name: string }
  | { op: 'merge'; keep: string; gone: string }
  | { op: 'set'; code: string; fields: Record<string, unknown> };

export interface AreaVersion extends Omit<AreaDetail, 'label_point'> { area_km2: number }

export interface Outcome {
  revision: number | null;
  dry_run: boolean;
  changes: { code: string; fields: string[]; same_ground: boolean; before: AreaVersion | null; after: AreaVersion | null }[];
  beats: string[];
  gone: Record<string, string[]>;
}

export interface AreaHistory {
  code: string;
  today: string;
  versions: AreaVersion[];
  changes: {
    revision: number;
    at: string;
    by_name: string;
    what: string;
    note: string;
    fields: string[];
    before: AreaVersion | null;
    after: AreaVersion | null;
  }[];
}

export interface PostPerson {
  responder_id: string;
  name: string;
  kind: string;
  employment: 'full_time' | 'part_time';
  grids: string[];
  area: string | null;
}

export interface GridStaff {
  code: string;
  posts: number;
  filled: number;
  missing: number;
  headless: boolean;
  chief: string | null;
  chiefs: PostPerson[];
  workers: PostPerson[];
  stand_ins: PostPerson[];
}

export interface Vacancy { grid: string; name: string; post: 'grid_worker' | 'grid_chief'; missing: number; stand_ins: PostPerson[] }

/** A row of the tree. */
export interface TreeRow { code: string; name: string; tier: number; parent: string | null; label: string; label_point: Point; kind: string; posts: number }
