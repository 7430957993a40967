// Every word exists in every language, every key that is used exists, and every key that exists is used.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from '@formatjs/icu-messageformat-parser';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('..', import.meta.url));

function read(locale: string): Map<string, string> {
  const folder = join(SRC, 'messages', locale);
  const all = readdirSync(folder).flatMap((file) => {
    const words = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, string>;
    return Object.entries(words).map(([key, text]) => [`${file.replace('.json', '')}.${key}`, text] as const);
  });
  return new Map(all);
}

const en = read('en');
const zh = read('zh-CN');

function sources(): string[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /\.(ts|svelte)$/.test(file) && !file.endsWith('.test.ts') && !file.endsWith('schema.ts'))
    .map((file) => readFileSync(join(SRC, file), 'utf8'));
}

/** Keys that are written out, and the beginnings of those that are put together. */
function used(): { keys: Set<string>; beginnings: Set<string> } {
  const keys = new Set<string>();
  const beginnings = new Set<string>();
  for (const text of sources()) {
    for (const [, key] of text.matchAll(/['"`]([a-z]+\.[a-z0-9_]+)['"`]/g)) if (key) keys.add(key);
    for (const [, beginning] of text.matchAll(/`([a-z]+\.[a-z0-9_]*)\$\{/g)) if (beginning) beginnings.add(beginning);
  }
  return { keys, beginnings };
}

/** The names of the values that a message takes, with how each is shown. */
function values(text: string): string[] {
  const names = new Set<string>();
  const walk = (parts: ReturnType<typeof parse>) => {
    for (const part of parts) {
      if ('value' in part && part.type !== 0) names.add(String(part.value));
      if ('options' in part) for (const option of Object.values(part.options)) walk(option.value);
    }
  };
  walk(parse(text, { ignoreTag: true }));
  return [...names].sort();
}

describe('messages', () => {
  it('stand in both languages', () => {
    expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it('take the same values in both languages', () => {
    const differing = [...en].filter(([key, text]) => JSON.stringify(values(text)) !== JSON.stringify(values(zh.get(key) ?? '')));
    expect(differing).toEqual([]);
  });

  it('exist where they are used', () => {
    const called = sources().flatMap((text) => [...text.matchAll(/\bt\(\s*['"`]([a-z]+\.[a-z0-9_]+)['"`]/g)].map(([, key]) => key ?? ''));
    expect([...new Set(called)].filter((key) => !en.has(key))).toEqual([]);
  });

  it('are used where they exist', () => {
    const { keys, beginnings } = used();
    const unused = [...en.keys()].filter((key) => !keys.has(key) && ![...beginnings].some((beginning) => key.startsWith(beginning)));
    expect(unused).toEqual([]);
  });
});
