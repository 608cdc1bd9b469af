// Notes with whom this process opens connections, whichever library does it.
import { Socket } from 'node:net'

export const connected = new Set()
const { connect } = Socket.prototype

Socket.prototype.connect = function (...told) {
  const [options] = [told[0]].flat()
  connected.add(typeof options === 'object' ? `${options.host ?? options.path}:${options.port}` : String(options))
  return connect.apply(this, told)
}
