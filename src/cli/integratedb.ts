#!/usr/bin/env node
/** The command `integratedb`. */
import { main } from './main.ts'

process.stdout.on('error', () => {}) // told to whoever wrote
process.exitCode = await main(process.argv.slice(2), {
  environment: process.env,
  stdin: process.stdin,
  print: (text) => new Promise((resolve, reject) => void process.stdout.write(text, (error) => (error ? reject(error) : resolve()))),
  tell: (line) => void process.stderr.write(`${line.replace(/\s*\n\s*/g, ' ')}\n`),
})
