// Runs a published Node client several times at once: what it is to do comes in as JSON, what it said of it goes out.
// See tests/clients/published.py for both.
import { connected } from './connections.mjs'
import { text } from 'node:stream/consumers'

const LONGEST_WAIT_MS = 60_000

// Each opens the client that it is named after; `failed` takes the words for each message that was given up.
const CLIENTS = {
  '@segment/analytics-node': async (settings, failed) => {
    const { Analytics } = await import('@segment/analytics-node')
    const analytics = new Analytics(settings)
    analytics.on('error', (error) => failed(String(error.reason ?? error.code)))
    return { client: analytics, end: () => analytics.closeAndFlush({ timeout: LONGEST_WAIT_MS }) }
  },
  'analytics-node': async (settings, failed) => queueing((await import('analytics-node')).default, settings, failed),
  '@rudderstack/rudder-sdk-node': async (settings, failed) =>
    queueing((await import('@rudderstack/rudder-sdk-node')).default, settings, failed),
  '@jitsu/js': async (settings, failed) => {
    const { jitsuAnalytics } = (await import('@jitsu/js')).default
    return { client: jitsuAnalytics({ ...settings, s2s: true, fetch: globalThis.fetch }), awaited: true }
  },
  '@openpanel/sdk': async (settings) => {
    const { OpenPanel } = await import('@openpanel/sdk')
    return { client: new OpenPanel(settings), awaited: true }
  },
}

// The two whose calls take a callback that is called once the message is delivered or given up.
function queueing(Client, { writeKey, ...options }, failed) {
  const client = new Client(writeKey, { ...options, errorHandler: () => {} })
  const ends = []
  const call = (method, argument) => {
    let ended
    const end = new Promise((resolve) => { ended = resolve })
    client[method](argument, (error) => ended(error && failed(String(error.message ?? error))))
    ends.push(end) // not reached when the client refuses the message
  }
  const end = async () => {
    await client.flush()
    await Promise.all(ends)
  }
  return { client, call, end }
}

async function run(name, { settings, calls }) {
  const failures = []
  const failed = (words) => { failures.push(words) }
  const { client, call, awaited, end } = await CLIENTS[name](settings, failed)
  for (const { method, arguments: told } of calls) {
    try {
      const answer = call ? call(method, told) : client[method](...[told].flat())
      if (awaited) await answer
    } catch (error) {
      failed(String(error.message ?? error))
    }
  }
  if (end) await end()
  return failures
}

console.error = console.warn = console.log = () => {} // what the clients log is not the report
const runs = JSON.parse(await text(process.stdin))
const told = Object.entries(runs).map(async ([title, each]) => [title, await run(process.argv[2], each)])
const failures = Object.fromEntries(await Promise.all(told))
process.stdout.write(JSON.stringify({ failures, connected: [...connected] }))
