import type { BaseSource } from './wire.d.ts';

/** What one tile in the middle of the district came to. */
export interface Look { z: number; x: number; y: number; outcome: string; status: number | null; bytes: number; ms: number }

export interface Fault { why: string; status: number | null; field: string; detail: string }

/** What is said of a basemap. */
export interface Wish {
  slot: BaseSource['slot'];
  name: string;
  attribution: string;
  crs: BaseSource['crs'];
  min_zoom: number | null;
  max_zoom: number | null;
  preferred: boolean;
}

export interface Trial {
  id: string;
  at: string;
  by_name: string;
  filename: string | null;
  size: number;
  wish: Wish;
  source: BaseSource | null;
  fault: Fault | null;
  looks: Look[];
  mine?: boolean;
}

/** One basemap took the place of another. */
export interface Turn {
  revision: number;
  at: string;
  by_name: string;
  slot: BaseSource['slot'];
  before: BaseSource | null;
  after: BaseSource | null;
  kept: boolean;
}

/** Our own basemap. */
export interface Ours { size: number; at: string; min_zoom: number; max_zoom: number }
