// Makes calls on Dopt's JavaScript client: what it is to do comes in as JSON, what came of each call goes out.
// See tests/clients/dopt_clients.py for both.
import { connected } from './connections.mjs'
import { text } from 'node:stream/consumers'
import { DoptApiClient } from '@dopt/users-javascript-client'

async function outcome(client, method, told) {
  const part = method === 'identifyGroup' ? client.groups : client.users
  try {
    return { answer: (await part[method](told)) ?? null }
  } catch (error) {
    return { error: error.message.split('\n')[0], status: error.statusCode, body: error.body }
  }
}

const outcomes = {}
for (const [name, run] of Object.entries(JSON.parse(await text(process.stdin)))) {
  const client = new DoptApiClient({ apiKey: run.key, environment: run.url })
  outcomes[name] = []
  for (const [method, told] of run.calls) outcomes[name].push(await outcome(client, method, told))
}
console.log(JSON.stringify({ outcomes, connected: [...connected] }))
