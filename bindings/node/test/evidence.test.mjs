// What others sign, and signers elsewhere, as a user of Node meets them.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { CONFIG, FIXTURES, NOW, given, temporary, token, world } from './world.mjs'

const { PrivateKey, PublicKey, Signer, Statement, TrustRoot, Verifier } = sealwright
const { ci, commit, keyless, layout, provenance } = sealwright
const PROVENANCE = 'https://slsa.dev/provenance/v1'
const COMMIT = '83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d'

/** A folder of the corpora; a test that needs what is not there is skipped. */
function corpora(t, folder) {
  const root = process.env.SEALWRIGHT_CORPORA ?? path.join(import.meta.dirname, '../../../../shared/corpora')
  if (fs.existsSync(path.join(root, folder))) return path.join(root, folder)
  t.skip(`no corpora: ${folder}`)
  return undefined
}

function note() {
  const digest = sealwright.digestBytesSync(Buffer.from('shop'))
  return { digest, statement: new Statement('https://example.org/note/v1', [{ digest: sealwright.parseDigest(digest) }], {}) }
}

test('a file is signed and verified as bytes, path and digest', async (t) => {
  const file = path.join(temporary(t), 'app')
  fs.writeFileSync(file, 'what was built'.repeat(10_000))
  const bytes = fs.readFileSync(file)
  const key = PrivateKey.generate('p384')
  const verifier = new Verifier({ ci: key.public.toPem() })
  const digest = `sha384:${sealwright.digestSetSync(file, ['sha384']).sha384}`
  for (const bundle of [await sealwright.signBlob(bytes, key), sealwright.signBlobSync({ path: file }, key)]) {
    for (const blob of [bytes, { path: file }, digest]) {
      const verified = await verifier.verifyBlob(bundle, blob, { signer: 'ci' })
      assert.equal(verified.signers[0].name, 'ci')
      assert.deepEqual(verifier.verifyBlobSync(bundle, blob, { signer: 'ci' }), verified)
    }
    const other = Buffer.from('what was not built')
    await assert.rejects(verifier.verifyBlob(bundle, other, { signer: 'ci' }), { code: 'DIGEST_MISMATCH' })
    await assert.rejects(verifier.verifyBlob(bundle, { path: `${file}s` }, { signer: 'ci' }), { code: 'NOT_FOUND' })
  }
  assert.throws(() => sealwright.signBlobSync(bytes, {}), /expected a PrivateKey or a Signer/)
  assert.throws(() => sealwright.signBlobSync(bytes, verifier), /expected a PrivateKey or a Signer/)
})

test('a trust root holds keys, identities and trusted roots', async () => {
  const { expectation, trustedRoots, bundle, blob } = given('certificate/good')
  const key = PrivateKey.generate('p256')
  const signers = new TrustRoot({ ci: key.public.toPem() }).withSigners({ ada: { identity: expectation.identity } })
  const root = signers.withSigstore(Buffer.from(JSON.stringify(trustedRoots[0])))
  const waived = { unloggedUnsafe: true, withoutSctUnsafe: true, at: new Date('2027-06-01') }
  const demanded = { signer: ['ci', 'ada'], ...waived }
  const verified = await new Verifier(root).verifyBlob(Buffer.from(bundle), Buffer.from(blob.text), demanded)
  assert.equal(verified.signers[0].certificate.issuer, 'https://issuer.example')
  assert.equal(verified.signedAt, verified.timestamps[0].at)
  const { digest, statement } = note()
  const seen = await sealwright.verify(await sealwright.sign(statement, key), root, { artifact: digest, signer: 'ci' })
  assert.deepEqual([seen.signedAt, seen.logEntries, seen.timestamps], [null, [], []])
  assert.throws(() => root.withSigners({ ci: key.public.toPem() }), { code: 'API_MISUSE' })
  assert.throws(() => root.withSigstore(Buffer.from('{}')), { code: 'MALFORMED' })
})

test('the built-in roots believe what their instances signed', async (t) => {
  for (const root of [TrustRoot.publicGood(), TrustRoot.staging(), TrustRoot.github()]) new Verifier(root)
  const folder = corpora(t, 'sigstore-bundles/cpython-releases')
  if (!folder) return
  const [line] = fs.readFileSync(path.join(folder, 'peer-verdicts.jsonl'), 'utf8').split('\n')
  const { version, index, sha256, identity, issuer } = JSON.parse(line)
  const releases = JSON.parse(fs.readFileSync(path.join(folder, 'versions', `${version}.json`), 'utf8'))
  const bytes = Buffer.from(JSON.stringify(releases[index].raw.sigstore))
  const demanded = { identity: { subject: identity, issuer } }
  const verified = await new Verifier(TrustRoot.publicGood()).verifyBlob(bytes, `sha256:${sha256}`, demanded)
  assert.ok(verified.logEntries.length > 0)
  const staging = new Verifier(TrustRoot.staging())
  await assert.rejects(staging.verifyBlob(bytes, `sha256:${sha256}`, demanded), { code: 'UNTRUSTED_CERTIFICATE' })
})

/** A signer command, and the public half of its key. */
function command(folder) {
  const key = PrivateKey.generate('p256')
  key.writeSync(path.join(folder, 'elsewhere.pem'))
  const script = path.join(folder, 'ask-signer')
  const lines = ['#!/bin/bash', 'jq -r .digest | xxd -r -p | openssl pkeyutl -sign -inkey "$1" | base64 -w0', '']
  fs.writeFileSync(script, lines.join('\n'), { mode: 0o755 })
  return { reference: `command:${JSON.stringify([script, path.join(folder, 'elsewhere.pem')])}`, pub: key.public }
}

test('a signer command signs records, files and what goes into a ledger', async (t) => {
  const { reference, pub } = command(temporary(t))
  const access = { publicKey: pub.toPem(), timeLimitMillis: 30_000 }
  const signer = await Signer.open(reference, access)
  assert.equal(signer.public.id, pub.id)
  pub.verifySync(Buffer.from('text'), await signer.sign(Buffer.from('text')))
  pub.verifySync(Buffer.from('text'), Signer.openSync(reference, access).signSync(Buffer.from('text')))
  const { digest, statement } = note()
  const verifier = new Verifier({ ci: pub.toPem() })
  for (const record of [await sealwright.sign(statement, signer), sealwright.signSync(statement, signer)]) {
    assert.equal(verifier.verifySync(record, { artifact: digest, signer: 'ci' }).statement.payloadDigest, statement.payloadDigest)
  }
  const app = Buffer.from('app')
  await verifier.verifyBlob(await sealwright.signBlob(app, signer), app, { signer: 'ci' })
  const { ledger } = await world(t)
  await assert.rejects(ledger.recordStatement(statement, signer, NOW), { code: 'UNTRUSTED_SIGNER' })
  const other = await Signer.open(reference, { publicKey: PrivateKey.generate('p256').public.toPem() })
  await assert.rejects(sealwright.sign(statement, other), { code: 'SIGNER_FAILED' })
})

test('a key file is a signer too, and asks for its passphrase', async (t) => {
  const file = path.join(temporary(t), 'key.pem')
  const key = PrivateKey.generate('ed25519')
  await key.write(file, 'correct horse', 'cosign')
  assert.equal((await Signer.open(file, { passphrase: 'correct horse' })).public.id, key.public.id)
  assert.match(key.toPemSync('correct horse', 'cosign'), /ENCRYPTED SIGSTORE PRIVATE KEY/)
  await assert.rejects(Signer.open(file), { code: 'WRONG_PASSPHRASE' })
  await assert.rejects(Signer.open(file, { passphrase: 'battery staple' }), { code: 'WRONG_PASSPHRASE' })
  await assert.rejects(key.toPem(undefined, 'cosign'), { code: 'API_MISUSE' })
  await assert.rejects(Signer.open(file, { passPhrase: 'correct horse' }), (error) => {
    assert.equal(error.code, 'MALFORMED')
    assert.doesNotMatch(error.message, /correct/)
    return true
  })
  PublicKey.fromJwk('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')
})

test('a keyless signature names its services, and tells what it publishes', async (t) => {
  const services = keyless.Services.fromSigningConfig(Buffer.from(CONFIG))
  assert.equal(services.audience, 'sigstore')
  assert.deepEqual(services.addresses, ['http://127.0.0.1:9/', 'http://127.0.0.1:9/'])
  const file = path.join(temporary(t), 'token')
  fs.writeFileSync(file, token('sigstore'))
  const ours = await keyless.Token.read(file)
  const published = { issuer: 'https://issuer.example', identity: 'ada', details: { repository: 'a/b' } }
  assert.deepEqual([ours.publication, ours.expiresAt], [published, '3000-01-01T00:00:00Z'])
  const { digest, statement } = note()
  const nobody = new TrustRoot()
  const theirs = keyless.Token.parse(token('somebody-else'))
  for (const [sign, signSync, what] of [
    [keyless.signStatement, keyless.signStatementSync, statement],
    [keyless.signBlob, keyless.signBlobSync, digest],
  ]) {
    await assert.rejects(sign(what, services, ours, nobody), { code: 'SERVICE_UNAVAILABLE' })
    assert.throws(() => signSync(what, services, theirs, nobody), { code: 'API_MISUSE' })
  }
  assert.throws(() => keyless.Token.parse('a.b.c'), { code: 'MALFORMED' })
})

test('the public-good instance is asked for in so many words', () => {
  const known = keyless.Services.publicGood('my-identity-is-published-for-ever', undefined, NOW)
  assert.ok(known.addresses.includes('https://fulcio.sigstore.dev/'))
  assert.ok(keyless.Services.staging(NOW).addresses.length > 0)
  assert.throws(() => keyless.Services.publicGood('yes'), { code: 'API_MISUSE' })
  const hidden = CONFIG.replaceAll('http://127.0.0.1:9', 'https://fulcio.sigstore.dev')
  assert.throws(() => keyless.Services.fromSigningConfig(Buffer.from(hidden)), { code: 'API_MISUSE' })
})

test("a job's token is found in its environment", async (t) => {
  const found = await keyless.Token.ambient('sigstore', { SIGSTORE_ID_TOKEN: token('sigstore', 'job') })
  assert.equal(found.publication.identity, 'job')
  assert.equal(await keyless.Token.ambient('sigstore', {}), null)
  await assert.rejects(keyless.Token.ambient('sigstore', { GITHUB_ACTIONS: 'true' }), { code: 'PERMISSION_DENIED' })
  t.after(() => delete process.env.SIGSTORE_ID_TOKEN)
  process.env.SIGSTORE_ID_TOKEN = token('sigstore', 'this process')
  for (const variables of [undefined, process.env]) {
    assert.equal(keyless.Token.ambientSync('sigstore', variables).publication.identity, 'this process')
  }
})

test('a timestamp needs an authority that is believed', async () => {
  const record = await sealwright.sign(note().statement, PrivateKey.generate('p256'))
  const nobody = new TrustRoot()
  await assert.rejects(keyless.timestamp(record, 'http://127.0.0.1:9/', nobody), { code: 'SERVICE_UNAVAILABLE' })
  assert.throws(() => keyless.timestampSync(record, 'http://tsa.example', nobody), { code: 'MALFORMED' })
})

test('trusted roots are kept, and fetched only when asked', async (t) => {
  const folder = temporary(t)
  const archive = new keyless.RootArchive(folder)
  assert.deepEqual(await archive.roots(), [])
  await assert.rejects(archive.trustedRoot(), { code: 'NOT_FOUND' })
  assert.throws(() => archive.signingConfigSync(), { code: 'NOT_FOUND' })
  const source = new keyless.RootSource('http://127.0.0.1:9', Buffer.from('{'))
  await assert.rejects(archive.refresh(source, NOW), { code: 'MALFORMED' })
  fs.mkdirSync(path.join(folder, 'roots'))
  for (const [millis, name] of [[1_700_000_000_000, 'a'], [1_800_000_000_000, 'b']]) {
    const root = JSON.stringify({ tlogs: [{ publicKey: { rawBytes: name } }] })
    fs.writeFileSync(path.join(folder, 'roots', `${String(millis).padStart(15, '0')}.json`), root)
  }
  const times = archive.rootsSync().map((root) => root.fetchedAt)
  assert.deepEqual(times, ['2023-11-14T22:13:20Z', '2027-01-15T08:00:00Z'])
  const kept = JSON.parse(archive.trustedRootSync()).tlogs.map((log) => log.publicKey.rawBytes)
  assert.deepEqual(kept, ['b', 'a'])
  for (const name of ['publicGood', 'staging', 'github']) assert.ok(keyless.RootSource[name]())
})

function build(builder, invocationId = '1') {
  const source = { uri: 'git+https://git.example/acme/shop@refs/tags/v1.4.0', digest: { gitCommit: COMMIT } }
  return {
    buildDefinition: {
      buildType: 'https://example.org/build/v1',
      externalParameters: { source: source.uri },
      resolvedDependencies: [source],
    },
    runDetails: { builder: { id: builder }, metadata: { invocationId } },
  }
}

async function verified(type, predicate, about = 'shop') {
  const key = PrivateKey.generate('ed25519')
  const digest = sealwright.digestBytesSync(Buffer.from(about))
  const statement = new Statement(type, [{ digest: sealwright.parseDigest(digest) }], predicate)
  const record = await sealwright.sign(statement, key)
  return sealwright.verify(record, { ci: key.public.toPem() }, { artifact: digest, signer: 'ci' })
}

const VERIFIER = ['https://v.example', 'pkg:generic/shop', { uri: 'https://example.org/policy', digest: { sha256: '11'.repeat(32) } }]

test('a build is checked and summed up', async () => {
  const record = await verified(PROVENANCE, build('https://a.example/builder'))
  assert.equal(provenance.build(record.statement).source.commit, COMMIT)
  const builders = [{ id: 'https://a.example/builder', signers: ['ci'] }]
  const checked = provenance.check(record, { builders, sourceVersionedTag: 'v1', imageTag: 'v1.4.0' })
  const { build: found, findings } = checked.toJSON()
  assert.equal(found.builderId, 'https://a.example/builder')
  assert.deepEqual(findings.map((finding) => finding.field), ['imageTag'])
  assert.throws(() => provenance.check(record, { sourceCommit: '00'.repeat(20) }), (error) => {
    assert.equal(error.code, 'EXPECTATION_UNMET')
    assert.equal(error.context.field, 'sourceCommit')
    return true
  })
  const summary = checked.summary(...VERIFIER, ['SLSA_BUILD_LEVEL_2'], NOW)
  const seen = await verified('https://slsa.dev/verification_summary/v1', summary)
  const { verifiedLevels } = provenance.checkSummary(seen, { levels: ['SLSA_BUILD_LEVEL_1'] })
  assert.deepEqual(verifiedLevels, ['SLSA_BUILD_LEVEL_2'])
  assert.throws(() => provenance.checkSummary(seen, { levels: ['SLSA_BUILD_LEVEL_3'] }), { code: 'EXPECTATION_UNMET' })
  assert.throws(() => checked.summary(...VERIFIER, ['SLSA_GREAT']), { code: 'MALFORMED' })
})

test('two builds are compared', async () => {
  const one = await verified(PROVENANCE, build('https://a.example/builder'))
  const other = await verified(PROVENANCE, build('https://b.example/builder'))
  const reproduction = provenance.reproduced(one, other)
  assert.equal(reproduction.toJSON().artifacts.length, 1)
  assert.deepEqual(reproduction.summary(...VERIFIER, []).verifiedLevels, ['SLSA_BUILD_REPRODUCED'])
  const differs = await verified(PROVENANCE, build('https://b.example/builder'), 'shap')
  assert.throws(() => provenance.reproduced(one, differs), { code: 'EXPECTATION_UNMET' })
  const scai = 'https://in-toto.io/attestation/scai/v0.3'
  provenance.isolated(one, await verified(scai, { attributes: [{ attribute: 'BUILD_ISOLATED' }] }))
  const silent = await verified(scai, { attributes: [{ attribute: 'OTHER' }] })
  assert.throws(() => provenance.isolated(one, silent), { code: 'EXPECTATION_UNMET' })
})

for (const name of fs.readdirSync(path.join(FIXTURES, 'ci'))) {
  test(`provenance says what ${path.parse(name).name} says`, () => {
    const { environment, provenance: expected } = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'ci', name), 'utf8'))
    const at = '2026-11-21T09:30:00Z'
    for (const system of ['auto', path.parse(name).name]) {
      assert.deepEqual(ci.provenance(system, environment, undefined, undefined, at), expected)
    }
    const told = ci.provenance('auto', environment, { parameters: { extra: 1 }, finished: at })
    assert.equal(told.buildDefinition.externalParameters.extra, 1)
    assert.throws(() => ci.provenance(path.parse(name).name, {}), { code: 'NOT_FOUND' })
  })
}

test("a CI system of one's own, and a plain machine", () => {
  const ours = Buffer.from(`
    name = "ours"
    detect = { OURS = "1" }
    build-type = "https://example.org/build/v1"
    builder-id = "https://example.org/builders/main"
    source = { repository = "https://git.example/acme/shop", commit = "{OURS_COMMIT}" }
  `)
  const told = ci.provenance('ours', { OURS: '1', OURS_COMMIT: COMMIT }, undefined, [ours])
  assert.deepEqual(told.buildDefinition.resolvedDependencies[0].digest, { gitCommit: COMMIT })
  assert.throws(() => ci.provenance('ours'), { code: 'NOT_FOUND' })
  const source = { uri: 'git+https://git.example/acme/shop', digest: { gitCommit: COMMIT } }
  const plain = ci.plainMachine('https://example.org/machine', source, { started: NOW }, NOW)
  assert.equal(plain.runDetails.metadata.startedOn, NOW)
  assert.throws(() => ci.plainMachine('https://example.org/machine', { uri: 'x:y' }), { code: 'MALFORMED' })
})

test('who wrote a commit is told with what is doubtful', async () => {
  const [good, unsigned] = [given('commit/good'), given('commit/unsigned')]
  const [raw, at] = [Buffer.from(good.raw), good.now]
  const trust = new commit.CommitTrust().withAllowedSigners(Buffer.from(good.allowedSigners))
  const wrote = await commit.Authorship.of(raw, good.id, trust, at)
  assert.equal(wrote.isClear, true)
  assert.equal(wrote.toJSON().author.email, 'ada@example.org')
  assert.equal(wrote.descriptor('git+https://git.example/acme/shop').digest.gitCommit, good.id)
  const doubtful = commit.Authorship.ofSync(Buffer.from(unsigned.raw), unsigned.id, trust, at).toJSON()
  assert.deepEqual([doubtful.signer, doubtful.doubts[0].kind], [null, 'UNSIGNED'])
  assert.deepEqual(commit.verifySync(raw, good.id, trust, at), await commit.verify(raw, good.id, trust, at))
  const tag = given('commit/good-tag')
  assert.equal(commit.verifyTagSync(Buffer.from(tag.raw), tag.id, trust, at).name, 'v1')
  const forge = new commit.CommitTrust().withForge('example.org', trust)
  assert.equal((await commit.verify(raw, good.id, forge, at)).signer.forge, 'example.org')
  const key = Buffer.from(good.allowedSigners.slice(good.allowedSigners.indexOf(' ') + 1))
  await assert.rejects(commit.verify(raw, good.id, trust.withRevokedSshKeys(key), at), { code: 'REVOKED' })
  assert.throws(() => trust.withCertificates(TrustRoot.publicGood()), { code: 'API_MISUSE' })
  assert.throws(() => trust.withOpenpgpKeyring(Buffer.from('x')), { code: 'MALFORMED' })
})

test('a layout is verified with the links of a folder', async (t) => {
  const input = given('layout/good')
  const folder = temporary(t)
  for (const [name, link] of Object.entries(input.links)) fs.writeFileSync(path.join(folder, name), link)
  const bytes = Buffer.from(input.layout)
  const held = await layout.verify(bytes, input.owners, folder, input.expectation)
  assert.deepEqual(held.steps.map((step) => step.name), ['write', 'pack'])
  assert.deepEqual(layout.verifySync(bytes, input.owners, folder, input.expectation), held)
  const nowhere = path.join(folder, 'nowhere')
  await assert.rejects(layout.verify(bytes, input.owners, nowhere, input.expectation), { code: 'NOT_FOUND' })
})
