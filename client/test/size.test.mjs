// The published scripts are the sources without comments and blanks and with shorter local names, file by file. Their
// size is that of all of them as one text, as a bundler or a server's archive has them.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const MOST = 6144; // Bytes of all but `./react`, gzipped as one text.

test(`the scripts take at most ${MOST} bytes`, async () => {
  const dist = new URL("../dist/", import.meta.url);
  const names = (await readdir(dist)).filter((name) => name.endsWith(".js") && name !== "react.js").sort();
  const sources = (await readdir(new URL("../src/", import.meta.url))).filter((name) => name.endsWith(".js"));
  assert.deepEqual([...names, "react.js"].sort(), sources.sort(), "`npm run build` makes them");
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, dist))));
  const size = gzipSync(Buffer.concat(texts), { level: 9 }).length;
  assert.ok(size <= MOST, `${size}`);
});
