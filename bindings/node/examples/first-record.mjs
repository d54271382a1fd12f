// Makes a key, signs provenance for a file, verifies it, keeps it in a ledger and finds it again.

import path from 'node:path'

import sw from '../index.js'

/**
 * The ten lines of the README. `key` is one that the trust policy of the ledger lets say provenance.
 *
 * @param {string} file
 * @param {sw.Ledger} ledger
 * @param {sw.PrivateKey} key
 */
export async function firstRecord(file, ledger, key) {
  const digest = await sw.digestFile(file)
  const subject = { name: path.basename(file), digest: sw.parseDigest(digest) }
  const build = { buildType: 'https://example.org/build/v1', externalParameters: { target: subject.name } }
  const run = { builder: { id: 'https://example.org/builders/main' } }
  const said = { buildDefinition: build, runDetails: run }
  const record = await sw.sign(new sw.Statement('https://slsa.dev/provenance/v1', [subject], said), key)
  const keys = { builder: key.public.toPem() }
  const verified = await sw.verify(record, keys, { artifact: digest, signer: 'builder' })
  const receipt = await ledger.append(await ledger.verify(verified.record))
  await receipt.verify(record, ledger.logKey)
  return ledger.search({ digest })
}

/**
 * A new ledger in which `key`, called `builder`, may sign the trust policy and say provenance.
 *
 * @param {string} folder
 * @param {sw.PrivateKey} key
 */
export async function ownLedger(folder, key) {
  const signer = {
    name: 'builder',
    key: sw.keyDescriptor(key.public),
    predicateTypes: ['https://slsa.dev/provenance/v1', 'https://sealwright.dev/attestation/trust-policy/v0.1'],
    for: [{ builder: 'https://example.org/builders/main' }],
  }
  const policy = {
    version: 1, admins: [{ signer: 'builder' }], threshold: 1, signers: [signer], writers: [], people: [],
    revocations: [], profile: sw.policyProfile(sw.starterBundle()), witnesses: [], quorum: 0,
  } // prettier-ignore
  const record = await sw.sign(sw.trustPolicyStatement(policy), key)
  const logKey = sw.PrivateKey.generate('ed25519')
  const [at, anchors] = [path.join(folder, 'ledger'), path.join(folder, 'state')]
  return sw.Ledger.init(at, anchors, 'example.org/first-ledger', logKey, [record])
}

if (process.argv[1] === import.meta.filename) {
  const builder = sw.PrivateKey.generate('p256')
  const found = await firstRecord(process.argv[2], await ownLedger(process.argv[3], builder), builder)
  console.log(`entry ${found.records[0].index} of ${found.size}, signed by ${found.records[0].speaker.signer}`)
}
