// The same work as our benches, done by JavaScript's tools and by our binding: prints nanoseconds by row and side, as JSON.
//
// Takes the folder of the corpora and that of our package. Each side is checked before it is timed: it does the work, and
// refuses what is wrong.
import assert from 'node:assert'
import { generateKeyPairSync, sign as nodeSign, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)
const { bundleFromJSON, bundleToJSON, envelopeFromJSON } = require('@sigstore/bundle')
const { TrustedRoot } = require('@sigstore/protobuf-specs')
const { DSSEBundleBuilder } = require('@sigstore/sign')
const sealwright = require(path.resolve(process.argv[3]))
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')

const BEACON = 'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/' +
  '.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'
const GITHUB = 'https://token.actions.githubusercontent.com'

const median = (samples) => samples.sort((a, b) => (a < b ? -1 : 1))[samples.length >> 1]

/** Median time of one run of `work`, in nanoseconds. */
async function timed(work, seconds = 1.5, least = 5) {
  await work()
  const samples = []
  const end = process.hrtime.bigint() + BigInt(seconds * 1e9)
  while (samples.length < least || process.hrtime.bigint() < end) {
    const before = process.hrtime.bigint()
    await work()
    samples.push(Number(process.hrtime.bigint() - before))
  }
  return median(samples)
}

const corpora = path.resolve(process.argv[2])
const cases = path.join(corpora, 'sigstore-bundles/conformance/bundle-verify')
const production = path.join(corpora, 'sigstore-trust-roots/public-good/targets/trusted_root.json')
const artifact = readFileSync(path.join(cases, 'a.txt'))
const rows = {}

const verifierOf = (root) =>
  new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root, 'utf8')))))
const policy = { subjectAlternativeName: BEACON, extensions: { issuer: GITHUB } }

const identity = { subject: BEACON, issuer: GITHUB }

for (const [row, name, root] of [
  ['verify bundle v0.3', 'happy-path-v0.3', production],
  ['verify bundle Rekor v2', 'rekor2-happy-path', path.join(cases, 'rekor2-happy-path/trusted_root.json')],
]) {
  const bytes = readFileSync(path.join(cases, name, 'bundle.sigstore.json'))
  const text = bytes.toString('utf8')
  const theirs = verifierOf(root)
  const ours = new sealwright.Verifier(new sealwright.TrustRoot().withSigstore(readFileSync(root)))
  rows[row] = {}
  for (const [side, work] of [
    ['node', (file) => theirs.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)), file), policy)],
    ['ours in node', (file) => ours.verifyBlobSync(bytes, file, { identity })],
  ]) {
    assert.throws(() => work(Buffer.from('another')))
    rows[row][side] = await timed(() => work(artifact))
  }
}

// local key: @sigstore/sign builds a bundle around what a signer gives
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = {
  sign: async (data) => ({ signature: nodeSign('sha256', data, privateKey), key: { $case: 'publicKey', hint: 'bench', publicKey: '' } }),
}
for (const [size, length] of [['1KB', 1_000], ['1MB', 1_000_000]]) {
  const data = Buffer.alloc(length, 't')
  const builder = new DSSEBundleBuilder({ signer, witnesses: [] })
  const make = async () => JSON.stringify(bundleToJSON(await builder.create({ data, type: 'application/vnd.in-toto+json' })))
  const text = await make()
  const { crypto, dsse } = require('@sigstore/core')
  const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
  const verify = (text) => {
    const envelope = envelopeFromJSON(JSON.parse(text).dsseEnvelope)
    const bytes = dsse.preAuthEncoding(envelope.payloadType, envelope.payload)
    if (!crypto.verify(bytes, key, envelope.signatures[0].sig, 'sha256')) throw new Error('not verified')
  }
  const wrong = JSON.parse(text)
  wrong.dsseEnvelope.payload = 'dA=='
  assert.throws(() => verify(JSON.stringify(wrong)))
  rows[`sign ${size}`] = { node: await timed(make) }
  rows[`verify ${size}`] = { node: await timed(() => verify(text)) }
}

console.log(JSON.stringify(rows, null, 2))
