// The JavaScript example of the README, run as it is printed.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'node:test'

const root = new URL('../../../', import.meta.url)

test('the example of the README runs', () => {
  const [, example] = readFileSync(new URL('README.md', root), 'utf8').match(/```js\n([^]*?)```/)
  const here = example.replace("'sealwright'", JSON.stringify(new URL('../index.js', import.meta.url).href))
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', here], { cwd: root, encoding: 'utf8' })
  assert.equal(said, 'ci says https://slsa.dev/provenance/v1\n')
})
