// What the core takes as data, the declarations name: the core says which names it knows when it is given another.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import sealwright from '../index.js'
import { temporary, world } from './world.mjs'

const { Ledger, Verifier, ci, layout, pack, provenance, sbom } = sealwright
const DECLARED = fs.readFileSync(path.join(import.meta.dirname, '../index.d.ts'), 'utf8')

/** The fields of an interface, and of the one that it extends. */
function declared(name) {
  const found = DECLARED.match(new RegExp(`export interface ${name}(?: extends (\\w+))? {\n(.*?)\n}`, 's'))
  assert.ok(found, name)
  const own = [...found[2].matchAll(/^ {2}(\w+)\??:/gm)].map((field) => field[1])
  return new Set([...own, ...(found[1] ? declared(found[1]) : [])])
}

/** What the core says that it knows. */
async function known(name, call) {
  try {
    await call({ nonsense: 1 })
  } catch (error) {
    assert.match(error.message, /unknown field `nonsense`/, name)
    return new Set([...error.message.split('expected', 2)[1].matchAll(/`([A-Za-z]+)`/g)].map((one) => one[1]))
  }
  assert.fail(`${name}: nonsense was taken`)
}

test('a declaration names each thing that can be demanded or said', async (t) => {
  const { ledger, keys, folder, anchors } = await world(t)
  const [{ verified }] = (await ledger.search()).records
  const none = Buffer.from('')
  const verifier = new Verifier({})
  const calls = {
    Expectation: (data) => verifier.verify(none, data),
    ReceiptDemand: async (data) => (await ledger.prove(0)).check(none, data),
    PackDemand: (data) => pack.verify(folder, data),
    PackRequest: (data) => pack.build(ledger, keys.records, path.join(temporary(t), 'pack'), data),
    LayoutExpectation: (data) => layout.verify(none, [], {}, data),
    ProvenanceExpectation: async (data) => provenance.check(verified, data),
    SummaryExpectation: async (data) => provenance.checkSummary(verified, data),
    CiRun: async (data) => ci.plainMachine('https://example.org', {}, data),
    GenerateOptions: (data) => sbom.generate(folder, data),
    ImageOptions: (data) => sbom.generateImage(folder, data),
    SbomQuery: (data) => sbom.query(none, data),
    LicensePolicy: (data) => sbom.licenses(none, data),
    GateRequest: (data) => sealwright.decide(ledger, keys.records, data),
    Deploy: (data) => sealwright.deploy(ledger, keys.records, data),
    Query: (data) => ledger.search(data),
    Pins: (data) => Ledger.connect('http://127.0.0.1:1', anchors, undefined, data),
    CertificateIdentity: (data) => verifier.verify(none, { artifact: 'any-unsafe', identity: data }),
  }
  for (const [name, call] of Object.entries(calls)) assert.deepEqual(declared(name), await known(name, call), name)
  // a blob is of no predicate type
  const blob = await known('BlobExpectation', (data) => verifier.verifyBlob(none, none, data))
  assert.deepEqual(new Set([...declared('BlobExpectation'), 'predicateType']), blob)
})
