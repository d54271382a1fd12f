// A timestamp by an RFC 3161 authority that openssl runs on loopback.

import assert from 'node:assert/strict'
import test from 'node:test'

import sealwright from '../index.js'
import { authority } from './authority.mjs'

const { PrivateKey, Statement, TrustRoot, keyless } = sealwright

test('a record signed with a key gets a timestamp', async (t) => {
  const { url, root } = await authority(t)
  const trust = new TrustRoot().withSigstore(root)
  const key = PrivateKey.generate('p256')
  const artifact = sealwright.digestBytesSync(Buffer.from('shop'))
  const statement = new Statement('https://example.org/note/v1', [{ digest: sealwright.parseDigest(artifact) }], {})
  const record = await sealwright.sign(statement, key)
  const stamped = await keyless.timestamp(record, url, trust)
  const believed = trust.withSigners({ ci: key.public.toPem() })
  const demanded = { artifact, signer: 'ci', timestamps: 1 }
  const verified = await sealwright.verify(stamped, believed, demanded)
  assert.deepEqual(verified.timestamps, [{ authority: 'https://tsa.example', at: verified.signedAt }])
  await assert.rejects(sealwright.verify(record, believed, demanded), { code: 'BAD_TIMESTAMP' })
  await assert.rejects(keyless.timestamp(record, url, new TrustRoot()), { code: 'BAD_TIMESTAMP' })
})
