import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { allTexts, setLanguage, t } from '../../static/src/i18n.js';
import { clock, distance, duration, timeOfDay } from '../../static/src/time.js';

const texts = allTexts();

test('English has every Chinese key and no other', () => {
  assert.deepEqual(Object.keys(texts.en).sort(), Object.keys(texts['zh-CN']).sort());
});

test('both languages use the same parameters', () => {
  const names = (/** @type {string} */ text) =>
    [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();
  for (const [key, text] of Object.entries(texts['zh-CN'])) assert.deepEqual(names(texts.en[key]), names(text), key);
});

test('no key is defined by two files', () => {
  const folder = new URL('../../static/src/i18n/', import.meta.url);
  for (const suffix of ['zh-CN.js', 'en.js']) {
    const seen = new Map();
    for (const name of readdirSync(folder).filter((file) => file.endsWith(suffix))) {
      for (const [, key] of readFileSync(new URL(name, folder), 'utf8').matchAll(/^\s*'([\w.]+)':/gm)) {
        assert.ok(!seen.has(key), `${key} in ${seen.get(key)} and ${name}`);
        seen.set(key, name);
      }
    }
  }
});

test('every literal key the pages ask for exists', () => {
  const folder = new URL('../../static/src/', import.meta.url);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))) {
    const source = readFileSync(new URL(name.replaceAll('\\', '/'), folder), 'utf8');
    for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) assert.ok(key in texts['zh-CN'], `${key} in ${name}`);
  }
});

test('t fills parameters, chooses plurals, and shows an unknown key', () => {
  setLanguage('en');
  assert.equal(t('time.days', { n: 1 }), '1 day');
  assert.equal(t('time.days', { n: 3 }), '3 days');
  assert.equal(t('no.such_key'), 'no.such_key');
  setLanguage('zh-CN');
  assert.equal(t('time.days', { n: 3 }), '3 天');
});

test('times and lengths in words', () => {
  setLanguage('zh-CN');
  assert.equal(clock(24), '0:24');
  assert.equal(clock(-495.7), '8:15');
  assert.equal(clock(3723), '1:02:03');
  assert.equal(duration(130, { fine: true }), '2 分 10 秒');
  assert.equal(duration(130), '2 分');
  assert.equal(duration(6720), '1 小时 52 分');
  assert.equal(duration(7200), '2 小时');
  assert.equal(distance(700), '700 米');
  assert.equal(distance(4200), '4.2 千米');
  assert.equal(distance(null), '–');
  assert.equal(timeOfDay('2026-11-22T03:07:42.123Z'), '11:07');
  assert.equal(timeOfDay('2026-11-22T16:00:00Z', { seconds: true }), '00:00:00');
  assert.equal(timeOfDay(null), '–');
});
