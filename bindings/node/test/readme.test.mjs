// The JavaScript examples of the READMEs, run as they are printed.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import { world } from './world.mjs'

const root = new URL('../../../', import.meta.url)

test('the example of the README runs', () => {
  const [, example] = readFileSync(new URL('README.md', root), 'utf8').match(/```js\n([^]*?)```/)
  const here = example.replace("'sealwright'", JSON.stringify(new URL('../index.js', import.meta.url).href))
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', here], { cwd: root, encoding: 'utf8' })
  assert.equal(said, 'ci says https://slsa.dev/provenance/v1\n')
})

test('the examples of the README of the package run', async (t) => {
  const { folder, ledger } = await world(t)
  writeFileSync(path.join(folder, 'report.xml'), '<testsuite/>')
  writeFileSync(path.join(folder, 'trust.sigstore.json'), (await ledger.record(0)).verified.record)
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, example]) => example).join('\n')
  const here = examples.replace("'sealwright'", JSON.stringify(new URL('../index.js', import.meta.url).href))
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', here], { cwd: folder, encoding: 'utf8' })
  const lines = said.trimEnd().split('\n')
  assert.deepEqual(lines.slice(-3), ['12 bytes', `${await ledger.size()} entries`, 'sealed with true'])
  assert.ok(lines.some((line) => line.includes('/attestation/release/')))
  assert.ok(existsSync(path.join(folder, 'copy/mirror.json')))
})
