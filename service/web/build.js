/**
 * Makes dist/ from src/: bundles with the hash of their content in their names, each also compressed; `node build.js [DIRECTORY]`.
 *
 * dist/ is kept in git, because the service and its image are made without node. `sources.json` next to it has the hashes of all
 * inputs, by which a test sees whether dist/ is up to date.
 */

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = import.meta.dirname;
const OUT = process.argv[2] ?? join(HERE, "dist");
const COMPRESSED = /\.(js|css|html|svg|txt)$/;

const under = (path) => readFileSync(join(HERE, path), "utf8");

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const { metafile } = await build({
  absWorkingDir: HERE,
  entryPoints: ["src/main.js", "src/style/style.css"],
  outdir: OUT,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  format: "esm",
  target: "es2022",
  bundle: true,
  splitting: true,
  minify: true,
  legalComments: "eof",
  metafile: true,
});
cpSync(join(HERE, "src/icon.svg"), join(OUT, "icon.svg"));
writeFileSync(join(OUT, "index.html"), page());
writeFileSync(join(OUT, "licences.txt"), licences());
writeFileSync(join(OUT, "../sources.json"), `${JSON.stringify(hashes(), null, 2)}\n`);
for (const name of readdirSync(OUT).filter((file) => COMPRESSED.test(file))) compress(join(OUT, name));

/** The page with the addresses of the bundles, and of everything that the first one imports. */
function page() {
  const [script, style] = ["src/main.js", "src/style/style.css"].map(outputOf);
  const preloads = [...new Set(importsOf(script))].map((path) => `<link rel="modulepreload" href="web/${basename(path)}">`);
  return under("src/index.html")
    .replace("src/style/style.css", `web/${basename(style)}`)
    .replace("src/main.js", `web/${basename(script)}`)
    .replace(/^( *)<!-- preloads -->$/m, (_, indent) => preloads.map((line) => indent + line).join("\n"));
}

function outputOf(source) {
  return Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === source);
}

/** What an output imports before it runs, directly or not. */
function importsOf(output) {
  const direct = metafile.outputs[output].imports.filter(({ kind }) => kind === "import-statement");
  return direct.flatMap(({ path }) => [path, ...importsOf(path)]);
}

/** The full licences of the bundled libraries; their notices are at the end of each bundle too. */
function licences() {
  const used = Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(used)].sort().map(licenceOf).join(`\n${"-".repeat(72)}\n\n`);
}

function licenceOf(name) {
  const place = join("node_modules", name);
  const { version } = JSON.parse(under(join(place, "package.json")));
  const file = readdirSync(join(HERE, place)).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version}\n\n${under(join(place, file)).trim()}\n`;
}

function hashes() {
  const sources = readdirSync(join(HERE, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(HERE.length + 1));
  const inputs = [...sources, "build.js", "package-lock.json"].sort();
  return Object.fromEntries(inputs.map((path) => [path, createHash("sha256").update(readFileSync(join(HERE, path))).digest("hex")]));
}

function compress(path) {
  const content = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
