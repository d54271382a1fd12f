#!/usr/bin/env node
'use strict'

const { runCommandSync } = require('..')

process.exitCode = runCommandSync(['sealwright', ...process.argv.slice(2)])
