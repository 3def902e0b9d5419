// Usage: unpack.mjs PACKAGE FOLDER: unpack the Chromium of npm's @sparticuz/chromium.
import { spawnSync } from "node:child_process";
import { createReadStream, createWriteStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [source, target] = process.argv.slice(2);

async function decompress(name, path, mode) {
  const packed = createReadStream(join(source, "bin", `${name}.br`));
  await pipeline(packed, createBrotliDecompress(), createWriteStream(path, { mode }));
}

for (const name of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  const archive = join(target, name);
  await decompress(name, archive, 0o644);
  const { status } = spawnSync("tar", ["-x", "-f", archive, "-C", target], { stdio: "inherit" });
  if (status !== 0) throw new Error(`${archive} could not be unpacked`);
  rmSync(archive);
}
await decompress("chromium", join(target, "headless-chromium"), 0o755);
