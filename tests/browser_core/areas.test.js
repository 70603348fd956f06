import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allTexts } from '../../static/src/i18n.js';
import {
  contains, deleteAt, Draft, handlesOf, insertAt, moveAt, partsOf, shareBorder, snapTo, squareKm, withOutcome,
} from '../../static/src/admin/areas/mesh.js';

/** @import {Geometry, Piece, Point} from '../../static/types/areas.d.ts' */

/** @param {number} w @param {number} s @param {number} e @param {number} n @returns {Geometry} */
const box = (w, s, e, n) => ({ type: 'Polygon', coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]] });

/** @param {string} code @param {Geometry} geometry @param {number} [tier] @returns {[string, Piece]} */
const piece = (code, geometry, tier = 4) => [code, { code, name: code, tier, parent: 'V', kind: 'area', editable: true, mergeable: true, geometry }];

/** Two grids side by side in a village that has no vertex where they meet. */
const town = () => new Map([piece('a', box(0, 0, 1, 1)), piece('b', box(1, 0, 2, 1)), piece('V', box(0, 0, 2, 1), 3)]);

/** @param {ReadonlyMap<string, Piece>} pieces @param {string} key */
const corners = (pieces, key) => partsOf(/** @type {Piece} */ (pieces.get(key)).geometry).flat(2);
/** @param {ReadonlyMap<string, Piece>} pieces */
const sum = (pieces) => squareKm(/** @type {Piece} */ (pieces.get('a')).geometry) + squareKm(/** @type {Piece} */ (pieces.get('b')).geometry);

test('a shared vertex moves in all outlines, also in one that merely passes there', () => {
  const before = town();
  const after = moveAt(before, [1, 1], [1.2, 1.1]);
  for (const key of ['a', 'b', 'V']) assert.ok(corners(after, key).some(([x, y]) => x === 1.2 && y === 1.1), key);
  assert.equal(corners(after, 'V').length, 5);
  assert.equal(corners(before, 'a').length, 4); // nothing is changed in place
  assert.ok(Math.abs(sum(after) - squareKm(/** @type {Piece} */ (after.get('V')).geometry)) < 1);
});

test('outlines that are a rounding apart are one', () => {
  const pieces = new Map([piece('a', box(0, 0, 1, 1)), piece('b', box(1 + 5e-8, 0, 2, 1))]);
  const after = moveAt(pieces, [1, 0], [1, 0.2]);
  assert.ok(corners(after, 'b').some(([x, y]) => x === 1 && y === 0.2));
});

test('a vertex is put in on both sides and taken out again', () => {
  const inserted = insertAt(town(), [1, 0.5]);
  assert.deepEqual(['a', 'b', 'V'].map((key) => corners(inserted, key).length), [5, 5, 4]);
  const { pieces, reason } = deleteAt(inserted, [1, 0.5]);
  assert.equal(reason, '');
  assert.deepEqual(['a', 'b', 'V'].map((key) => corners(/** @type {any} */ (pieces), key).length), [4, 4, 4]);
});

test('what cannot be taken out says why', () => {
  assert.equal(deleteAt(town(), [1, 1]).reason, 'junction');
  assert.equal(deleteAt(town(), [0.5, 0.5]).reason, 'not_on_border');
  /** @type {Geometry} */
  const triangle = { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [0, 1], [0, 0]]] };
  assert.equal(deleteAt(new Map([piece('t', triangle)]), [0, 0]).reason, 'too_few_vertices');
});

test('whatever is moved, what one gains the other loses', () => {
  let pieces = town();
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let n = 0; n < 40; n += 1) {
    const line = corners(pieces, 'a').filter(([x, y]) => x > 0.3 && y > 0 && y < 1);
    if (!line.length || random() < 0.4) pieces = /** @type {any} */ (insertAt(pieces, [1, 0.5]));
    else {
      const at = line[Math.floor(random() * line.length)];
      pieces = /** @type {any} */ (moveAt(pieces, at, [at[0] + (random() - 0.5) * 0.1, Math.min(0.9, Math.max(0.1, at[1] + (random() - 0.5) * 0.05))]));
    }
    assert.ok(Math.abs(sum(pieces) - sum(town())) < 1e-3 * sum(town()));
  }
});

test('handles tell which vertices are shared, and where one can be put in', () => {
  const { vertices, middles } = handlesOf(town(), 'a');
  assert.deepEqual(vertices.filter((one) => one.shared).map((one) => one.at), [[0, 0], [1, 0], [1, 1], [0, 1]]);
  assert.deepEqual(middles[1], [1, 0.5]);
  const apart = new Map([piece('a', box(0, 0, 1, 1)), piece('far', box(5, 5, 6, 6))]);
  assert.equal(handlesOf(apart, 'a').vertices.filter((one) => one.shared).length, 0);
  assert.deepEqual(handlesOf(apart, 'gone'), { vertices: [], middles: [] });
});

test('a line begins on the border: a corner before an edge', () => {
  assert.deepEqual(snapTo(box(0, 0, 1, 1), [0.03, 0.02], 0.05), [0, 0]);
  assert.deepEqual(snapTo(box(0, 0, 1, 1), [0.5, 0.02], 0.05), [0.5, 0]);
  assert.equal(snapTo(box(0, 0, 1, 1), [0.5, 0.5], 0.05), null);
});

test('a corner in common is no border', () => {
  assert.ok(shareBorder(box(0, 0, 1, 1), box(1, 0, 2, 1)));
  assert.ok(!shareBorder(box(0, 0, 1, 1), box(1, 1, 2, 2)));
});

test('inside, outside, and in a hole', () => {
  /** @type {Geometry} */
  const ring = { type: 'Polygon', coordinates: [box(0, 0, 3, 3).coordinates[0], box(1, 1, 2, 2).coordinates[0]] };
  assert.ok(contains(ring, [0.5, 0.5]));
  assert.ok(!contains(ring, [1.5, 1.5]));
  assert.ok(!contains(ring, [4, 1]));
  assert.ok(Math.abs(squareKm(ring) / squareKm(box(0, 0, 3, 3)) - 8 / 9) < 1e-3);
});

test('what was done is undone, done again, and forgotten when something else is done', () => {
  const draft = new Draft(town());
  assert.equal(draft.canUndo, false);
  draft.push(moveAt(draft.pieces, [1, 1], [1.1, 1]), { op: 'move', at: [1, 1], to: [1.1, 1] });
  draft.push(insertAt(draft.pieces, [0, 0.5]), { op: 'insert', at: [0, 0.5] });
  assert.deepEqual(draft.changed, ['a', 'b', 'V']);
  draft.undo();
  assert.deepEqual(draft.steps.map((step) => step.op), ['move']);
  assert.ok(draft.canRedo);
  draft.redo();
  assert.equal(draft.steps.length, 2);
  draft.undo();
  draft.undo();
  assert.deepEqual(draft.changed, []);
  draft.undo();
  draft.push(insertAt(draft.pieces, [0, 0.5]), { op: 'insert', at: [0, 0.5] });
  assert.equal(draft.canRedo, false);
});

test('an outcome brings exact outlines, new ones, and takes away those that are gone', () => {
  /** @type {any} */
  const outcome = { changes: [
    { code: 'a', fields: ['geometry'], before: {}, after: { name: 'a', tier: 4, parent: 'V', geometry: box(0, 0, 2, 1) } },
    { code: 'b', fields: [], before: {}, after: null },
    { code: 'n', fields: [], before: null, after: { name: 'new', tier: 4, parent: 'V', geometry: box(0, 0, 0.5, 1) } },
  ] };
  const after = withOutcome(town(), outcome);
  assert.deepEqual([...after.keys()], ['a', 'V', 'n']);
  assert.equal(corners(after, 'a')[1][0], 2);
  assert.equal(after.get('n')?.name, 'new');
});

test('every reason and field has words in both languages', () => {
  const reasons = ['not_on_border', 'too_few_vertices', 'junction', 'invalid', 'overlap', 'gap', 'outside_parent', 'not_split', 'too_many_parts', 'not_neighbours', 'other_parent', 'unknown', 'not_finite', 'code_taken', 'has_children', 'nothing_left', 'bad_period', 'unknown_field'];
  const fields = ['name', 'label', 'chief', 'workers', 'beat', 'households', 'kind', 'posts', 'valid_from', 'valid_to', 'parent', 'geometry'];
  const texts = allTexts();
  for (const key of [...reasons.map((one) => `areas.reason.${one}`), ...fields.map((one) => `areas.field.${one}`)]) {
    assert.ok(texts['zh-CN'][key] && texts.en[key], key);
  }
});
