// An RFC 3161 authority that openssl runs on loopback.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

import { temporary } from './world.mjs'

const CONFIG = `
[stamper]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
`

/** The address of an authority, and a trusted root that believes it. */
export async function authority(t) {
  const folder = temporary(t)
  const file = (name) => path.join(folder, name)
  const openssl = (words) => execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'pipe' })
  fs.writeFileSync(file('config'), CONFIG)
  fs.writeFileSync(file('serial'), '01\n')
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
  openssl(`req -x509 ${key} -addext keyUsage=critical,keyCertSign -days 9 -subj /CN=ca -keyout ca.key -out ca.pem`)
  openssl(`req ${key} -subj /CN=tsa -keyout tsa.key -out tsa.csr`)
  const by = '-CA ca.pem -CAkey ca.key -CAcreateserial -extfile config -extensions stamper'
  openssl(`x509 -req -in tsa.csr -out tsa.pem -days 9 ${by}`)
  const server = http.createServer(async (request, response) => {
    fs.writeFileSync(file('query'), Buffer.concat(await request.toArray()))
    openssl('ts -reply -queryfile query -out reply -config config -signer tsa.pem -inkey tsa.key')
    response.end(fs.readFileSync(file('reply')))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const certificates = ['tsa', 'ca'].map((name) => {
    const lines = fs.readFileSync(file(`${name}.pem`), 'utf8').split('\n')
    return { rawBytes: lines.filter((line) => !line.startsWith('-')).join('') }
  })
  const root = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    timestampAuthorities: [{ uri: 'https://tsa.example', certChain: { certificates } }],
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, root: Buffer.from(JSON.stringify(root)) }
}
