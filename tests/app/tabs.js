// Runs the script of the home page in two tabs of one browser: a document each, one cookie jar for both.
"use strict";
const { open, play, scriptOf, tab, until } = require("./page.js");
const home = process.argv[2];
const jar = {};
const sessions = [];  // of the replies, in order
let isGone = false;  // the session of the next call

async function fetchWithCookies(path, options) {
  const cookie = Object.entries(jar).map((pair) => pair.join("=")).join("; ");
  const headers = { ...options.headers, Cookie: cookie, ...(isGone && { "X-Session-ID": "gone" }) };
  isGone = false;
  const reply = await fetch(new URL(path, home), { ...options, headers });
  for (const line of reply.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    jar[name] = value;
  }
  sessions.push(reply.headers.get("X-Session-ID"));
  return reply;
}

async function main() {
  const script = await scriptOf(home);
  const one = tab(script, 1, fetchWithCookies);
  await until(() => sessions.length === 1 && one("log").textContent !== "");
  const other = tab(script, 2, fetchWithCookies);
  await until(() => sessions.length === 2 && other("log").textContent !== "");
  await play(one, "echo first");
  await play(other, "echo second");
  await play(one, "echo third");
  const logs = [one("log").textContent, other("log").textContent];
  await open(one);
  isGone = true;
  await open(other);
  console.log(JSON.stringify({ sessions, logs }));
}

main();
