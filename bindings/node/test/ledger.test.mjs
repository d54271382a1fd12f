// A ledger wherever it lies: encrypted, kept and disposed of, witnessed, mirrored, moved.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { Readable } from 'node:stream'
import test from 'node:test'

import sealwright from '../index.js'
import { authority } from './authority.mjs'
import { FIXTURES, NOW, RELEASE, temporary, world } from './world.mjs'

const { KeyEncryptionKey, Ledger, Mirror, PrivateKey, Spool, Statement, Witness } = sealwright
const OURS = 'https://sealwright.dev/attestation/'
const PROVENANCE = 'https://slsa.dev/provenance/v1'
const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1'
const LATER = '2029-01-01T00:00:00Z'
const SCHEDULE = { v: 'sealwright-retention/v1', frameworks: ['pci-dss-4.0.1'] }
const RECORDS = { id: 'urn:example:workload:records', kind: 'workload' }
const CLEO = { id: 'mailto:cleo@example.org', kind: 'human', displayName: 'Cleo Example' }
const WITNESS = 'witness.example.org/w1'

/** Two people are records officers, and `records` may place holds and dispose. */
function officers(policy) {
  for (const person of policy.people.slice(1)) person.roles.push('records-officer')
  const records = policy.signers.find(({ name }) => name === 'records')
  records.predicateTypes.push(`${OURS}legal-hold/v0.1`, `${OURS}retention-disposal/v0.1`)
}

/** Appends a record of a test run, which nothing else says. */
async function log({ ledger, keys }, about) {
  const subject = [{ digest: sealwright.parseDigest(sealwright.digestBytesSync(Buffer.from(about))) }]
  const { records } = await ledger.search({ predicateType: TEST_RESULT, limit: 1 })
  return ledger.recordStatement(new Statement(TEST_RESULT, subject, records[0].statement.predicate), keys.tester, NOW)
}

async function all(iterable) {
  const items = []
  for await (const item of iterable) items.push(item)
  return items
}

test('records are iterated, page by page', async (t) => {
  const { ledger } = await world(t)
  const indexes = (await all(ledger.iterate({ limit: 2 }))).map((record) => record.index)
  assert.deepEqual(indexes, [...Array(await ledger.size()).keys()])
  for await (const record of ledger.iterate({ predicateType: PROVENANCE })) {
    assert.equal(record.statement.predicateType, PROVENANCE)
    break
  }
  const rest = ledger.iterate({ predicateType: PROVENANCE })
  assert.equal((await rest.next()).done, false)
  assert.deepEqual(await rest.next(), { done: true })
  assert.throws(() => ledger.iterate({ nonsense: 1 }), { code: 'MALFORMED' })
  await assert.rejects(all(ledger.iterate({ limit: 10_001 })), { code: 'LIMIT_EXCEEDED' })
})

test('the event loop goes on while records are iterated', async (t) => {
  const { ledger } = await world(t)
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  for (let round = 0; round < 20; round++) await all(ledger.iterate({ limit: 1 }))
  clearInterval(timer)
  assert.ok(turns > 0)
})

test('a complete answer comes from the log', async (t) => {
  const { ledger } = await world(t)
  const complete = await ledger.complete({ release: RELEASE })
  const found = await ledger.search({ release: RELEASE })
  assert.deepEqual(complete.records.map((r) => r.index), found.records.map((r) => r.index))
  assert.deepEqual([complete.more, complete.size, complete.withoutBody], [false, await ledger.size(), []])
  assert.ok((await ledger.checkpoint()).includes(complete.root))
  assert.equal(ledger.completeSync({ limit: 1 }).more, true)
})

test('figures are data and text for Prometheus', async (t) => {
  const { ledger } = await world(t)
  const stats = await ledger.stats(NOW)
  const data = JSON.parse(JSON.stringify(stats))
  assert.equal(data.size, await ledger.size())
  assert.equal(data.types[PROVENANCE].records, 1)
  assert.ok(stats.toPrometheus().includes(`sealwright_ledger_entries{origin="example.org/node"} ${data.size}`))
  assert.deepEqual(await ledger.repairs(), [])
})

test('what a crash left is repaired and told', async (t) => {
  const { at, anchors } = await world(t)
  const journal = path.join(at, 'journal')
  // room may follow on the last frame
  const bytes = fs.readFileSync(journal)
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  fs.writeFileSync(journal, Buffer.concat([bytes.subarray(0, end), Buffer.from('half a frame')]))
  const ledger = await Ledger.open(at, anchors)
  assert.deepEqual((await ledger.repairs()).map(({ kind }) => kind), ['dropped'])
})

test('what was appended is brought to rest', async (t) => {
  const { at, ledger } = await world(t)
  assert.ok(fs.existsSync(path.join(at, 'journal')))
  await ledger.close()
  assert.ok(!fs.existsSync(path.join(at, 'journal')))
  // by others, too, which closing leaves to them
  await ledger.settle()
  assert.equal(fs.readFileSync(path.join(at, 'checkpoint'), 'utf8'), await ledger.checkpoint())
})

test('attachments are bytes and files, and given out as streams', async (t) => {
  const { folder, ledger, at } = await world(t)
  const raw = Buffer.alloc(768_000, 'a report')
  const file = path.join(folder, 'report.bin')
  fs.writeFileSync(file, raw)
  const digest = await ledger.attach(raw)
  assert.equal(await ledger.attach({ path: file }), digest)
  assert.equal(ledger.attachSync({ path: file }), digest)
  assert.deepEqual(await ledger.attachment(digest), raw)
  const reader = await ledger.attachmentStream(digest)
  assert.equal(reader.size, raw.length)
  const pieces = await all(reader)
  assert.equal(pieces.length, 3)
  assert.deepEqual(Buffer.concat(pieces), raw)
  const out = path.join(folder, 'out.bin')
  await fs.promises.writeFile(out, Readable.from(await ledger.attachmentStream(digest)))
  assert.deepEqual(fs.readFileSync(out), raw)
  const kept = fs.readdirSync(at, { recursive: true }).find((name) => name.endsWith(digest.slice('sha256:'.length)))
  fs.appendFileSync(path.join(at, kept), '?')
  await assert.rejects(all(ledger.attachmentStreamSync(digest)), { code: 'LEDGER_TAMPERED' })
  await assert.rejects(ledger.attachmentStream(`sha256:${'0'.repeat(64)}`), { code: 'NOT_FOUND' })
  await assert.rejects(ledger.attach({ path: path.join(folder, 'none') }), { code: 'NOT_FOUND' })
  assert.throws(() => ledger.attach('a text'))
})

test('an encrypted ledger opens with its key alone', async (t) => {
  const keys = temporary(t)
  const file = (name) => path.join(keys, `${name}.json`)
  const key = await KeyEncryptionKey.generate(file('kek'), 'correct horse')
  const { ledger, at, anchors } = await world(t, { encryptionKey: key })
  assert.equal(ledger.keyEncryptionKey, key.id)
  const stored = fs.readdirSync(at, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const texts = stored.map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1')).join('')
  assert.ok(!texts.includes(RELEASE) && !texts.includes(PROVENANCE))
  const again = await KeyEncryptionKey.open(file('kek'), { passphrase: 'correct horse' })
  const opened = await Ledger.open(at, anchors, { encryptionKey: again })
  assert.ok((await opened.search({ release: RELEASE })).records.length > 0)
  const other = KeyEncryptionKey.generateSync(file('other'))
  for (const encryptionKey of [other, undefined]) {
    await assert.rejects(Ledger.open(at, anchors, { encryptionKey }), { code: 'WRONG_KEY' })
  }
  const rotated = await opened.rotateEncryptionKeys(other)
  assert.deepEqual([rotated.key, rotated.resumed, opened.keyEncryptionKey], [other.id, false, other.id])
  assert.throws(() => Ledger.openSync(at, anchors, { encryptionKey: again }), { code: 'WRONG_KEY' })
  assert.deepEqual((await (await Ledger.open(at, anchors, { encryptionKey: other })).audit()).findings, [])
  await assert.rejects(KeyEncryptionKey.generate(file('other')), { code: 'ALREADY_EXISTS' })
  assert.throws(() => Ledger.open(at, anchors, { encryptionKey: { id: other.id } }))
  await assert.rejects(Ledger.open(at, anchors, { encryptionkey: other }), { code: 'MALFORMED' })
})

test('records are held, disposed of, and proven after all', async (t) => {
  const { ledger, keys } = await world(t, { change: officers })
  const [build] = (await ledger.search({ predicateType: PROVENANCE })).records
  const entries = [build.index]
  assert.deepEqual((await ledger.retention(SCHEDULE, NOW)).due, [])
  const retention = await ledger.retention(SCHEDULE, LATER)
  assert.ok(retention.due.some((due) => due.index === build.index))
  assert.equal(retention.toJSON().records.length, await ledger.size())

  const holdId = 'https://example.org/holds/17'
  const order = { holdId, matter: 'Matter 17', orderedBy: CLEO, entries }
  await sealwright.placeHold(ledger, keys.records, order, LATER)
  const plan = await ledger.planDisposal(SCHEDULE, entries, LATER)
  assert.equal(plan.mayGo, false)
  assert.ok(plan.toJSON().refused[0].obstacles[0].includes(holdId))
  const nothing = { holdId: `${holdId}0`, matter: 'x', orderedBy: CLEO }
  await assert.rejects(sealwright.placeHold(ledger, keys.records, nothing, LATER), { code: 'API_MISUSE' })
  const approve = (officer) => sealwright.approveDisposal(ledger, keys[officer], SCHEDULE, CLEO, entries, LATER)
  await assert.rejects(approve('reviewer'), { code: 'POLICY_DENIED' })
  await sealwright.releaseHold(ledger, keys.records, holdId, CLEO, undefined, LATER)
  const holds = (await ledger.holds()).map((hold) => [hold.placed.holdId, hold.releasedBy])
  assert.deepEqual(holds, [[holdId, (await ledger.size()) - 1]])

  const dispose = () => ledger.dispose(keys.records, SCHEDULE, RECORDS, entries, LATER)
  await assert.rejects(dispose(), { code: 'POLICY_DENIED' })
  await approve('reviewer')
  await approve('release-manager')
  const receipt = await ledger.prove(build.index)
  assert.equal(ledger.planDisposalSync(SCHEDULE, entries, LATER).mayGo, true)
  assert.deepEqual((await dispose()).entries, entries)
  assert.deepEqual(await ledger.finishDisposals(), [])
  await assert.rejects(ledger.record(build.index), { code: 'BODY_DISPOSED' })
  await receipt.verify(build.verified.record, ledger.logKey)
  assert.deepEqual((await ledger.audit()).findings, [])
})

test('bodies go to the archive and back', async (t) => {
  const { folder, ledger, at, anchors } = await world(t)
  await assert.rejects(ledger.archive(NOW), { code: 'API_MISUSE' })
  const archiving = await Ledger.open(at, anchors, { archive: path.join(folder, 'cold') })
  const { entries } = await archiving.archive(new Date(NOW))
  assert.deepEqual(await archiving.archived(), entries)
  assert.equal((await archiving.record(1)).index, 1)
  await assert.rejects((await Ledger.open(at, anchors)).record(1), { code: 'BODY_ARCHIVED' })
  assert.deepEqual((await archiving.unarchive([1])).entries, [1])
  assert.deepEqual((await archiving.unarchive()).entries, entries.slice(1))
  assert.deepEqual((await archiving.audit()).findings, [])
})

test('witnesses cosign what extends what they saw', async (t) => {
  const witness = new Witness(temporary(t), WITNESS, PrivateKey.generate('ed25519'))
  const listed = (policy) => Object.assign(policy, { witnesses: [{ name: WITNESS, key: witness.key }], quorum: 1 })
  const w = await world(t, { change: listed })
  const { ledger, at } = w
  const server = http.createServer(async (request, response) => {
    const { status, contentType, body } = await witness.addCheckpoint(Buffer.concat(await request.toArray()))
    response.writeHead(status, { 'content-type': contentType }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  await assert.rejects(witness.cosign(at), { code: 'NOT_FOUND' })
  const cosigned = await witness.cosign(at, ledger.logKey)
  assert.deepEqual((await ledger.keepCosigned(cosigned)).map((c) => c.witness), [WITNESS])
  await log(w, 'more')
  const asked = await ledger.askWitnesses({ [WITNESS]: `http://127.0.0.1:${server.address().port}/` })
  assert.deepEqual([asked.failed, asked.witnessed.size], [[], await ledger.size()])
  assert.deepEqual((await ledger.witnessed()).cosignatures.map((c) => c.witness), [WITNESS])
  const silent = await ledger.askWitnesses({ [WITNESS]: 'http://127.0.0.1:9/' })
  assert.deepEqual(silent.failed.map((f) => [f.witness, f.code]), [[WITNESS, 'SERVICE_UNAVAILABLE']])
  await assert.rejects(ledger.askWitnesses({ 'witness.example.org/other': 'http://127.0.0.1:9/' }), { code: 'API_MISUSE' })
  await witness.trustLog(ledger.logKey)
})

test('a checkpoint is timestamped', async (t) => {
  const { url, root } = await authority(t)
  const digest = sealwright.parseDigest(sealwright.digestBytesSync(root))
  const trustedRoots = [{ digest, content: root.toString('base64') }]
  const { ledger } = await world(t, { change: (policy) => Object.assign(policy, { trustedRoots }) })
  const stamped = await ledger.timestampCheckpoint(url)
  assert.equal(stamped.authority, 'https://tsa.example')
  assert.deepEqual((await ledger.witnessed()).timestamps, [stamped])
  const none = ledger.keepTimestamp(await ledger.checkpoint(), Buffer.from('no token'))
  await assert.rejects(none, { code: 'BAD_TIMESTAMP' })
})

test('the log key is replaced, every handle tells the newest, and old receipts hold', async (t) => {
  const w = await world(t)
  const { ledger, at, anchors, logKey } = w
  const [old, other] = [ledger.logKey, await Ledger.open(at, anchors)]
  const before = await ledger.prove(1)
  const note = await ledger.rotateLogKey(PrivateKey.generate('ed25519'))
  assert.notEqual(ledger.logKey, old)
  assert.ok(note.includes(ledger.logKey))
  assert.deepEqual(await ledger.rotations(), [note])
  assert.equal(other.logKey, old)
  await other.refresh()
  assert.equal(other.logKey, ledger.logKey)
  const after = await log(w, 'after')
  const { record } = (await ledger.record(after.index)).verified
  await before.verify((await ledger.record(1)).verified.record, old)
  await assert.rejects(after.verify(record, old), { name: 'SealwrightError' })
  await after.verify(record, old, [note])
  await after.verify(record, ledger.logKey)
  await assert.rejects(Ledger.open(at, anchors, { logKey }), { code: 'UNTRUSTED_SIGNER' })
})

test('two histories are found and proven', async (t) => {
  const w = await world(t)
  const twin = (name) => path.join(w.folder, `twin-${name}`)
  fs.cpSync(w.at, twin('ledger'), { recursive: true })
  fs.cpSync(w.anchors, twin('state'), { recursive: true })
  await log(w, 'one history')
  const other = await Ledger.open(twin('ledger'), twin('state'), { logKey: w.logKey })
  await log({ ...w, ledger: other }, 'another history')
  await assert.rejects(Ledger.open(twin('ledger'), w.anchors), { code: 'LEDGER_FORKED' })
  const [proof] = await w.ledger.forks()
  assert.ok(proof.checkpoints.includes(await other.checkpoint()))
  sealwright.verifyFork(proof, w.ledger.logKey)
  proof.checkpoints[1] = proof.checkpoints[0]
  assert.throws(() => sealwright.verifyFork(proof, w.ledger.logKey), { code: 'EXPECTATION_UNMET' })
})

test('a mirror is pulled and restored', async (t) => {
  const w = await world(t)
  const { folder, ledger, at, anchors, logKey } = w
  const copy = path.join(folder, 'copy')
  const mirror = new Mirror(copy, anchors)
  const pulled = await mirror.pull(at, { pins: { logKey: ledger.logKey } }, NOW)
  assert.deepEqual([pulled.had, pulled.size], [0, await ledger.size()])
  await log(w, 'since')
  const lag = await mirror.lag(at, '2026-11-21T10:01:00Z')
  assert.deepEqual(lag, { entries: 1, millis: 60_000, pulledAt: NOW })
  assert.equal((await mirror.pull(at, undefined, NOW)).size, await ledger.size())
  await assert.rejects(Ledger.open(copy, anchors, { logKey }), { code: 'API_MISUSE' })
  const back = path.join(folder, 'back')
  await Mirror.restore(back, anchors, copy)
  assert.equal(await (await Ledger.open(back, anchors, { logKey })).checkpoint(), await ledger.checkpoint())
})

test('a mirror of an encrypted ledger is proven with its key', async (t) => {
  const key = await KeyEncryptionKey.generate(path.join(temporary(t), 'kek.json'))
  const w = await world(t, { encryptionKey: key })
  await log(w, 'sealed')
  const copy = path.join(w.folder, 'copy')
  const mirror = new Mirror(copy, w.anchors)
  const blind = await mirror.pull(w.at, { pins: { logKey: w.ledger.logKey } }, NOW)
  assert.equal(blind.unproven, blind.size)
  assert.equal((await mirror.pull(w.at, { encryptionKey: key }, NOW)).unproven, 0)
  const back = path.join(w.folder, 'back')
  await assert.rejects(Mirror.restore(back, w.anchors, copy), { code: 'WRONG_KEY' })
  const restored = await Mirror.restore(back, w.anchors, copy, { encryptionKey: key })
  assert.equal(restored.withoutBody, 0)
  const opening = { encryptionKey: key, logKey: w.logKey }
  assert.equal(await (await Ledger.open(back, w.anchors, opening)).checkpoint(), await w.ledger.checkpoint())
})

test('a ledger moves, and its old place takes nothing', async (t) => {
  const w = await world(t)
  const there = path.join(w.folder, 'there')
  const moved = await Ledger.moveTo(w.at, there, w.anchors)
  assert.deepEqual([moved.size, moved.to], [await w.ledger.size(), there])
  const ledger = await Ledger.open(there, w.anchors, { logKey: w.logKey })
  assert.deepEqual([ledger.place, await ledger.movedTo()], [there, null])
  await w.ledger.refresh()
  assert.equal(await w.ledger.movedTo(), there)
  await assert.rejects(log(w, 'too late'), { code: 'APPEND_REFUSED' })
  await assert.rejects(Ledger.moveTo('https://ledger.example.org', there, w.anchors), { code: 'API_MISUSE' })
})

// nothing answers there, so that it is seen what is asked for; buckets with services are tested with the command
test('a bucket is a place like any other', async (t) => {
  const folder = temporary(t)
  const place = path.join(folder, 'bucket.toml')
  fs.writeFileSync(place, `bucket = "s3://evidence/shop"
database = "postgres://s@127.0.0.1:9/x"
region = "x"
endpoint = "http://127.0.0.1:9"
retries = 0
timeout-seconds = 1
`)
  const variables = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', PGPASSWORD: 'secret' }
  await assert.rejects(Ledger.open(place, path.join(folder, 'state'), { variables }), { code: 'SERVICE_UNAVAILABLE' })
  fs.writeFileSync(place, 'bucket = "no address"\n')
  await assert.rejects(Ledger.open(place, path.join(folder, 'state')), { code: 'MALFORMED' })
})

test('a spool is sent when there is a ledger', async (t) => {
  const { folder, ledger } = await world(t)
  const spool = new Spool(path.join(folder, 'spool'))
  const [run] = (await ledger.search({ predicateType: PROVENANCE })).records
  const waits = await spool.add(run.verified.record, NOW)
  await spool.add(await sealwright.sign(run.statement, PrivateKey.generate('ed25519')), NOW)
  const waiting = await spool.waiting()
  assert.deepEqual([waiting[0], waiting.length], [path.basename(waits), 2])
  const sent = await spool.send(ledger, NOW)
  assert.deepEqual(sent.delivered.map(({ receipt }) => receipt.index), [run.index])
  assert.deepEqual(sent.refused.map(({ code }) => code), ['UNTRUSTED_SIGNER'])
  assert.deepEqual([sent.stopped, spool.waitingSync()], [null, []])
  await assert.rejects(spool.add(Buffer.from('no record')), { code: 'MALFORMED' })
})

test('files wait in a spool, and are sent before records', async (t) => {
  const { folder, ledger } = await world(t)
  const [spool, report] = [new Spool(path.join(folder, 'spool')), path.join(folder, 'report')]
  await assert.rejects(spool.send(ledger, NOW), { code: 'NOT_FOUND' })
  fs.writeFileSync(report, 'a report')
  const digest = await spool.attach({ path: report })
  assert.equal(digest, sealwright.digestBytesSync(Buffer.from('a report')))
  assert.equal(spool.attachSync(Buffer.from('a report')), digest)
  assert.deepEqual(await spool.attachments(), [digest])
  assert.equal((await spool.send(ledger, NOW)).stopped, null)
  assert.deepEqual([spool.attachmentsSync(), String(await ledger.attachment(digest))], [[], 'a report'])
  await assert.rejects(spool.attach({ path: path.join(folder, 'none') }), { code: 'NOT_FOUND' })
})

/** A ledger behind a sequencer on loopback, its URL, and a token that lets in. */
async function served(t) {
  const w = await world(t, {
    submitter: 'ci',
    change: (policy) => {
      const apart = ['trust-policy', 'deployment'].map((kind) => `${OURS}${kind}/v0.1`)
      const types = new Set(policy.signers.flatMap((signer) => signer.predicateTypes))
      for (const type of apart) types.delete(type)
      policy.writers = [
        { credential: 'ci', predicateTypes: [...types] },
        { credential: 'admins', predicateTypes: [apart[0]] },
      ]
    },
  })
  const issuer = PrivateKey.generate('ed25519')
  const part = (data) => Buffer.from(data).toString('base64url')
  const der = Buffer.from(issuer.public.toPem().split('\n').slice(1, -2).join(''), 'base64')
  const jwk = { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: 'k', x: part(der.subarray(-32)) }
  fs.writeFileSync(path.join(w.folder, 'keys.json'), JSON.stringify({ keys: [jwk] }))
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: 'https://ci.example.org', sub: 'ci', aud: 'ledger', iat: now, exp: now + 600 }
  const signed = `${part(JSON.stringify({ alg: 'EdDSA', kid: 'k', typ: 'JWT' }))}.${part(JSON.stringify(claims))}`
  const token = `${signed}.${part(issuer.signSync(Buffer.from(signed)))}`
  const free = http.createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  fs.writeFileSync(path.join(w.folder, 'serve.toml'), `ledger = "ledger"
state = "server-state"
log-key = "log.pem"
listen = "127.0.0.1:${port}"
transport = "plain-behind-proxy"
[roles]
all = ["append", "attach", "read-log", "read-records", "search"]
[[issuer]]
issuer = "https://ci.example.org"
audience = "ledger"
algorithms = ["EdDSA"]
keys-file = "keys.json"
[[caller]]
name = "ci"
credential = "ci"
roles = ["all"]
token = { issuer = "https://ci.example.org", subject = "ci" }
`)
  const command = path.join(import.meta.dirname, '../bin/sealwright.js')
  const words = [command, 'ledger', 'serve', '--config', 'serve.toml']
  const server = spawn(process.execPath, words, { cwd: w.folder, stdio: 'ignore' })
  const ended = once(server, 'exit')
  t.after(async () => {
    server.kill()
    assert.deepEqual(await ended, [0, null])
  })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 200; tries++) {
    assert.equal(server.exitCode, null)
    if (await fetch(`${url}/healthz`).then(() => true, () => false)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { ...w, url, token }
}

test('a ledger behind an address is used like one in a folder', async (t) => {
  const w = await served(t)
  const [pins, anchors] = [{ logKey: w.ledger.logKey }, path.join(w.folder, 'elsewhere')]
  const ledger = await Ledger.open(w.url, anchors, { pins, access: { token: w.token } })
  assert.equal(await ledger.checkpoint(), await w.ledger.checkpoint())
  assert.equal((await all(ledger.iterate({ limit: 3 }))).length, await ledger.size())
  const receipt = await log({ ...w, ledger }, 'over the network')
  await w.ledger.refresh()
  assert.equal(receipt.index, (await w.ledger.size()) - 1)
  const digest = await ledger.attach(Buffer.from('raw'))
  assert.equal(Buffer.concat(await all(await ledger.attachmentStream(digest))).toString(), 'raw')
  const again = await Ledger.connect(w.url, anchors, { token: w.token }, pins)
  assert.equal(again.anchored, 'extends')
  const keyed = Ledger.open(w.url, anchors, { access: { token: w.token }, logKey: w.logKey })
  await assert.rejects(keyed, { code: 'API_MISUSE' })
  await assert.rejects(Ledger.open(w.url, anchors, { pins }), { code: 'PERMISSION_DENIED' })
})

for (const name of ['ledger-v1', 'ledger-encrypted-v1']) {
  test(`the golden ${name} is read as when it was written`, async (t) => {
    const folder = temporary(t)
    fs.cpSync(path.join(FIXTURES, name), folder, { recursive: true })
    const expected = JSON.parse(fs.readFileSync(path.join(folder, 'expected.json'), 'utf8'))
    const key = path.join(folder, 'kek.json')
    const encryptionKey = fs.existsSync(key) ? await KeyEncryptionKey.open(key) : undefined
    const { logKey, trustPolicy, checkpoint: minCheckpoint } = expected
    const pins = { logKey, trustPolicy, minCheckpoint }
    const opening = { encryptionKey, pins }
    const ledger = await Ledger.open(path.join(folder, 'ledger'), path.join(folder, 'anchors'), opening)
    assert.deepEqual([ledger.origin, await ledger.size()], [expected.origin, expected.size])
    assert.equal(await ledger.checkpoint(), expected.checkpoint)
    for (const { index, payload, signer } of expected.records) {
      const { statement, speaker } = await ledger.record(index)
      assert.deepEqual([statement.payloadDigest, speaker.signer], [payload, signer])
    }
    assert.equal(String(await ledger.attachment(expected.attachment)), '<testsuite/>')
    assert.deepEqual((await ledger.audit()).findings, [])
    const { receipt: given, record, index } = expected.receipt
    const receipt = sealwright.Receipt.parse(Buffer.from(JSON.stringify(given)))
    await receipt.check(Buffer.from(record), { logKey })
    assert.equal(receipt.index, index)
    for (const rebuilt of [false, true]) {
      if (rebuilt) await ledger.rebuildIndex()
      for (const { query, indexes, more } of expected.search) {
        for (const found of [await ledger.search(query), await ledger.complete(query)]) {
          assert.deepEqual(found.records.map((r) => r.index), indexes)
          assert.equal(found.more, more)
        }
      }
    }
  })
}

test('affected joins SBOMs with what runs', async (t) => {
  const { ledger, artifact } = await world(t)
  const [sbom] = (await ledger.search({ predicateType: 'https://cyclonedx.org/bom' })).records
  const { purl } = sbom.statement.predicate.components.find((component) => component.purl)
  const found = await ledger.affected({ purl })
  assert.deepEqual(ledger.affectedSync({ purl, complete: true }), found)
  assert.equal(found.artifacts.length, 1)
  assert.equal(found.artifacts[0].digest, artifact)
  assert.deepEqual(found.artifacts[0].records, [sbom.index])
  assert.deepEqual(found.artifacts[0].running, [])
  const component = purl.split('@')[0]
  assert.deepEqual((await ledger.search({ component })).records.map((record) => record.index), [sbom.index])
  const advisory = { id: 'X-1', affected: [{ package: { ecosystem: 'npm', name: 'x', purl: component } }] }
  assert.deepEqual((await ledger.affected({ advisory })).artifacts, found.artifacts)
  for (const [asked, code] of [[{}, 'API_MISUSE'], [{ purl: 'x' }, 'MALFORMED'], [{ nonsense: 1 }, 'MALFORMED']]) {
    await assert.rejects(ledger.affected(asked), { code })
  }
})

test('alerts tell secrets that are read more often than they are', async (t) => {
  const type = 'https://sealwright.dev/attestation/key-access/v0.1'
  const change = (policy) => policy.signers.find(({ name }) => name === 'records').predicateTypes.push(type)
  const { ledger, keys } = await world(t, { change })
  const [resource, at] = ['vault://secret/data/shop', '2026-11-21T09:00:00Z']
  const actor = { id: 'urn:example:workload:records', kind: 'workload' }
  const read = {
    nonce: '00'.repeat(16),
    resource,
    resourceKind: 'secret',
    operation: 'read',
    actor,
    at,
    outcome: 'SUCCEEDED',
    count: 15,
    window: { from: at, to: at },
    sourceEvent: { digest: { sha256: '00'.repeat(32) } },
  }
  const uriSha256 = sealwright.digestBytesSync(Buffer.from(resource)).replace('sha256:', '')
  const statement = new sealwright.Statement(type, [{ uri: resource, digest: { uriSha256 } }], read)
  const { index } = await ledger.recordStatement(statement, keys.records, NOW)
  const { alerts } = await sealwright.alerts(ledger, {}, NOW)
  assert.deepEqual(
    alerts.map(({ kind, about, records }) => [kind, about, records]),
    [['unusual-reads', resource, [index]], ['unusual-reader', actor.id, [index]]],
  )
  assert.deepEqual(sealwright.alertsSync(ledger, { more: 16 }, NOW).alerts, [])
  for (const [watch, code] of [[{ hours: 0 }, 'API_MISUSE'], [{ hour: 1 }, 'MALFORMED']]) {
    await assert.rejects(sealwright.alerts(ledger, watch, NOW), { code })
  }
})
