// Rows of the contract's table about the server are tested at the server, by cargo. Here each names a test that exists.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

for (const [row, file, name] of [
  [3, "tests/it/csrf/endpoint.rs", "the_endpoint_gives_a_page_its_token"],
  [21, "tests/examples/demo.rs", "cookies_are_secure_unless_all_is_plain_http_on_this_machine"],
]) {
  test(`row ${row} names a test that exists in ${file}`, () => {
    assert.ok(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").includes(`fn ${name}(`));
  });
}
