// Preloaded into the suite's server: whatever port and address it wants to
// listen on, it gets a free port on loopback and prints which.
'use strict'
const { Server } = require('node:net')

const { listen } = Server.prototype
Server.prototype.listen = function () {
  this.once('listening', () => console.log(`port ${this.address().port}`))
  return listen.call(this, 0, '127.0.0.1')
}
