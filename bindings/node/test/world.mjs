// What the tests share: the fixtures of the project, and an organisation with keys, a trust policy and a ledger.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import sealwright from '../index.js'

const { Ledger, PrivateKey, Statement } = sealwright

export const FIXTURES = path.join(import.meta.dirname, '../../../fixtures')
export const NOW = '2026-11-21T10:00:00Z'
export const RELEASE = 'shop-1.4.0'
export const DEV = { id: 'urn:example:env:dev', class: 'dev' }

const BEFORE = '2026-11-21T09:00:00Z'
const OURS = 'https://sealwright.dev/attestation/'
const DECIDED = [`${OURS}policy-evaluation`, `${OURS}promotion`, `${OURS}deployment`]
const PROVENANCE = 'https://slsa.dev/provenance/v1'

/** A folder that is gone after the test. */
export function temporary(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sealwright-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  return folder
}

/** The statements of the pack among the fixtures, in the order of its ledger. */
function statements() {
  const records = path.join(FIXTURES, 'packs/whole/records')
  return fs.readdirSync(records).sort().map((name) => {
    const record = JSON.parse(fs.readFileSync(path.join(records, name), 'utf8'))
    return JSON.parse(Buffer.from(record.dsseEnvelope.payload, 'base64').toString())
  })
}

/** The organisation of the fixtures with keys of its own, up to the first gate; its trust policy may be changed before. */
export async function world(t, { change = () => {}, encryptionKey, submitter } = {}) {
  const folder = temporary(t)
  const [{ predicate: policy }, ...acts] = statements()
  const keys = Object.fromEntries(policy.signers.map(({ name }) => [name, PrivateKey.generate('ed25519')]))
  const newIds = new Map()
  for (const signer of policy.signers) {
    newIds.set(signer.key.digest.sha256, keys[signer.name].public.id)
    signer.key = sealwright.keyDescriptor(keys[signer.name].public)
  }
  for (const id of policy.people.flatMap((person) => person.ids)) id.subject = newIds.get(id.subject) ?? id.subject
  const may = policy.signers.map(({ name, predicateTypes }) => ({ name, predicateTypes: [...predicateTypes] }))
  change(policy)
  const record = await sealwright.sign(sealwright.trustPolicyStatement(policy), keys.admin)
  const logKey = PrivateKey.generate('ed25519')
  const [at, anchors] = [path.join(folder, 'ledger'), path.join(folder, 'state')]
  logKey.writeSync(path.join(folder, 'log.pem'))
  let ledger = await Ledger.init(at, anchors, 'example.org/node', logKey, [record], BEFORE, { encryptionKey })
  if (submitter) ledger = await Ledger.open(at, anchors, { logKey, submitter })
  await ledger.attach(sealwright.starterBundle())
  let artifact
  for (const { predicateType, subject, predicate } of acts) {
    if (DECIDED.some((type) => predicateType.startsWith(type))) continue
    if (predicateType === PROVENANCE) artifact = `sha256:${subject[0].digest.sha256}`
    const signer = predicate.inRole ?? may.find((s) => s.predicateTypes.includes(predicateType)).name
    await ledger.recordStatement(new Statement(predicateType, subject, predicate), keys[signer], BEFORE)
  }
  return { folder, ledger, keys, logKey, artifact, anchors, at }
}

/** A SIGNERS file of everybody, in which `records` may sign packs. */
export function signersFile({ folder, keys }) {
  const lines = Object.entries(keys).map(([name, key]) => {
    fs.writeFileSync(path.join(folder, `${name}.pem`), key.public.toPem())
    return `key ${key.public.id} ${key.public.keyType} ${name}.pem${name === 'records' ? ' pack' : ''}\n`
  })
  fs.writeFileSync(path.join(folder, 'SIGNERS'), lines.join(''))
  return path.join(folder, 'SIGNERS')
}

/** What a case is given. */
export function given(name) {
  return JSON.parse(fs.readFileSync(path.join(FIXTURES, 'cases', `${name}.json`), 'utf8')).input
}

/** A token that is valid for long; its signature says nothing. */
export function token(audience, subject = 'ada') {
  const claims = { iss: 'https://issuer.example', sub: subject, aud: audience, exp: 32503680000, repository: 'a/b' }
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
}

const endpoint = { url: 'http://127.0.0.1:9', majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' } }
/** A signing configuration whose services nobody runs. */
export const CONFIG = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  oidcUrls: [],
  caUrls: [endpoint],
  rekorTlogUrls: [endpoint],
  rekorTlogConfig: { selector: 'ANY' },
})
