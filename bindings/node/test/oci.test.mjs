// Bundles beside images, in a registry that a test keeps in memory on loopback.

import assert from 'node:assert/strict'
import test from 'node:test'

import sealwright from '../index.js'
import { digestOf, push, registry } from './registry.mjs'
import { NOW } from './world.mjs'

const { PrivateKey, Statement, oci } = sealwright

function about(digest, key) {
  const statement = new Statement('https://example.org/note/v1', [{ digest: sealwright.parseDigest(digest) }], {})
  return sealwright.sign(statement, key)
}

test('a bundle is kept beside its image, and found there', async (t) => {
  const { host, kept } = await registry(t)
  const digest = push(kept, 'v1')
  const ours = new oci.Registry()
  const resolved = await ours.resolve(`${host}/team/app:v1`)
  assert.deepEqual([resolved.digest, resolved.kind], [digest, 'manifest'])
  const key = PrivateKey.generate('p256')
  const record = await about(digest, key)
  const image = `${host}/team/app@${digest}`
  const manifest = await ours.attach(image, record, NOW)
  const { found, unreadable } = await ours.bundles(image)
  assert.deepEqual([found.length, unreadable], [1, []])
  assert.deepEqual([found[0].bundle, found[0].payload], [record, null])
  const place = found[0].toJSON()
  assert.deepEqual([place.manifest, place.place], [manifest, 'referrer'])
  assert.equal(place.annotations['dev.sigstore.bundle.predicateType'], 'https://example.org/note/v1')
  await sealwright.verify(found[0].bundle, { ci: key.public.toPem() }, { artifact: digest, signer: 'ci' })
  assert.deepEqual(await ours.copyBundles(image, `${host}/other/app@${digest}`), [manifest])
  kept.set(digestOf(record), { type: '', content: Buffer.alloc(record.length) })
  const broken = await ours.bundles(image)
  assert.equal(broken.found.length, 0)
  assert.deepEqual([broken.unreadable[0].code, broken.unreadable[0].digest], ['DIGEST_MISMATCH', manifest])
})

test('what is not of the image is not kept', async (t) => {
  const { host, kept } = await registry(t)
  const image = `${host}/team/app@${push(kept, 'v1')}`
  const record = await about(digestOf('other'), PrivateKey.generate('p256'))
  const ours = new oci.Registry()
  await assert.rejects(ours.attach(image, record), { code: 'DIGEST_MISMATCH' })
  await assert.rejects(ours.attach(`${host}/team/app:v1`, record), { code: 'API_MISUSE' })
  await assert.rejects(ours.attach(image, Buffer.from('{}')), { code: 'UNSUPPORTED' })
  await assert.rejects(ours.resolve(`${host}/team/app:v2`), { code: 'NOT_FOUND' })
  assert.throws(() => ours.attachSync('', record), { code: 'MALFORMED' })
  assert.throws(() => ours.resolveSync(''), { code: 'MALFORMED' })
  assert.throws(() => ours.bundlesSync(`${host}/team/app:v1`), { code: 'API_MISUSE' })
  assert.throws(() => ours.copyBundlesSync(image, `${host}/team/app:v1`), { code: 'API_MISUSE' })
})

test('credentials are of one kind, and never shown', () => {
  const dockerConfig = JSON.stringify({ auths: { 'registry.example': { auth: 'dXNlcjpzZWNyZXQ=' } } })
  new oci.Registry({ dockerConfig, registry: 'registry.example' })
  new oci.Registry({ user: 'u', password: 'secret', plainHttpUnsafe: true })
  new oci.Registry({ token: 'secret' })
  for (const access of [{ user: 'u' }, { token: 'secret', user: 'u' }, { dockerConfig }, { secret: 'secret' }]) {
    assert.throws(() => new oci.Registry(access), (error) => {
      assert.equal(error.code, 'MALFORMED')
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  }
})

test('the image of an old signature is read from what it signs', () => {
  const digest = digestOf('image')
  const critical = { image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature', identity: {} }
  assert.equal(oci.signedImage(Buffer.from(JSON.stringify({ critical }))), digest)
  assert.throws(() => oci.signedImage(Buffer.from('{}')), { code: 'MALFORMED' })
})
