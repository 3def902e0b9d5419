// Build what the portal serves: ../static/elements.js, worker.js, owner.js and portal.css.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const target = "../static";

const { metafile } = await build({
  entryPoints: {
    elements: "src/elements/main.ts",
    worker: "src/worker/main.ts",
    owner: "src/owner/main.ts",
    portal: "src/portal.css",
  },
  outdir: target,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome110", "firefox115", "safari16"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

// The packages whose code is in the bundles ask for their licenses to go along.
const inside = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => inside.exec(path)?.[1] ?? []),
);
const licenses = [...packages].sort().map((name) => {
  const folder = join("node_modules", name);
  const file = ["LICENSE", "LICENSE.md"].map((name) => join(folder, name)).find(existsSync);
  if (file === undefined) throw new Error(`${folder} has no LICENSE file`);
  return `${name}\n\n${readFileSync(file, "utf8").trim()}\n`;
});
writeFileSync(join(target, "licenses.txt"), licenses.join(`\n${"-".repeat(79)}\n\n`));
