// Which room of a tree may know which: imports only go down, and no files import each other in a circle. Type imports count, too.
// Part of `npm run lint`, for the trees whose floors stand in TREES. Biome's noImportCycles finds circles, too, but to Biome the
// decorators of AssemblyScript are syntax errors.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

/**
 * The floors of each tree, the highest first. A room is a folder or a file, and belongs to the longest name that fits. It may import
 * from itself and from the floors below; rooms of one floor know nothing of each other.
 */
export const TREES = [
  {
    root: "assembly",
    floors: [
      ["abi.ts", "shared.ts"],
      ["ebpf", "index.ts"],
      ["verify"],
      ["host"],
      ["maps"],
      ["arrays"],
      ["batch", "kv", "programs"],
      ["table/life", "table/scan"],
      ["table/entries"],
      ["table/resize"],
      ["table/notes"],
      ["table/limit"],
      ["table/layout"],
      ["hash"],
      ["memory"],
      ["sync"],
      ["counting.ts"],
      ["regions.ts"],
      ["build.ts", "damage.ts", "errno.ts", "flags.ts"],
    ],
  },
  {
    root: "src",
    floors: [
      ["cli"],
      ["cli/flows", "cli/prog"],
      ["cli/capture", "cli/usage.ts"],
      ["index.ts"],
      ["hosts.ts"],
      ["ebpf", "testing", "uapi"],
      ["ebpf/helpers"],
      ["ebpf/context"],
      ["ebpf/verify"],
      ["ebpf/helpers/prototypes.ts"],
      ["uapi/commands"],
      ["uapi/abi"],
      ["ebpf/elf", "ebpf/interpret"],
      ["ebpf/verify"],
      ["ebpf/helpers"],
      ["ebpf/isa"],
      ["host"],
      ["kv", "maps"],
      ["kv/rollout", "maps/array", "maps/hash", "maps/sockets"],
      ["runs"],
      ["programs"],
      ["maps/base"],
      ["entries", "ops/batch", "ops/sockets"],
      ["kv/store"],
      ["ops"],
      ["kv/manifest", "programs/evaluate", "programs/scan"],
      ["kv/metadata.ts", "programs/codegen"],
      ["programs/expressions"],
      ["programs/wasm"],
      ["core"],
      ["core/tables"],
      ["core/memory"],
      ["core/wasm"],
      ["codec"],
      ["print"],
      ["arguments"],
      ["constants.ts", "errors.ts", "node.ts", "random.ts"],
    ],
  },
  {
    root: "bench",
    floors: [
      ["main.mjs"],
      ["children"],
      ["cli", "workloads"],
      ["counters", "plots", "threads"],
      ["contenders/caches", "run", "threads/contenders"],
      ["contenders"],
      ["kernel"],
      ["caches", "contenders/kv", "contenders/process", "latency", "memory", "peers"],
      ["assembly", "data"],
    ],
  },
];

const SOURCE = /(?<!\.d)\.m?ts$|\.mjs$/;

/** Source files below a folder, named from there. */
function filesOf(root, folder = root) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(root, path);
    return SOURCE.test(entry.name) ? [relative(root, path).split(sep).join("/")] : [];
  });
}

/** The files of the tree that a file imports. A specifier may have no extension (AssemblyScript), or that of what is built. */
function importsOf(root, file, files) {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), "utf8"), true, true);
  const found = new Set();
  for (const { fileName } of importedFiles) {
    if (!fileName.startsWith(".")) continue;
    const target = relative(root, join(root, dirname(file), fileName))
      .split(sep)
      .join("/");
    const names = [target, `${target}.ts`, target.replace(/\.(m?)js$/, ".$1ts")];
    const name = names.find((candidate) => files.has(candidate));
    if (name !== undefined) found.add(name);
  }
  return [...found];
}

/** The floor of a file, counted from the top; -1 when it stands on none. */
function roomOf(file, floors) {
  let room = { name: "", floor: -1 };
  floors.forEach((names, floor) => {
    for (const name of names) {
      const fits = file === name || file.startsWith(`${name}/`);
      if (fits && name.length > room.name.length) room = { name, floor };
    }
  });
  return room;
}

/** A circle for each import that closes one: the files on the way, the first of them again at the end. */
function circlesIn(graph) {
  const circles = [];
  const done = new Set();
  const way = [];
  const visit = (file) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
    if (way.includes(file) || done.has(file)) return;
    way.push(file);
    for (const next of graph.get(file)) visit(next);
    way.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return circles;
}

/** What is wrong in a tree, a sentence each. */
export function problemsIn(root, floors) {
  const files = new Set(filesOf(root));
  const problems = [];
  /** What a file imports of its own room: a circle through several rooms has an import that goes up. */
  const within = new Map();
  const rooms = new Set();
  for (const file of files) {
    const room = roomOf(file, floors);
    rooms.add(room.name);
    within.set(file, []);
    if (room.floor < 0) problems.push(`${file} stands on no floor`);
    for (const other of importsOf(root, file, files)) {
      const { name, floor } = roomOf(other, floors);
      if (name === room.name) within.get(file).push(other);
      else if (room.floor >= 0 && floor >= 0 && floor <= room.floor) {
        const where = floor < room.floor ? "above" : "beside";
        problems.push(`${file} imports ${other}: ${room.name} may not know ${name}, which is ${where} it`);
      }
    }
  }
  for (const circle of circlesIn(within)) problems.push(`a circle: ${circle.join(" -> ")}`);
  for (const name of floors.flat()) if (!rooms.has(name)) problems.push(`there is no room ${name}`);
  return problems;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const project = fileURLToPath(new URL("..", import.meta.url));
  for (const { root, floors } of TREES) {
    for (const problem of problemsIn(join(project, root), floors)) {
      console.error(`${root}: ${problem}`);
      process.exitCode = 1;
    }
  }
}
