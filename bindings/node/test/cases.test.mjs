// Every case of `fixtures/cases`, as Rust and Python run them too: the same input gives the same code.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { FIXTURES, temporary } from './world.mjs'

const { Ledger, PrivateKey, PublicKey, Statement } = sealwright
const cases = fs.readdirSync(path.join(FIXTURES, 'cases')).flatMap((topic) =>
  fs.readdirSync(path.join(FIXTURES, 'cases', topic)).map((name) => ({ topic, name })),
)

test('there are cases', () => assert.ok(cases.length >= 80))

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
    case 'sbom': {
      const findings = await sealwright.sbom.validate(Buffer.from(input.document))
      return findings.map((finding) => `${finding.rule} ${finding.path}`)
    }
    case 'ledger': {
      const anchors = path.join(folder, 'anchors')
      if (input.anchors) fs.cpSync(path.join(FIXTURES, input.anchors), anchors, { recursive: true })
      const ledger = await Ledger.open(copied(input, folder), anchors)
      for (let index = 0; index < (await ledger.size()); index++) await ledger.record(index)
      assert.deepEqual((await ledger.audit()).findings, [])
      return
    }
    case 'pack':
      await sealwright.pack.verify(copied(input, folder), {
        signers: path.join(FIXTURES, input.signers),
        logKey: input.logKey,
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
