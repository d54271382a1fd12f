// Every case of `fixtures/cases`, as Rust and Python run them too: the same input gives the same code.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { FIXTURES, temporary } from './world.mjs'

const { KeyEncryptionKey, Ledger, PrivateKey, PublicKey, Signer, Statement, TrustRoot, Verifier } = sealwright
const cases = fs.readdirSync(path.join(FIXTURES, 'cases')).flatMap((topic) =>
  fs.readdirSync(path.join(FIXTURES, 'cases', topic)).map((name) => ({ topic, name })),
)

test('there are cases', () => assert.ok(cases.length >= 360))

for (const { topic, name } of cases) {
  test(`${topic}/${name}`, async (t) => {
    const given = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'cases', topic, name), 'utf8'))
    let [code, gives] = ['ok', undefined]
    try {
      gives = await run(topic, given.input, temporary(t))
    } catch (error) {
      if (error.name !== 'SealwrightError') throw error
      code = error.code
    }
    assert.equal(code, given.expect)
    if (code === 'ok' && 'gives' in given) assert.deepEqual(gives, given.gives)
  })
}

async function run(topic, input, folder) {
  switch (topic) {
    case 'verify': {
      const verified = await sealwright.verify(Buffer.from(input.record), input.keys, input.expectation)
      return verified.signers.map((signer) => signer.name)
    }
    case 'blob':
    case 'certificate': {
      const roots = input.trustedRoots.map((root) => Buffer.from(JSON.stringify(root)))
      const trust = roots.reduce((trust, root) => trust.withSigstore(root), new TrustRoot(input.signers))
      const blob = input.blob.digest ?? Buffer.from(input.blob.text)
      const verified = await new Verifier(trust).verifyBlob(Buffer.from(input.bundle), blob, input.expectation)
      return verified.signers.map((signer) => signer.name)
    }
    case 'provenance': {
      const demanded = { artifact: 'any-unsafe', signer: input.signer }
      const verified = await sealwright.verify(Buffer.from(input.record), input.keys, demanded)
      return sealwright.provenance.check(verified, input.expectation).toJSON().build.builderId
    }
    case 'commit': {
      const nobody = new sealwright.commit.CommitTrust()
      const trust = input.trustedRoot
        ? nobody.withCertificates(new TrustRoot().withSigstore(Buffer.from(input.trustedRoot)).withSigners(input.signers))
        : nobody.withAllowedSigners(Buffer.from(input.allowedSigners))
      const verify = { tag: sealwright.commit.verifyTag, commit: sealwright.commit.verify }[input.kind]
      return (await verify(Buffer.from(input.raw), input.id, trust, input.now)).signer.principals
    }
    case 'layout': {
      const links = Object.fromEntries(Object.entries(input.links).map(([name, link]) => [name, Buffer.from(link)]))
      const held = await sealwright.layout.verify(Buffer.from(input.layout), input.owners, links, input.expectation)
      return held.steps.map((step) => step.name)
    }
    case 'signer':
      await Signer.open(input.reference, input.access)
      return
    case 'statement':
      new Statement(input.predicateType, input.subjects, input.predicate)
      return
    case 'payload':
      Statement.parse(Buffer.from(input.payload))
      return
    case 'digest':
      return sealwright.parseDigest(input.text)
    case 'key':
      if (input.public) return PublicKey.fromPem(input.public).id
      return (await PrivateKey.fromPem(input.private, input.passphrase)).public.id
    case 'trust-policy':
      sealwright.trustPolicyStatement(input.policy)
      return
    case 'junit':
      return sealwright.junit.read(Buffer.from(input.report))
    case 'ingest': {
      const report = fs.readFileSync(path.join(FIXTURES, input.report))
      const taken = await sealwright.ingest.read(report, input.told, input.now)
      const statements = taken.statements.map(({ predicateType, subjects, predicate }) => {
        const { nonce, ...said } = predicate
        return { predicateType, subject: subjects, predicate: said }
      })
      return { format: taken.format, statements }
    }
    case 'sbom': {
      if (input.files) {
        for (const [name, text] of Object.entries(input.files)) {
          fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
          fs.writeFileSync(path.join(folder, name), text)
        }
        const bom = await sealwright.sbom.generate(folder, input.options)
        return bom.components.map((component) => `${component['bom-ref']} ${component.scope}`)
      }
      const findings = await sealwright.sbom.validate(Buffer.from(input.document))
      return findings.map((finding) => `${finding.rule} ${finding.path}`)
    }
    case 'image': {
      const bom = await sealwright.sbom.generateImage(path.join(FIXTURES, input.image), input.options)
      return bom.components.map((component) => component['bom-ref'])
    }
    case 'ledger': {
      const anchors = path.join(folder, 'anchors')
      if (input.anchors) fs.cpSync(path.join(FIXTURES, input.anchors), anchors, { recursive: true })
      const ledger = await Ledger.open(copied(input, folder), anchors)
      for (let index = 0; index < (await ledger.size()); index++) await ledger.record(index)
      assert.deepEqual((await ledger.audit()).findings, [])
      return
    }
    case 'opening': {
      const place = input.folder ? copied(input, folder) : input.place
      const file = input.encryptionKey
      const encryptionKey = file ? await KeyEncryptionKey.open(path.join(FIXTURES, file)) : undefined
      const ledger = await Ledger.open(place, path.join(folder, 'anchors'), { encryptionKey, ...input.opening })
      const records = []
      for await (const record of ledger.iterate()) records.push(record)
      assert.equal(records.length, await ledger.size())
      assert.equal(ledger.keyEncryptionKey, encryptionKey?.id ?? null)
      return
    }
    case 'encryption-key':
      return (await KeyEncryptionKey.open(input.file ? path.join(FIXTURES, input.file) : input.reference, input.access)).id
    case 'schedule':
      return sealwright.longestRetention(input.schedule, input.kinds)
    case 'pack':
      await sealwright.pack.verify(copied(input, folder), {
        signers: path.join(FIXTURES, input.signers),
        logKey: input.logKey,
        ...input.demand,
      })
      return
    default:
      assert.fail(`no such topic of cases: ${topic}`)
  }
}

/** A copy of the folder of a case, with its change. */
function copied({ folder, change }, to) {
  const copy = path.join(to, 'copy')
  fs.cpSync(path.join(FIXTURES, folder), copy, { recursive: true })
  if (!change) return copy
  const file = path.join(copy, change.file)
  if (change.remove) {
    fs.rmSync(file)
  } else {
    const content = fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0)
    fs.writeFileSync(file, Buffer.concat([content.subarray(0, change.keep), Buffer.from(change.append ?? '')]))
  }
  return copy
}
