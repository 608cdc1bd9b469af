// Makes calls on the official Node client, as it is told on standard input, and says at the end what came of it.
// The first line holds the settings of the client, each further line a call; see tests/clients/driving.py.
import { createInterface } from 'node:readline'
import { Analytics } from '@segment/analytics-node'

const FLUSH_WITHIN_MS = 60_000

// JSON with the Date objects in it that JSON has not.
function revived(key, value) {
  return value !== null && typeof value === 'object' && '$moment' in value ? new Date(value.$moment) : value
}

function open(settings) {
  const analytics = new Analytics(settings)
  analytics.on('http_request', () => { requests += 1 })
  analytics.on('error', (error) => { errors.push({ words: String(error.reason ?? error.code), messages: 1 }) })
  return analytics
}

const ids = []
const errors = []
let requests = 0
let calls = 0
let analytics

for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line, revived)
  if (analytics === undefined) {
    analytics = open(told)
  } else {
    const number = calls++
    analytics[told.method](told.arguments, (_, context) => { ids[number] = context.event.messageId })
  }
}
await analytics.closeAndFlush({ timeout: FLUSH_WITHIN_MS })
console.log(JSON.stringify({ ids, errors, requests }))
