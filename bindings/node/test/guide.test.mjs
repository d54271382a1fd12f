// The JavaScript examples of `docs/guide`, run as they are printed.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { CONFIG, FIXTURES, given, temporary, token } from './world.mjs'
import { push, registry } from './registry.mjs'

const { PrivateKey, Statement } = sealwright

/** A folder with what the examples read. */
function prepared(t) {
  const folder = temporary(t)
  const write = (name, content) => fs.writeFileSync(path.join(folder, name), content)
  const key = PrivateKey.generate('p256')
  key.writeSync(path.join(folder, 'ci.pem'))
  write('ci.pub', key.public.toPem())
  PrivateKey.generate('p384').writeSync(path.join(folder, 'builder.pem'), 'correct horse battery staple')
  write('app', 'what was built\n')
  write('app.sigstore.json', sealwright.signBlobSync({ path: path.join(folder, 'app') }, key))
  write('trusted_root.json', JSON.stringify(given('certificate/good').trustedRoots[0]))
  write('signing_config.json', CONFIG)
  const [layout, commit] = [given('layout/good'), given('commit/good')]
  write('scan.sarif', fs.readFileSync(path.join(FIXTURES, 'reports/sarif/failed.sarif')))
  write('app.tgz', 'app')
  write('root.layout', layout.layout)
  write('owner.pub', layout.owners[0])
  fs.mkdirSync(path.join(folder, 'links'))
  for (const [name, link] of Object.entries(layout.links)) write(path.join('links', name), link)
  write('allowed_signers', commit.allowedSigners)
  execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: folder })
  execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], { cwd: folder, input: commit.raw })
  write('.git/refs/heads/main', `${commit.id}\n`)
  return { folder, key }
}

/** Runs the examples of a page; off this thread, which may have to answer them. */
function example(page, folder, host = '') {
  const guide = fs.readFileSync(path.join(FIXTURES, '../docs/guide', `${page}.md`), 'utf8')
  const blocks = [...guide.matchAll(/```js\n([^]*?)```/g)].map(([, block]) => block)
  assert.ok(blocks.length > 0, page)
  const script = blocks.join('\n').replace("'sealwright'", JSON.stringify(new URL('../index.js', import.meta.url).href))
  const github = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'ci/github-actions.json'), 'utf8')).environment
  const env = { ...github, PATH: process.env.PATH, SIGSTORE_ID_TOKEN: token('sigstore') }
  const words = ['--input-type=module', '-e', script.replaceAll('registry.example.org', host)]
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: folder, env }, (error, stdout, stderr) => resolve({ error, stdout, stderr }))
  })
}

for (const [page, says] of [
  ['verifying', /^ci signed sha256:/],
  ['signing', /^$/],
  ['provenance', /^built by https:\/\/github\.com\//],
  ['ingest', /^sarif says FAILED\n$/],
  ['commits', /^ada@example\.org wrote it\n$/],
]) {
  test(`the examples of ${page} run`, async (t) => {
    const { folder } = prepared(t)
    const ran = await example(page, folder)
    assert.deepEqual([ran.error, ran.stderr], [null, ''])
    assert.match(ran.stdout, says)
    if (page === 'signing') assert.ok(fs.existsSync(path.join(folder, 'app.node.json')))
  })
}

test('the example of keyless signing runs up to the services', async (t) => {
  const ran = await example('keyless', prepared(t).folder)
  assert.equal(ran.stdout, 'this will be published: ada\n')
  assert.match(ran.stderr, /SERVICE_UNAVAILABLE/)
})

test('the example of registries and layouts runs', async (t) => {
  const { folder, key } = prepared(t)
  const { host, kept } = await registry(t)
  const digest = push(kept, 'v1')
  const statement = new Statement('https://example.org/note/v1', [{ digest: sealwright.parseDigest(digest) }], {})
  await new sealwright.oci.Registry().attach(`${host}/team/app@${digest}`, await sealwright.sign(statement, key))
  const ran = await example('registry', folder, host)
  assert.deepEqual([ran.stderr, ran.stdout], ['', '1 bundles, 2 steps\n'])
})
