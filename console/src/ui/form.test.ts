import { expect, test } from 'vitest';

import { Problem } from '$/api/problem';

import { fieldErrors } from './form.svelte';

const problem = (detail: string) => new Problem('request/invalid', 422, 'invalid', detail, '', '');

test('what names a field stands beside it', () => {
  expect(fieldErrors(problem('the body: name: must begin with a letter'), ['name'])).toEqual({ form: '', fields: { name: 'must begin with a letter' } });
  expect(fieldErrors(problem('name: is taken'), ['name']).fields).toEqual({ name: 'is taken' });
});

test('a place within a field belongs to the field', () => {
  expect(fieldErrors(problem('the body: addresses[2].cidr: 10.0.0.1/8 has bits set'), ['addresses']).fields).toEqual({ addresses: '10.0.0.1/8 has bits set' });
  expect(fieldErrors(problem('the body: owner.kind: unknown'), ['owner']).fields).toEqual({ owner: 'unknown' });
});

test('a field that is missing is named', () => {
  expect(fieldErrors(problem('the body: missing field `node` at line 1 column 2'), ['node']).fields).toEqual({ node: 'missing field `node`' });
});

test('the place in what was sent is not told', () => {
  expect(fieldErrors(problem('the body: name: expected a string at line 1 column 9'), ['name']).fields).toEqual({ name: 'expected a string' });
  expect(fieldErrors(problem('the body: expected one line at line 1 column 10'), ['name']).form).toBe('expected one line');
});

test('what names no field of the form stands above it, whole', () => {
  expect(fieldErrors(problem('the body: secret: unknown'), ['name'])).toEqual({ form: 'secret: unknown', fields: {} });
  expect(fieldErrors(problem('the source edge-fw was changed meanwhile'), ['name']).form).toBe('the source edge-fw was changed meanwhile');
});

test('that something exists already is about its name', () => {
  const taken = new Problem('object/exists', 409, 'it exists already', 'the name web is taken', '', '');
  expect(fieldErrors(taken, ['name', 'node']).fields).toEqual({ name: 'the name web is taken' });
  expect(fieldErrors(taken, ['node']).form).toBe('the name web is taken');
});

test('nothing is wrong', () => {
  expect(fieldErrors(undefined)).toEqual({ form: '', fields: {} });
});

test('words of several lines stay together', () => {
  expect(fieldErrors(problem('the body: query: expected a value\nhost:\n     ^'), ['query']).fields.query).toBe('expected a value\nhost:\n     ^');
});
