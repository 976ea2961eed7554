// A page loads the published scripts, which are the sources without comments and blanks, file by file.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const MOST = 6144; // Bytes of all but `./react`, gzipped together.

test(`the scripts take at most ${MOST} bytes`, async () => {
  const dist = new URL("../dist/", import.meta.url);
  const names = (await readdir(dist)).filter((name) => name.endsWith(".js") && name !== "react.js").sort();
  assert.ok(names.includes("index.js"), "`npm run build` makes them");
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, dist))));
  const size = gzipSync(Buffer.concat(texts), { level: 9 }).length;
  assert.ok(size <= MOST, `${size}`);
});
