// speedscope.mjs FILE: has speedscope's own importer read the file, and prints what it made of it as JSON:
// each profile's name, unit, weight, and its calls as ["O" or "C", name, file, line, when].
//
// The package has the importer only within the bundle of its page. Here that runs without a page: everything of a
// browser is a thing that does nothing, and the importer is taken out of the bundle by its exported name.
import fs from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const release = path.join(here, 'node_modules/speedscope/dist/release')
const bundle = fs.readdirSync(release).find((name) => /^speedscope-.*\.js$/.test(name))
const source = fs.readFileSync(path.join(release, bundle), 'utf8')

const nothing = new Proxy(function () {}, {
  get: (target, key) =>
    key === Symbol.toPrimitive ? () => '' : key === 'then' ? undefined : nothing,
  apply: () => nothing,
  construct: () => nothing,
  set: () => true,
})

async function loadImporter() {
  const name = source.match(/importProfileGroupFromText:\(\)=>(\w+)/)[1]
  const at = source.indexOf(`async function ${name}(`)
  const silent = { log() {}, warn() {}, error() {} }
  const page = { window: nothing, document: nothing, navigator: nothing, location: nothing }
  const system = { setTimeout, clearTimeout, performance, TextDecoder, TextEncoder, URL }
  const context = vm.createContext({ ...page, ...system, console: silent })
  context.self = context
  const instrumented = `${source.slice(0, at)}globalThis.importer=${name};${source.slice(at)}`
  try {
    vm.runInContext(instrumented, context)
  } catch {
    // the page itself does not come up, after all that the importer needs
  }
  await new Promise((resume) => setTimeout(resume, 20)) // its modules come up one tick later
  return context.importer
}

function describe(profile) {
  const calls = []
  const call = (kind) => (node, when) =>
    calls.push([kind, node.frame.name, node.frame.file ?? '', node.frame.line ?? 0, when])
  profile.forEachCall(call('O'), call('C'))
  return {
    name: profile.getName(),
    unit: profile.getWeightUnit(),
    weight: profile.getTotalWeight(),
    calls,
  }
}

const file = process.argv[2]
const importer = await loadImporter()
const group = await importer(path.basename(file), fs.readFileSync(file, 'utf8'))
console.log(JSON.stringify({ name: group.name, profiles: group.profiles.map(describe) }))
