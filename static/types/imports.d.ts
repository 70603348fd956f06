// What the administration page reads of files on their way in, and of the history of the district's files.

export type Severity = 'error' | 'warning' | 'note';
export type JobState = 'reading' | 'ready' | 'applying' | 'applied' | 'failed' | 'cancelled' | 'undone';
export type Repair = 'make_valid' | 'coverage';

/** In a word, or numbers and stretches with both ends; 'all' is everything or nothing. */
export type RowsSaid = 'good' | 'warned' | 'all' | (number | [number, number])[];

export interface Why { zh: string; en: string }

export interface Choices {
  kind: string;
  layer: string | null;
  encoding: string | null;
  crs: string | null;
  mapping: Record<string, string> | null;
  tier_labels: Record<string, number>;
  default_tier: number | null;
  repair: Repair[];
  snap_m: number;
  rows: RowsSaid;
  keep_columns: boolean;
  keep_private: string[];
  mode: 'replace' | 'merge';
}

export interface ImportColumn { name: string; sample: string[]; field: string; private: boolean; kept: boolean }
export interface CrsGuess { crs: string; score: number; why: Why }

export interface Draft {
  kind: string;
  format: string;
  layers: { name: string; rows: number | null; geometry: string }[];
  layer: string;
  columns: ImportColumn[];
  fields: string[];
  encoding: { used: string; guessed: boolean; candidates: { name: string; sample: string }[] };
  crs: { used: string; declared: string | null; guesses: CrsGuess[]; ambiguous: boolean };
  rows: number;
  taken: number;
  row_offset: number;
  counts: Record<string, number>;
  rows_by_worst: { good: number; warning: number; error: number };
  bounds: [number, number, number, number] | null;
  tiers: Record<string, number>;
  tier_labels: Record<string, number>;
  needs: string[];
  result: string;
  repaired: number;
  notes: Why[];
}

export interface Progress { share: number; stage: string; done: number; total: number }

export interface ImportJob {
  id: string;
  kind: string;
  filename: string;
  size: number;
  state: JobState;
  by_name: string;
  started_at: string;
  finished_at: string | null;
  choices: Choices;
  draft: Draft | null;
  progress: Progress | null;
  error: { error: string; detail: string; detail_zh: string | null } | null;
  revision: number | null;
  counts: Record<string, number>;
}

/** A kind that the account may bring in, and how much of it is in force. */
export interface KindRow {
  kind: string;
  now: number | null;
  tiers?: Record<string, number>;
  /** None for roads. */
  fields?: { name: string; header: string; required: boolean }[];
}

/** One line of `issues.csv`. */
export interface Issue {
  row: number;
  code: string;
  name: string;
  severity: Severity;
  issue: string;
  detail_zh: string;
  detail_en: string;
  lon: number | null;
  lat: number | null;
}

export interface PreviewFeature {
  type: 'Feature';
  properties: { row?: number; code?: string; name?: string; tier?: number | null; worst?: string; kind?: string; detail_zh?: string; detail_en?: string };
  geometry: { type: string; coordinates: any; geometries?: any } | null;
}

export interface RevisionRow {
  revision: number;
  at: string;
  by_name: string;
  what: string;
  note: string;
  counts: Record<string, number>;
  files: string[];
  undoes: number | null;
  undoable: boolean;
  why_not: string | null;
}
