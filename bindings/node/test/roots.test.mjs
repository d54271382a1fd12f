// Trusted roots out of a TUF repository on loopback.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { NOW, given, temporary } from './world.mjs'

const { PrivateKey, TrustRoot, keyless } = sealwright
const { RootArchive, RootSource } = keyless
const hexOf = (content) => sealwright.digestBytesSync(Buffer.from(content)).slice('sha256:'.length)

/** Canonical JSON as TUF has it, in which a line end stands as it is. */
function canonical(value) {
  const sorted = (_, v) => (v?.constructor === Object ? Object.fromEntries(Object.entries(v).sort()) : v)
  return Buffer.from(JSON.stringify(value, sorted).replaceAll('\\n', '\n'))
}

function role(_type, version) {
  return { _type, spec_version: '1.0.0', version, expires: '2999-01-01T00:00:00Z' }
}

/** With one key for all roles. */
class Repository {
  files = new Map()
  key = PrivateKey.generate('p256')
  entry = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: this.key.public.toPem() } }
  id = hexOf(canonical(this.entry))

  signed(role) {
    const sig = this.key.signSync(canonical(role)).toString('hex')
    return Buffer.from(JSON.stringify({ signed: role, signatures: [{ keyid: this.id, sig }] }))
  }

  root() {
    const one = { keyids: [this.id], threshold: 1 }
    const roles = { root: one, timestamp: one, snapshot: one, targets: one }
    return this.signed({ ...role('root', 1), consistent_snapshot: false, keys: { [this.id]: this.entry }, roles })
  }

  publish(trustedRoot, version) {
    const described = (content) => ({ length: content.length, hashes: { sha256: hexOf(content) } })
    const targets = this.signed({ ...role('targets', version), targets: { 'trusted_root.json': described(trustedRoot) } })
    const listed = { 'targets.json': { version, ...described(targets) } }
    const snapshot = this.signed({ ...role('snapshot', version), meta: listed })
    const newest = { 'snapshot.json': { version, ...described(snapshot) } }
    const timestamp = this.signed({ ...role('timestamp', version), meta: newest })
    const files = { 'targets.json': targets, 'snapshot.json': snapshot, 'timestamp.json': timestamp }
    for (const [name, content] of Object.entries(files)) this.files.set(`/${name}`, content)
    this.files.set('/targets/trusted_root.json', trustedRoot)
  }
}

test('a root that the pinned one vouches for is fetched and kept', async (t) => {
  const repository = new Repository()
  const server = http.createServer((request, response) => {
    const found = repository.files.get(request.url)
    response.writeHead(found ? 200 : 404).end(found)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address().port}/`
  const trustedRoot = Buffer.from(JSON.stringify(given('certificate/good').trustedRoots[0]))
  repository.publish(trustedRoot, 2)
  const folder = temporary(t)
  const archive = new RootArchive(path.join(folder, 'roots'))
  const source = new RootSource(url, repository.root())
  const newest = { fetchedAt: NOW, digest: sealwright.digestBytesSync(trustedRoot) }
  assert.deepEqual(await archive.refresh(source, NOW), [newest, true])
  assert.deepEqual(await archive.refresh(source, NOW), [newest, false])
  assert.deepEqual(await archive.roots(), [newest])
  assert.deepEqual(JSON.parse(await archive.trustedRoot()), JSON.parse(trustedRoot))
  new TrustRoot().withSigstore(archive.trustedRootSync())
  const stranger = new RootSource(url, new Repository().root())
  await assert.rejects(new RootArchive(path.join(folder, 'other')).refresh(stranger, NOW), { code: 'BAD_SIGNATURE' })
  await assert.rejects(archive.refresh(stranger, NOW), { code: 'TRUST_POLICY_REFUSED' })
})
