// A registry that a test keeps in memory on loopback.

import { once } from 'node:events'
import http from 'node:http'

import sealwright from '../index.js'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const digestOf = (content) => sealwright.digestBytesSync(Buffer.from(content))

/** Takes what it is given, and lists no referrers, so that the tag has to stand in. */
export async function registry(t) {
  const kept = new Map()
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const url = new URL(request.url, 'http://localhost')
    const name = url.searchParams.get('digest') ?? decodeURIComponent(url.pathname.split('/').pop())
    if (request.method === 'POST') return response.writeHead(202, { location: `${url.pathname}1` }).end()
    if (request.method === 'PUT') {
      kept.set(name, { type: request.headers['content-type'], content: body })
      return response.writeHead(201).end()
    }
    const found = request.method === 'GET' && kept.get(name)
    if (!found) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': found.type }).end(found.content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { host: `127.0.0.1:${server.address().port}`, kept }
}

/** Puts an image under its digest and a tag. */
export function push(kept, tag) {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', size: 2, digest: digestOf('{}') }
  const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] }))
  for (const name of [tag, digestOf(content)]) kept.set(name, { type: MANIFEST, content })
  return digestOf(content)
}
