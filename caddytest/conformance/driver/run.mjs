// Runs tests of the suite in a folder against the cache at a base URL and prints
// what they are and how they ended, as JSON:
//
//   node run.mjs <folder> <base URL> [<id>...]
//
// Without ids every test runs that is not for browsers only. It knows two
// layouts: that of the npm package, and that of the repository since 2024.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, base, ...ids] = process.argv.slice(2)
const load = (...path) => import(pathToFileURL(join(folder, ...path)))
const packaged = !existsSync(join(folder, 'test-engine'))

let groups = (await load('tests', 'index.mjs')).default
if (packaged) groups = [...groups, (await load('tests', 'surrogate-control.mjs')).default]

const wanted = new Set(ids)
const tests = groups.map(group => ({
  ...group,
  tests: group.tests.filter(test => !test.browser_only && (wanted.size === 0 || wanted.has(test.id)))
}))

const runner = await load(packaged ? 'client' : join('test-engine', 'client'), 'runner.mjs')
const together = 25
if (packaged) {
  await runner.runTests(tests, createRequire(join(folder, 'package.json'))('node-fetch'), false, base, together)
} else {
  await runner.runTests(tests, false, base, together)
}

process.stdout.write(JSON.stringify({
  tests: tests.flatMap(group => group.tests.map(test => ({
    group: group.id, id: test.id, kind: test.kind || 'required', dependsOn: test.depends_on || []
  }))),
  results: runner.getResults()
}), () => process.exit())
