// Each call of the API, as a user of Node makes it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { firstRecord, ownLedger } from '../examples/first-record.mjs'
import { DEV, NOW, RELEASE, signersFile, temporary, world } from './world.mjs'

const { Ledger, Permit, PrivateKey, PublicKey, Receipt, Statement, Verifier } = sealwright
const ACTOR = { id: 'urn:example:workload:records', kind: 'workload' }

function note(about) {
  const digest = sealwright.digestBytesSync(Buffer.from(about))
  return { digest, statement: new Statement('https://example.org/note/v1', [{ digest: sealwright.parseDigest(digest) }], { of: about }) }
}

test('files and folders are hashed, at once and later alike', async (t) => {
  const folder = temporary(t)
  const file = path.join(folder, 'a.txt')
  fs.writeFileSync(file, 'hello\n')
  const expected = 'sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'
  assert.equal(await sealwright.digestFile(file), expected)
  assert.equal(sealwright.digestFileSync(file), expected)
  assert.equal(await sealwright.digestBytes(Buffer.from('hello\n')), expected)
  assert.deepEqual(Object.keys(await sealwright.digestSet(file, ['sha256', 'sha512'])), ['sha256', 'sha512'])
  assert.deepEqual(await sealwright.digestFolder(folder), sealwright.digestFolderSync(folder))
})

test('a key goes to a file and comes back', async (t) => {
  const file = path.join(temporary(t), 'key.pem')
  const key = PrivateKey.generate('p256')
  await key.write(file, 'correct horse')
  assert.equal((await PrivateKey.read(file, 'correct horse')).public.id, key.public.id)
  await assert.rejects(key.write(file), { code: 'ALREADY_EXISTS' })
  await assert.rejects(PrivateKey.read(file), { code: 'WRONG_PASSPHRASE' })
  const again = PublicKey.fromPem(key.public.toPem())
  again.verifySync(Buffer.from('text'), await key.sign(Buffer.from('text')))
  await assert.rejects(again.verify(Buffer.from('test'), key.signSync(Buffer.from('text'))), { code: 'BAD_SIGNATURE' })
  assert.throws(() => PrivateKey.generate('rsa'), { code: 'UNSUPPORTED' })
})

test('a statement is signed and verified, and what was not demanded is refused', async () => {
  const key = PrivateKey.generate('ed25519')
  const { digest, statement } = note('shop')
  const record = await sealwright.sign(statement, key)
  assert.deepEqual(record, sealwright.signSync(statement, key))
  const keys = { builder: key.public.toPem() }
  const verified = await sealwright.verify(record, keys, { artifact: digest, signer: 'builder', at: new Date() })
  assert.deepEqual(verified.statement.predicate, { of: 'shop' })
  assert.equal(verified.signers[0].keyId, key.public.id)
  assert.deepEqual(verified.record, record)
  const verifier = new Verifier(keys)
  const other = note('other').digest
  for (const refused of [
    () => verifier.verify(record, { artifact: other, signer: 'builder' }),
    async () => verifier.verifySync(record, { artifact: other, signer: 'builder' }),
  ]) {
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof Error)
      assert.equal(error.code, 'DIGEST_MISMATCH')
      assert.equal(error.context.expected, other)
      assert.match(error.message, /check the artifact/)
      return true
    })
  }
  await assert.rejects(verifier.verify(record, { signer: 'builder' }), { code: 'API_MISUSE', message: /artifact/ })
})

test('what has no JSON form is refused', () => {
  assert.throws(() => new Statement('https://example.org/x/v1', [], undefined), /no JSON form/)
  const circle = {}
  circle.circle = circle
  assert.throws(() => new Statement('https://example.org/x/v1', [], circle), /circular/)
})

test('records are appended, found, proven and audited', async (t) => {
  const { folder, ledger, keys, logKey, artifact, anchors } = await world(t)
  const found = await ledger.search({ digest: artifact, predicateType: 'https://slsa.dev/provenance/v1' })
  assert.equal(found.records.length, 1)
  assert.equal(found.more, false)
  const [record] = found.records
  assert.equal(record.speaker.signer, 'builder')
  assert.equal(record.revoked, false)
  assert.equal(record.loggedAt, '2026-11-21T09:00:00Z')
  const receipt = await ledger.prove(record.index)
  await receipt.verify(record.verified.record, ledger.logKey)
  await assert.rejects(receipt.verify(Buffer.from('x'), ledger.logKey), { code: 'LEDGER_TAMPERED' })
  const kept = Buffer.from(JSON.stringify(receipt))
  const parsed = Receipt.parse(kept)
  const demand = { logKey: await ledger.logKey }
  const said = await parsed.check(record.verified.record, demand)
  assert.deepEqual([said.index, said.size, said.cosignatures], [record.index, await ledger.size(), []])
  assert.deepEqual(parsed.checkSync(record.verified.record, demand), said)
  const w1 = 'witness.example.org/w1+869f2844+BC5HVDhToR/mNhI0KgUu1UIAsKs2eFSLfk5BM/rCOlkQ'
  const w2 = 'witness.example.org/w2+2eb2b5e9+BC5HVDhToR/mNhI0KgUu1UIAsKs2eFSLfk5BM/rCOlkQ'
  for (const [more, code] of [
    [{ witnesses: [w1] }, 'BAD_CHECKPOINT'],
    [{ witnesses: [w1, w1], quorum: 2 }, 'API_MISUSE'],
    [{ witnesses: [w1, w2], quorum: 1 }, 'API_MISUSE'],
    [{ witnesses: [w1], quorum: 0 }, 'API_MISUSE'],
    [{ witnesses: [] }, 'API_MISUSE'],
    [{ quorum: 1 }, 'API_MISUSE'],
  ]) await assert.rejects(parsed.check(record.verified.record, { ...demand, ...more }), { code })
  assert.throws(() => parsed.checkSync(Buffer.from('x'), demand), { code: 'LEDGER_TAMPERED' })
  assert.throws(() => Receipt.parse(kept.subarray(1)), { code: 'MALFORMED' })
  const again = await ledger.append(await ledger.verify(record.verified.record, NOW), NOW)
  assert.equal(again.alreadyThere, true)
  assert.equal((await ledger.entry(record.index)).type, 'https://slsa.dev/provenance/v1')
  await assert.rejects(ledger.record(10_000), { code: 'NOT_FOUND' })
  await assert.rejects(ledger.search({ nonsense: 1 }), { code: 'MALFORMED' })
  assert.deepEqual((await ledger.audit()).findings, [])
  assert.deepEqual(ledger.auditSync().findings, [])
  const stranger = PrivateKey.generate('ed25519')
  await assert.rejects(ledger.recordStatement(note('x').statement, stranger, NOW), { code: 'UNTRUSTED_SIGNER' })
  await assert.rejects(ledger.recordStatement(note('x').statement, keys.builder, NOW), { code: 'NOT_ENTITLED' })
  const other = await Ledger.open(path.join(folder, 'ledger'), anchors, { logKey, pins: { logKey: ledger.logKey } })
  assert.equal(other.anchored, 'extends')
  assert.equal(await other.size(), ledger.sizeSync())
  assert.equal(await other.checkpoint(), ledger.checkpointSync())
  const verified = [...Array(2)].map((_, i) => ledger.verifySync(ledger.recordSync(i).verified.record, NOW))
  assert.deepEqual((await other.appendAll(verified, NOW)).map((r) => r.index), [0, 1])
  const digest = await ledger.attach(Buffer.from('raw'))
  assert.equal((await ledger.attachment(digest)).toString(), 'raw')
})

test('a release goes through gate, promotion, deployment, observation and a pack', async (t) => {
  const w = await world(t)
  const { ledger, keys, artifact } = w
  const request = { artifact, environment: DEV, releaseId: RELEASE, deployer: 'deployer' }
  const decision = await sealwright.decide(ledger, keys.records, request, NOW)
  const permit = await decision.enforce(ledger)
  assert.equal(permit.environment.id, DEV.id)
  assert.equal((await Permit.ofDecision(ledger, decision.payload)).decision, permit.decision)
  const promotion = await sealwright.promote(ledger, keys.records, permit, RELEASE, ACTOR, NOW)
  const deployer = { id: 'urn:example:workload:deployer', kind: 'workload' }
  const subject = permit.artifacts[0]
  const deployment = {
    deploymentId: 'urn:example:deployment:1', releaseId: RELEASE, environment: DEV, artifacts: [subject],
    triggeredBy: deployer, executedBy: deployer, startedAt: NOW, finishedAt: NOW, status: 'SUCCEEDED',
    strategy: 'recreate', resources: ['urn:example:env:dev/shop'],
  } // prettier-ignore
  await sealwright.deploy(ledger, keys.deployer, deployment, permit, promotion.payload, NOW)
  await assert.rejects(sealwright.promote(ledger, keys.records, permit, RELEASE, ACTOR, NOW), { code: 'PERMIT_REFUSED' })
  const state = [{ resource: 'urn:example:env:dev/shop', digest: subject.digest }]
  await sealwright.snapshot(ledger, keys.records, DEV, ACTOR, state, Buffer.from('{}'), NOW)
  assert.deepEqual((await sealwright.drift(ledger, keys.records, DEV.id, NOW)).report.findings, [])
  const custody = await sealwright.custody(ledger, RELEASE)
  assert.ok(custody.steps.some((step) => step.act === 'deployed'))
  assert.deepEqual(await sealwright.gaps(ledger, RELEASE), [])
  const folder = path.join(w.folder, 'pack')
  const built = await sealwright.pack.build(
    ledger, keys.records, folder, { releaseId: RELEASE, requestedBy: ACTOR, requestedAt: NOW }, NOW,
  ) // prettier-ignore
  const verdict = await sealwright.pack.verify(folder, { signers: signersFile(w), logKey: w.logKey.public.toPem() })
  assert.equal(verdict.statement.packId, built.packId)
})

test('a refusal says which checks refuse', async (t) => {
  const { ledger, keys } = await world(t)
  const request = { artifact: note('never built').digest, environment: DEV, releaseId: RELEASE, deployer: 'deployer' }
  const decision = sealwright.decideSync(ledger, keys.records, request, NOW)
  assert.equal(decision.passed, false)
  await assert.rejects(decision.enforce(ledger), (error) => {
    assert.equal(error.code, 'POLICY_DENIED')
    assert.match(error.context.checks, /EV-PROV-001/)
    return true
  })
  assert.ok(decision.refusals.some((check) => check.id === 'EV-PROV-001'))
})

test('an SBOM is converted, compared and asked', async () => {
  const { sbom } = sealwright
  const bom = (version, id) => {
    const purl = `pkg:npm/leftpad@${version}`
    const component = { type: 'library', 'bom-ref': purl, name: 'leftpad', version, purl, licenses: [{ license: { id } }], tags: ['x'] }
    return Buffer.from(JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [component] }))
  }
  const [first, second] = [bom('1.0.0', 'MIT'), bom('1.1.0', 'GPL-3.0-only')]
  const made = await sbom.convert(first, 'spdx', '2026-11-21T09:30:00Z')
  assert.deepEqual(sbom.validateSync(Buffer.from(made.document)), [])
  assert.deepEqual(made.lost.map((loss) => loss.path), ['/components/0/tags'])
  assert.equal((await sbom.diff(first, second)).upgraded[0].after, '1.1.0')
  assert.deepEqual(sbom.scoreSync(first).components[0].missing, ['supplier', 'hash'])
  assert.equal((await sbom.query(first, { purl: 'pkg:npm/leftpad', range: '<2' })).found.length, 1)
  assert.deepEqual(await sbom.licenses(first, { deny: ['GPL-3.0-only'] }), [])
  assert.equal(sbom.licensesSync(second, { deny: ['GPL-3.0-only'] })[0].license, 'GPL-3.0-only')
  const merged = await sbom.merge([first, second], { name: 'suite' })
  assert.equal(sbom.readSync(Buffer.from(merged.document)).componentCount, 2)
  const said = { vulnerability: 'CVE-1', status: 'fixed', products: ['pkg:npm/leftpad@1.1.0'] }
  const vex = Buffer.from(JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', statements: [said] }))
  assert.equal((await sbom.readVex(vex))[0].status, 'fixed')
  assert.equal(sbom.vexStatusSync([vex], 'CVE-1', 'pkg:npm/leftpad@1.1.0').status, 'fixed')
  assert.equal(await sbom.vexStatus([vex], 'CVE-1', 'pkg:npm/leftpad@1.0.0'), null)
  await assert.rejects(sbom.convert(first, 'pdf'), { code: 'MALFORMED' })
})

test('documents are read', async (t) => {
  const folder = temporary(t)
  fs.writeFileSync(path.join(folder, 'Cargo.toml'), '[package]\nname = "app"\nversion = "1.0.0"\n')
  fs.writeFileSync(path.join(folder, 'Cargo.lock'), 'version = 4\n[[package]]\nname = "app"\nversion = "1.0.0"\n')
  const bom = await sealwright.sbom.generate(folder, { bomRef: 'app' })
  assert.equal(bom.metadata.component['bom-ref'], 'app')
  assert.deepEqual(await sealwright.sbom.validate(Buffer.from(JSON.stringify(bom))), [])
  const report = await sealwright.junit.read(Buffer.from('<testsuite><testcase name="a"/></testsuite>'))
  assert.equal(report.tests, 1)
})

test('the event loop goes on while work is done', async () => {
  const key = PrivateKey.generate('p256')
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  // scrypt takes its time
  await Promise.all([...Array(4)].map(() => key.toPem('correct horse')))
  clearInterval(timer)
  assert.ok(ticks >= 10, `the loop turned ${ticks} times`)
})

test('a getter does not wait for work on the ledger', async (t) => {
  const { ledger, keys } = await world(t)
  const request = { artifact: note('x').digest, environment: DEV, releaseId: RELEASE, deployer: 'deployer' }
  let done = false
  const deciding = sealwright.decide(ledger, keys.records, request, NOW).then(() => (done = true))
  assert.equal(ledger.origin, 'example.org/node')
  assert.equal(done, false)
  await deciding
})

test('the command runs', () => {
  const command = path.join(import.meta.dirname, '../bin/sealwright.js')
  const version = spawnSync(process.execPath, [command, '--version'], { encoding: 'utf8' })
  assert.equal(version.status, 0)
  assert.match(version.stdout, /^sealwright \d/)
  assert.equal(spawnSync(process.execPath, [command, 'no-such-command']).status, 2)
})

test('the example does what it says', async (t) => {
  const folder = temporary(t)
  const key = PrivateKey.generate('p256')
  const found = await firstRecord(import.meta.filename, await ownLedger(folder, key), key)
  assert.equal(found.records[0].speaker.signer, 'builder')
})
