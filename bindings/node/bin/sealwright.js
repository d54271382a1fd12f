#!/usr/bin/env node
'use strict'

const { runCommandSync } = require('..')

// Node's own handlers raise the signal once more, for ever where the command stops by it: whoever listened last takes them along
for (const signal of ['SIGINT', 'SIGTERM']) {
  const nothing = () => {}
  process.on(signal, nothing)
  process.off(signal, nothing)
}

process.exitCode = runCommandSync(['sealwright', ...process.argv.slice(2)])
